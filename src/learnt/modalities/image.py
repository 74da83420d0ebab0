"""One column of pictures: files, bytes or arrays of pixels, of any height and width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import damage, looks, maps, pixels
from learnt.codecs.cells import is_missing
from learnt.codecs.ragged import shape
from learnt.codecs.resize import resize, weights
from learnt.contracts import Cells, Column, Columns, Encoder, Occlude, Parts, Piece, Raw, Settings, Shape, Spec
from learnt.errors import DataError, unknown

if TYPE_CHECKING:
    from torch import nn

LOOKED_AT = 400
"""How many pictures, spread over the column, tell sizes, colours and whether they may be mirrored."""
SMALL, LARGE = 64, 96
"""The largest side that is kept as it is, and the side to which larger pictures are brought."""
COMPARED, COARSE = 1000, 12
"""How many pictures are compared with their mirrored ones, and their side then."""
COARSEST = 16
"""At most so many places a side has the last grid."""
STEP = 8
"""Sides are multiples of it, so that the parts are whole pixels."""
SIDE = 8
"""Parts a side: reasons point at SIDE x SIDE squares."""
THUMBNAIL = 8
"""The side of the pictures that the baseline sees."""
GLIMPSED = 64
"""Least side at which pictures are compared with each other: large ones are not decoded in full for it."""
SHIFT = 0.125
FEWEST = 20
"""Pictures that must have another of their label before anything is said of mirroring."""
ALIKE = 1.1
"""Mirrored pictures may be so many times farther from the nearest other of their label than pictures are. It is 1.00 on
the photographs of CIFAR-10, 1.05 on X-rays of chests, 2.2 on handwritten digits, 2.8 on breasts, left or right."""


class Image:
    """Pictures, grey or in colour, 8 or 16 bits deep."""

    name: ClassVar[str] = "image"
    title: ClassVar[str] = "pictures"
    gives: ClassVar[frozenset[Shape]] = frozenset({Shape.GRID})
    joins: ClassVar[bool] = False
    stresses: ClassVar[tuple[str, ...]] = ("blur", "noise", "contrast", "occlusion", "rotation", "jpeg")

    def claims(self, column: Column) -> float:
        """Sure of pictures and of names that end as pictures do, never of anything else."""
        present = [cell for cell in _spread(column.cells, LOOKED_AT) if not is_missing(cell)]
        return 0.95 if present and all(map(pixels.is_picture, present)) else 0.0

    def learn(self, columns: Columns) -> Settings:
        """Side, channels, depth in bits, colours; pictures may not be mirrored before `varied` says so.

        Raises DataError without a picture.
        """
        (cells,) = columns.values()
        some = [pixels.decode(cell) for cell in _spread(cells, LOOKED_AT) if not is_missing(cell)]
        if not some:
            raise DataError("There is no picture to learn from.")
        depth = max(array.dtype.itemsize for array in some)
        channels = 3 if any(_coloured(array) for array in some) else 1
        found = {"channels": channels, "dtype": "uint16" if depth > 1 else "uint8"}
        whole = [_converted(array, found) for array in some]
        side = _side([array.shape[:2] for array in whole])
        flat = np.stack([resize(array, side, side) for array in whole]).astype(np.float64)
        mean, spread = flat.mean((0, 1, 2)), flat.std((0, 1, 2))
        return found | {
            "side": side,
            "mean": mean.tolist(),
            "spread": np.maximum(spread, 1.0).tolist(),
            "mirror": False,
        }

    def sized(self, settings: Settings, side: int) -> Settings:
        """Of the side asked for, or the next multiple of STEP."""
        return {**settings, "side": STEP * -(-side // STEP)}

    def started(self, settings: Settings, foreign: Settings) -> Settings:
        """Brought to the side, channels and colours of the pictures before; still as deep as these are."""
        if not foreign:
            return settings
        own, other = (float(np.iinfo(of["dtype"]).max) for of in (settings, foreign))
        colours = {name: [value * own / other for value in foreign[name]] for name in ("mean", "spread")}
        found = {**settings, **foreign, **colours, "dtype": settings["dtype"], "mirror": settings["mirror"]}
        return self.sized(found, foreign["side"])

    def varied(self, raw: Raw, kinds: Cells, settings: Settings) -> Settings:
        """Pictures are mirrored where, within a label, a mirrored one is as near to another as they are themselves."""
        places = np.linspace(0, len(kinds) - 1, min(len(kinds), COMPARED)).astype(int)
        small = [resize(np.asarray(raw["pixels"][place]), COARSE, COARSE) for place in places]
        codes = np.unique([str(kinds[place]) for place in places], return_inverse=True)[1]
        return {**settings, "mirror": _mirrored_alike(np.stack(small).astype(np.float64), codes)}

    def inputs(self, settings: Settings) -> Mapping[str, Spec]:
        """`pixels` uint8 or uint16 [H, W, C]."""
        return {"pixels": Spec(settings["dtype"], ("H", "W", int(settings["channels"])))}

    def read(self, columns: Columns, settings: Settings) -> Raw:
        """Decoded, not resized. Raises DataError naming what is no picture."""
        (cells,) = columns.values()
        return {"pixels": _dense([_converted(pixels.decode(cell), settings) for cell in cells])}

    def damaged(self, cells: Cells) -> list[tuple[int, str]]:
        """Files that are not there, are no pictures, are cut short or too large."""
        found = ((row, pixels.flaw(cell)) for row, cell in enumerate(cells) if not is_missing(cell))
        return [(row, why) for row, why in found if why]

    def same(self, cells: Cells) -> NDArray[np.int64]:
        """Saved anew in another format, size or brightness; not mirrored, turned or cut."""
        return looks.same(np.stack([_look(cell) for cell in cells]) if len(cells) else _look(None)[None])

    def shrink(self, raw: Raw, settings: Settings) -> Raw:
        """All at the side that the network sees: dense [N, S, S, C]."""
        side = settings["side"]
        whole = [resize(np.asarray(array), side, side) for array in raw["pixels"]]
        return {"pixels": np.stack(whole) if whole else np.zeros((0, side, side, settings["channels"]), np.uint8)}

    def sample(self, settings: Settings, rows: int, seed: int) -> Raw:
        """Blots of colour, of one size a seed and other than the side."""
        random = np.random.default_rng([seed, 11])
        height = int(settings["side"] * random.uniform(0.6, 1.6))
        width = int(height * random.uniform(1.05, 1.5)) + 1
        mean, spread = np.array(settings["mean"]), np.array(settings["spread"])
        blots = random.normal(mean, 2 * spread, (rows, 4, 4, settings["channels"]))
        whole = np.einsum("hi,nijc,wj->nhwc", weights(4, height), blots, weights(4, width))
        whole += random.normal(0, spread / 4, whole.shape)
        return {"pixels": np.clip(whole, 0, np.iinfo(settings["dtype"]).max).astype(settings["dtype"])}

    def suggest(self, rows: int) -> Settings:
        """No trunk: one linear head over the mean of the grid, so that a reason is a place of it."""
        batch = min(128, max(16, 2 ** round(math.log2(max(rows, 1) / 20))))
        return {
            "width": 64, "depth": 0, "members": 1, "dropout": 0.0,
            "batch": batch, "epochs": max(30, round(1500 * batch / max(rows, 1))), "rate": 3e-3, "decay": 5e-2,
        }  # fmt: skip

    def augment(self, settings: Settings) -> nn.Module:
        """Shifted by an eighth of the side, and mirrored where mirrored pictures look like pictures."""
        from learnt.nets import grids

        return grids.PictureAugment(SHIFT, settings["mirror"])

    def prepare(self, settings: Settings) -> nn.Module:
        """`pixels` float [B, C, S, S]."""
        from learnt.nets import grids

        return grids.PicturePrepare(settings["side"], settings["mean"], settings["spread"])

    def encoder(self, settings: Settings, width: int, causal: bool) -> Encoder:  # noqa: ARG002
        """A grid of SIDE x SIDE or less, or that of a pretrained network."""
        from learnt.nets import grids, pretrained

        if "pretrained" in settings:
            return cast("Encoder", pretrained.pictures({**settings["pretrained"], "side": settings["side"]}))

        return cast(
            "Encoder", grids.PictureEncoder(settings["channels"], _stages(settings["side"], width), settings["mirror"])
        )

    def occlude(self, settings: Settings) -> Occlude:  # noqa: ARG002
        """A hidden square is of the mean colour."""
        from learnt.nets import grids

        return grids.Patches(SIDE)

    def parts(self, raw: Raw, settings: Settings) -> Parts:  # noqa: ARG002
        """SIDE x SIDE squares, row by row; boxes (left, upper, right, lower) in pixels of the picture given."""
        sizes = [np.shape(array)[:2] for array in raw["pixels"]]
        known = {size: _squares(*size) for size in set(sizes)}
        return [known[size] for size in sizes]

    def hide(self, raw: Raw, mask: NDArray[np.bool_], settings: Settings) -> Raw:
        """Pixels of the mean colour wherever the network would see nothing but hidden squares of them."""
        colour = np.rint(settings["mean"]).astype(settings["dtype"])
        side = settings["side"]
        found = []
        for array, hidden in zip(raw["pixels"], mask, strict=True):
            copy = np.array(array)
            if hidden.any():
                shown = ~hidden.reshape(SIDE, SIDE).repeat(side // SIDE, 0).repeat(side // SIDE, 1)
                down, across = (weights(size, side) for size in copy.shape[:2])
                copy[down.T @ shown @ across == 0] = colour
            found.append(copy)
        return {"pixels": _dense(found)}

    def facts(self, raw: Raw) -> Mapping[str, NDArray[Any]]:
        """Height and width in pixels, their ratio, brightness and its spread; and how bright each square is, by which a
        mark in a corner is known.
        """
        arrays = raw["pixels"]
        sizes = np.array([shape(arrays, row)[:2] for row in range(len(arrays))], np.float64).reshape(-1, 2)
        light = np.array([(np.mean(array), np.std(array)) for array in arrays], np.float64).reshape(-1, 2)
        return {
            "height": sizes[:, 0],
            "width": sizes[:, 1],
            "shape": sizes[:, 1] / sizes[:, 0],
            "brightness": light[:, 0],
            "contrast": light[:, 1],
        } | {
            f"brightness of {piece.name}": values
            for piece, values in zip(_squares(SIDE, SIDE), _lights(arrays).T, strict=True)
        }

    def pictured(self, raw: Raw, row: int) -> NDArray[np.uint8]:
        """As it was read, in full size."""
        return maps.seen(np.asarray(raw["pixels"][row]))

    def imagine(self, raw: Raw, settings: Settings, count: int, seed: int) -> nn.Module:
        """Squares of the side, in colours that are spread as those of some pictures are."""
        from learnt.nets import imagined

        places = np.linspace(0, len(raw["pixels"]) - 1, min(len(raw["pixels"]), LOOKED_AT)).astype(int)
        colours = np.concatenate(
            [np.asarray(raw["pixels"][place])[::4, ::4].reshape(-1, settings["channels"]) for place in places]
        )
        most = float(np.iinfo(settings["dtype"]).max)
        return imagined.ImaginedPictures(settings["side"], count, colours / most, most, seed)

    def stress(self, raw: Raw, kind: str, severity: int, settings: Settings) -> Raw:  # noqa: ARG002
        """Blurred, noisy, pale, covered, turned, or saved badly; other damage than `augment` does."""
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        random = np.random.default_rng([severity, self.stresses.index(kind)])
        harm = getattr(damage, kind)
        return {"pixels": _dense([harm(np.asarray(array), severity, random) for array in raw["pixels"]])}

    def plain(self, raw: Raw, settings: Settings) -> NDArray[np.float64]:
        """Thumbnails [N, 8 * 8 * C], brightness from 0 to 1."""
        most = float(np.iinfo(settings["dtype"]).max)
        small = [resize(np.asarray(array), THUMBNAIL, THUMBNAIL) for array in raw["pixels"]]
        size = THUMBNAIL * THUMBNAIL * settings["channels"]
        return np.stack(small).reshape(-1, size).astype(np.float64) / most if small else np.zeros((0, size))


def _spread(cells: Cells, most: int) -> list[Any]:
    """At most so many cells, evenly spread."""
    if len(cells) <= most:
        return list(cells)
    return [cells[int(place)] for place in np.linspace(0, len(cells) - 1, most)]


def _look(cell: Any) -> NDArray[np.float32]:
    """All nan of a cell without a picture."""
    try:
        if not is_missing(cell):
            return looks.look(pixels.glimpse(cell, GLIMPSED))
    except DataError:
        pass
    return np.full(looks.LENGTH, np.nan, np.float32)


def _coloured(array: NDArray[Any]) -> bool:
    return array.shape[2] == 3 and bool(np.ptp(array, 2).any())


def _converted(array: NDArray[Any], settings: Settings) -> NDArray[Any]:
    """Channels and depth as the settings have them; grey of a colour is its luma (ITU-R BT.601)."""
    if array.shape[2] != settings["channels"]:
        if array.shape[2] == 1:
            array = np.repeat(array, 3, 2)
        else:
            grey = array.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
            array = np.rint(grey)[:, :, None].astype(array.dtype)
    if array.dtype != settings["dtype"]:
        array = (array // 257).astype(np.uint8) if settings["dtype"] == "uint8" else array.astype(np.uint16) * 257
    return array


def _dense(arrays: Sequence[NDArray[Any]]) -> Any:
    """One array where all are of one size."""
    return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else list(arrays)


def _side(sizes: Sequence[tuple[int, ...]]) -> int:
    """The usual side, as it is where it is small; tiny pictures are doubled."""
    usual = float(np.median([math.sqrt(height * width) for height, width in sizes]))
    if usual <= SMALL / 4:
        usual *= 2
    if usual > SMALL * 1.1:
        return LARGE
    return max(2 * STEP, STEP * round(usual / STEP))


def _stages(side: int, width: int) -> list[list[int]]:
    """Widths of the convolutions: half `width` at full size, doubled from stage to stage.

    The fourth stage of small pictures was chosen on 3,000 of CIFAR-10's training pictures: .80 against .78 without it.
    """
    first = max(8, width // 2)
    stages = [[first], [2 * first, 2 * first]]
    if side >= 24:
        stages.append([4 * first, 4 * first])
    if 32 <= side <= SMALL:
        stages.append([8 * first])
    while side > COARSEST * 2 ** (len(stages) - 1):
        stages.insert(1, [first])
    return stages


def _lights(arrays: Sequence[NDArray[Any]] | NDArray[Any]) -> NDArray[np.float64]:
    """[N, squares], how bright each square of each picture is on average."""
    found = np.zeros((len(arrays), SIDE * SIDE))
    for row in range(len(arrays)):
        light = np.asarray(arrays[row]).mean(2)
        for axis, size in enumerate(light.shape):
            starts = np.linspace(0, size, SIDE + 1).astype(np.int64)
            wide = np.maximum(np.diff(starts), 1)
            light = np.add.reduceat(light, starts[:-1], axis) / (wide[:, None] if axis == 0 else wide)
        found[row] = light.ravel()
    return found


def _squares(height: int, width: int) -> list[Piece]:
    down = np.linspace(0, height, SIDE + 1)
    across = np.linspace(0, width, SIDE + 1)
    return [
        Piece(
            f"row {row + 1}, column {column + 1} of {SIDE}",
            (float(across[column]), float(down[row]), float(across[column + 1]), float(down[row + 1])),
        )
        for row in range(SIDE)
        for column in range(SIDE)
    ]


def _mirrored_alike(small: NDArray[np.float64], codes: NDArray[np.int64]) -> bool:
    """`small` [N, S, S, C] and their labels."""
    own = small.reshape(len(small), -1)
    near, of_mirrored = (_nearest(one.reshape(len(small), -1), own, codes) for one in (small, small[:, :, ::-1]))
    known = np.isfinite(near)
    return bool(known.sum() >= FEWEST and np.median(of_mirrored[known]) <= ALIKE * np.median(near[known]))


def _nearest(one: NDArray[np.float64], others: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """[N]: how far the nearest of the others with the same label is; infinite without one."""
    squares = (one**2).sum(1)[:, None] + (others**2).sum(1)[None] - 2 * one @ others.T
    squares[codes[:, None] != codes[None]] = np.inf
    np.fill_diagonal(squares, np.inf)
    found: NDArray[np.float64] = np.sqrt(np.maximum(squares.min(1), 0))
    return found
