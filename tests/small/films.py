"""Made-up videos: black pictures with a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np


def film(path: Path, sound: Any, codec: str = "aac", rate: int = 16_000, late: float = 0.0) -> Path:
    """A black video with the sound, which begins so late; None: without any."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libvpx" if path.suffix == ".webm" else "mpeg4", rate=10)
        pictures.width = pictures.height = 32
        pictures.pix_fmt = "yuv420p"
        spoken = None if sound is None else container.add_stream(codec, rate=rate, layout="mono")
        for _ in range(20):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(pictures.encode())
        if spoken is not None:
            size = spoken.frame_size or 1024
            for start in range(0, len(sound), size):
                part = np.zeros((1, size), np.float32)
                part[0, : len(sound) - start] = sound[start : start + size]
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = rate, start + round(late * rate)
                container.mux(spoken.encode(frame))
            container.mux(spoken.encode())
    return path
