"""Made-up recordings as bytes of .wav files: tones that rise or fall."""

from __future__ import annotations

import io
import wave

import numpy as np
from numpy.typing import NDArray


def wav(samples: NDArray[np.floating], rate: int = 8000, width: int = 2) -> bytes:
    """Samples [T] or [T, channels] from -1 to 1, `width` bytes each."""
    whole = np.round(np.asarray(samples, np.float64) * (2 ** (8 * width - 1) - 1)).astype("<i4")
    if width == 1:
        whole += 128
    data = whole.reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(1 if np.ndim(samples) == 1 else np.shape(samples)[1])
        made.setsampwidth(width)
        made.setframerate(rate)
        made.writeframes(data)
    return file.getvalue()


def glide(random: np.random.Generator, rises: bool, rate: int = 8000) -> NDArray[np.float64]:
    """A tone of .2 s, somewhere in half a second of faint noise, that goes up or down by half."""
    times = np.arange(int(0.2 * rate)) / rate
    start = random.uniform(500, 900)
    pitch = start * (1 + 0.5 * times / 0.2) if rises else start * (1.5 - 0.5 * times / 0.2)
    tone = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / rate) * np.hanning(len(times))
    sound = 0.003 * random.normal(size=rate // 2)
    place = int(random.integers(0, len(sound) - len(tone)))
    sound[place : place + len(tone)] += tone
    return sound
