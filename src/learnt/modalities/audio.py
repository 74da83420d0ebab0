"""One column of sounds: recordings, their bytes, or arrays of samples, of any length and rate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import mel, noises, waves
from learnt.codecs.cells import is_missing
from learnt.contracts import Cells, Column, Columns, Encoder, Occlude, Parts, Piece, Raw, Settings, Shape, Spec, Tensors
from learnt.errors import DataError, unknown

if TYPE_CHECKING:
    from torch import Tensor, nn

LOOKED_AT = 400
"""How many sounds, spread over the column, tell the rate and how loud bands are."""
RATES = (8000, 16000)
"""Hz that sounds are brought to: the least that is as much as they have, else the last."""
BANDS: Mapping[int, int] = {8000: 40, 16000: 64}
PARTS = 16
"""Reasons point at so many moments, as long in all sounds: nearly all sounds end within them."""
DECIBELS, SPEED, LATER = 6.0, 0.1, 0.05
"""How much louder, faster and later (in seconds) a sound may be in training."""
PLACE = 2 * mel.HOP
"""Seconds from one place of a sound that is heard as it comes to the next."""
WHOLE = 600
"""Seconds of such a sound that are read as one example; predictions, captions and streams are heard piece by piece."""
AHEAD = 12
"""Places of 20 ms for which a sound that is heard as it comes is waited."""
DILATIONS = (1, 1, 2, 2, 4, 4)
"""How far the layers then look back, in quarters of what they see."""
SEGMENTS, PITCHES = 8, 20
"""Times and bands of which the baseline sees the mean."""


class Audio:
    """Sounds of one channel."""

    name: ClassVar[str] = "audio"
    title: ClassVar[str] = "sounds"
    gives: ClassVar[frozenset[Shape]] = frozenset({Shape.SEQUENCE, Shape.VECTOR})
    joins: ClassVar[bool] = False
    stresses: ClassVar[tuple[str, ...]] = ("telephone", "clipping", "noise", "reverberation", "codec")

    def claims(self, column: Column) -> float:
        """Sure of names that end as recordings do and of samples, never of anything else."""
        present = [cell for cell in _spread(column.cells, LOOKED_AT) if not is_missing(cell)]
        return 0.95 if present and all(map(waves.is_sound, present)) else 0.0

    def learn(self, columns: Columns) -> Settings:
        """The rate, and mean and spread of each band. Raises DataError without a sound."""
        (cells,) = columns.values()
        some = [cell for cell in _spread(cells, LOOKED_AT) if not is_missing(cell)]
        if not some:
            raise DataError("There is no sound to learn from.")
        usual, _ = Counter(waves.rate_of(cell) or RATES[-1] for cell in some).most_common(1)[0]
        rate = next((one for one in RATES if one >= usual), RATES[-1])
        heard = [mel.log_mel(waves.decode(cell, rate), rate, BANDS[rate]) for cell in some]
        frames = np.concatenate(heard)
        usual_most = float(np.quantile([len(one) for one in heard], 0.95))
        return {
            "rate": rate,
            "mean": frames.mean(0).tolist(),
            "spread": np.maximum(frames.std(0), 0.5).tolist(),
            "moment": max(2, math.ceil(usual_most / PARTS)),
        }

    def streamed(self, settings: Settings) -> Settings:
        """Settings by which sounds are heard as they come, and said after a while: `ahead` places."""
        return {**settings, "ahead": AHEAD}

    def places(self, cells: Cells) -> NDArray[np.float64]:
        """50 a second, fewer where it is made faster."""
        found = np.array([0.0 if is_missing(cell) else waves.seconds(cell) for cell in cells])
        return np.where(found > waves.LONGEST, 0.0, np.floor(found / (1 + SPEED) / PLACE))

    def damaged(self, cells: Cells) -> list[tuple[int, str]]:
        """Files that are not there, empty, cut off or no sound."""
        found = ((row, waves.flaw(cell)) for row, cell in enumerate(cells) if not is_missing(cell))
        return [(row, why) for row, why in found if why]

    def shortened(self, cells: Cells, settings: Settings) -> list[tuple[int, str]]:
        """Recordings of which `read` leaves the end out."""
        longest, found = _longest(settings), []
        more = " `learnt predict` and captions hear all of it." if "ahead" in settings else ""
        for row, cell in enumerate(cells):
            if is_missing(cell):
                continue
            seconds = len(cell) / settings["rate"] if isinstance(cell, np.ndarray) else waves.seconds(cell)
            if seconds > longest:
                found.append((row, f"Of {seconds:,.1f} s only the first {longest} are heard.{more}"))
        return found

    def inputs(self, settings: Settings) -> Mapping[str, Spec]:
        """`samples` float32 [T], about -1 to 1, at the rate of the settings."""
        del settings
        return {"samples": Spec("float32", ("T",))}

    def read(self, columns: Columns, settings: Settings) -> Raw:
        """Raises DataError for what is no sound, or damaged."""
        (cells,) = columns.values()
        return {"samples": [waves.decode(cell, settings["rate"], _longest(settings)) for cell in cells]}

    def sample(self, settings: Settings, rows: int, seed: int) -> Raw:
        """Tones in noise; every other one is shorter."""
        random = np.random.default_rng([seed, 17])
        found = []
        for row in range(rows):
            times = np.arange(int(settings["rate"] * (0.4 + 0.05 * (seed % 3) - 0.15 * (row % 2)))) / settings["rate"]
            tone = 0.3 * np.sin(2 * np.pi * random.uniform(200, 2000) * times * (1 + times))
            found.append((tone + 0.02 * random.normal(size=len(times))).astype(np.float32))
        return {"samples": found}

    def suggest(self, rows: int) -> Settings:
        """No trunk: one linear head over what the moments say."""
        batch = min(64, max(16, 2 ** round(math.log2(max(rows, 1) / 40))))
        return {
            "width": 64, "depth": 0, "members": 1, "dropout": 0.2,
            "batch": batch, "epochs": min(120, max(20, round(2500 * batch / max(rows, 1)))),
            "rate": 3e-3, "decay": 5e-2,
        }  # fmt: skip

    def window(self, settings: Settings) -> tuple[int, int]:
        """Longer than nearly all sounds by a third, so that a window slides twice before one leaves it."""
        hop = mel.sizes(settings["rate"])[1]
        return settings["rate"], settings.get("window") or math.ceil(PARTS * settings["moment"] * hop * 4 / 3)

    def sliding(self, raw: Raw, settings: Settings) -> Settings:
        """A third longer than all but a twentieth of them."""
        usual = float(np.quantile([len(one) for one in raw["samples"]], 0.95))
        return {**settings, "window": math.ceil(usual * 4 / 3)}

    def surround(self, settings: Settings) -> Callable[[Tensors, Tensor], tuple[Tensors, Tensor]]:
        """Among noise, tones and pieces of others, or only pieces of them."""
        from learnt.nets import sounds

        return sounds.Surround(*self.window(settings))

    def augment(self, settings: Settings) -> nn.Module:
        """Louder or softer, faster or slower, a little later."""
        from learnt.nets import sounds

        return sounds.SoundAugment(DECIBELS, SPEED, int(LATER * settings["rate"]))

    def prepare(self, settings: Settings) -> nn.Module:
        """Log-mel bands, each of mean 0 and spread 1 over the sounds that were learnt from; of a stream the samples."""
        from learnt.nets import hearing, sounds

        if "ahead" in settings:
            return hearing.Samples()

        return sounds.SoundPrepare(settings["rate"], settings["mean"], settings["spread"])

    def encoder(self, settings: Settings, width: int, causal: bool) -> Encoder:  # noqa: ARG002 settings say it
        """Plain convolutions over pitch and time; of a stream such as keep what they still need."""
        from learnt.nets import hearing, sounds

        if "ahead" in settings:
            fixed = settings["rate"], settings["mean"], settings["spread"]
            return cast("Encoder", hearing.HearingEncoder(*fixed, width, DILATIONS, settings["ahead"]))

        first = max(8, width // 4)
        stages = [[first], [2 * first, 2 * first], [4 * first, 4 * first], [8 * first]]
        return cast("Encoder", sounds.SoundEncoder(len(settings["mean"]), stages, width))

    def occlude(self, settings: Settings) -> Occlude:
        """A hidden moment is silent."""
        from learnt.nets import hearing, sounds

        if "ahead" in settings:
            return hearing.SilentSamples(PARTS, settings["moment"] * mel.sizes(settings["rate"])[1])

        return sounds.Moments(PARTS, settings["moment"])

    def parts(self, raw: Raw, settings: Settings) -> Parts:
        """Moments of each sound, where: (start, end) in seconds; without a name where it has ended, the last open."""
        step = settings["moment"] * mel.HOP
        found = []
        for samples in raw["samples"]:
            seconds = len(samples) / settings["rate"]
            pieces = [Piece("")] * PARTS
            for place in np.unique(_part(len(samples), settings)).tolist():
                start, end = place * step, (place + 1) * step
                name = f"{start:.2f}-{end:.2f} s" if place < PARTS - 1 else f"from {start:.2f} s"
                pieces[place] = Piece(name, (start, max(end, seconds) if place == PARTS - 1 else end))
            found.append(pieces)
        return found

    def hide(self, raw: Raw, mask: NDArray[np.bool_], settings: Settings) -> Raw:
        """Silence wherever no frame is left that hears it; of a stream wherever it is hidden."""
        window, hop = mel.sizes(settings["rate"])
        if "ahead" in settings:
            part = [np.minimum(np.arange(len(one)) // (settings["moment"] * hop), PARTS - 1) for one in raw["samples"]]
            pairs = zip(raw["samples"], mask, part, strict=True)
            return {"samples": [np.where(hidden[place], np.float32(0), one) for one, hidden, place in pairs]}
        found = []
        for samples, hidden in zip(raw["samples"], mask, strict=True):
            copy = np.array(samples)
            if hidden.any():
                heard = np.zeros(len(copy) + 2 * window, bool)
                for frame in np.flatnonzero(~hidden[_part(len(copy), settings)]).tolist():
                    heard[frame * hop + window // 2 : frame * hop + window // 2 + window] = True
                copy[~heard[window : window + len(copy)]] = 0.0
            found.append(copy)
        return {"samples": found}

    def facts(self, raw: Raw) -> Mapping[str, NDArray[Any]]:
        """Length and the silence at both ends in samples, loudness and peak."""
        sounds = [np.asarray(samples, np.float64) for samples in raw["samples"]]
        return {
            "length": np.array([len(one) for one in sounds], np.float64),
            "loudness": np.array([np.sqrt(np.mean(one**2)) for one in sounds]),
            "peak": np.array([np.abs(one).max() for one in sounds]),
            "silence at the beginning": np.array([_quiet(one) for one in sounds], np.float64),
            "silence at the end": np.array([_quiet(one[::-1]) for one in sounds], np.float64),
        }

    def stress(self, raw: Raw, kind: str, severity: int, settings: Settings) -> Raw:
        """Over a telephone, clipped, noisy, in a room, or coarsely coded; other damage than `augment` does."""
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        random = np.random.default_rng([severity, self.stresses.index(kind)])
        harm = getattr(noises, kind)
        return {"samples": [harm(np.asarray(one), severity, random, settings["rate"]) for one in raw["samples"]]}

    def plain(self, raw: Raw, settings: Settings) -> NDArray[np.float64]:
        """Mean loudness [N, SEGMENTS * PITCHES] of some bands at some times, in logarithms."""
        bands = len(settings["mean"])
        edges = np.linspace(0, bands, PITCHES + 1).astype(int)[:-1]
        found = np.zeros((len(raw["samples"]), SEGMENTS * PITCHES))
        for row, samples in enumerate(raw["samples"]):
            heard = np.add.reduceat(mel.log_mel(samples, settings["rate"], bands), edges, 1)
            places = np.linspace(0, len(heard), SEGMENTS + 1)
            found[row] = np.concatenate(
                [heard[int(start) : max(int(end), int(start) + 1)].mean(0) for start, end in pairwise(places)]
            )
        return found


def _longest(settings: Settings) -> int:
    """Seconds that are read."""
    return WHOLE if "ahead" in settings else waves.LONGEST


def _part(samples: int, settings: Settings) -> NDArray[np.int64]:
    """The part of each frame of a sound of so many samples."""
    frames = samples // mel.sizes(settings["rate"])[1] + 1
    return np.asarray(np.minimum(np.arange(frames) // settings["moment"], PARTS - 1), np.int64)


def _quiet(samples: NDArray[np.float64]) -> int:
    """Samples before the first that is louder than a hundredth of the loudest."""
    loud = np.abs(samples)
    return int((loud > loud.max() / 100).argmax()) if loud.max() > 0 else len(samples)


def _spread(cells: Cells, most: int) -> Sequence[Any]:
    """At most so many cells, evenly spread."""
    if len(cells) <= most:
        return list(cells)
    return [cells[int(place)] for place in np.linspace(0, len(cells) - 1, most)]
