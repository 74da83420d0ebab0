"""Columns of numbers, categories and dates: all of them together are one input."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import answers, bins, cells, dates, kinds, moves, words
from learnt.contracts import (
    Column,
    Columns,
    Encoder,
    Moved,
    Occlude,
    Parts,
    Piece,
    Raw,
    Settings,
    Shape,
    Spec,
)
from learnt.errors import DataError, unknown

if TYPE_CHECKING:
    from torch import nn

FEWEST = 5
"""A category seen less often could point at a person and teaches nothing: it counts as unseen."""
MOST_WORDS = 2000
HUGE = 1e30
"""As large as numbers get where plain methods see them."""
NUMBER_SIZE, WORD_SIZE = 12, 8
"""What a number (or date part) and a category take in the vector."""
DROPOUT = 0.1
RATES = (0.02, 0.05, 0.1, 0.2, 0.4)
NOISE = (0.01, 0.03, 0.1, 0.3, 1.0)


class Table:
    """Number, category and date columns of one table."""

    name: ClassVar[str] = "table"
    title: ClassVar[str] = "numbers, words and dates"
    gives: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    joins: ClassVar[bool] = True
    stresses: ClassVar[tuple[str, ...]] = ("missing", "noise", "unit", "typo")
    """The kinds that `stress` knows."""

    def claims(self, column: Column) -> float:
        """Sure of numbers and dates, rather sure of few short words, hardly of prose, never of lists."""
        present = kinds.looked_at(column.cells)
        if any(isinstance(cell, list | tuple | dict | set | bytes) or cells.is_array(cell) for cell in present):
            return 0.0
        if not present or kinds.of(present) != "categories":
            return 0.9
        texts = cells.texts(present).tolist()
        length = sum(map(len, texts)) / len(texts)
        fresh = len(set(texts)) / len(texts)
        if length > 40 and fresh > 0.5:
            return 0.1
        return 0.4 if fresh > 0.9 and len(texts) > 20 else 0.8

    def learn(self, columns: Columns) -> Settings:
        """Kinds of columns, bin edges, words and their counts. Raises DataError without column or row."""
        if not columns or not len(next(iter(columns.values()))):
            raise DataError("A table needs at least one column and one row to learn from, and there is none.")
        held = {name: kinds.of(found) for name, found in columns.items()}
        settings: dict[str, Any] = {
            kind: [name for name in columns if held[name] == kind] for kind in ("numbers", "categories", "days")
        }
        values = _values(columns, settings)
        edges = [bins.edges(column) for column in values]
        split = len(settings["numbers"])
        levels = [bins.levels(column) for column in values[:split]]
        means = [bins.mean_encoding(*pair).tolist() for pair in zip(values, edges, strict=True)]
        counters = [_counted(cells.texts(columns[name])) for name in settings["categories"]]
        known = [_words(counter) for counter in counters]
        return settings | {
            "edges": [found.tolist() for found in edges[:split]],
            "day_edges": [found.tolist() for found in edges[split:]],
            "means": means[:split],
            "day_means": means[split:],
            "day_waves": [dates.waves(column).mean(0).tolist() for column in values[split:]],
            "levels": [found.tolist() for found in levels],
            "level_counts": [
                bins.level_counts(*pair) for pair in zip(values[:split], levels, strict=True) if len(pair[1])
            ],
            "words": known,
            "counts": [_counts(*pair) for pair in zip(counters, known, strict=True)],
        }

    def inputs(self, settings: Settings) -> Mapping[str, Spec]:
        """`numbers` float64 [N], `categories` string [C], `days` float64 [D]; none without such a column."""
        vocabularies = tuple(tuple(known) for known in settings["words"])
        specs = {
            "numbers": Spec("float64", (len(settings["numbers"]),)),
            "categories": Spec("string", (len(settings["categories"]),), vocabularies),
            "days": Spec("float64", (len(settings["days"]),)),
        }
        return {name: spec for name, spec in specs.items() if settings[name]}

    def read(self, columns: Columns, settings: Settings) -> Raw:
        """Dense arrays [rows, columns]. What is no number or no date is missing; `unreadable` lists it.

        Raises RequestError for a column that is not there and DataError for columns of different lengths.
        """
        _check(columns, settings)
        values = _values(columns, settings)
        split = len(settings["numbers"])
        raw: dict[str, NDArray[Any]] = {}
        if settings["numbers"]:
            raw["numbers"] = np.stack(values[:split], 1)
        if settings["categories"]:
            vocabularies = zip(settings["categories"], settings["words"], strict=True)
            texts = [answers.written(cells.texts(columns[name]), known) for name, known in vocabularies]
            raw["categories"] = np.stack(texts, 1)
        if settings["days"]:
            raw["days"] = np.stack(values[split:], 1)
        return cast(Raw, raw)

    def unreadable(self, columns: Columns, settings: Settings) -> list[tuple[int, str]]:
        """Cells that `read` takes as missing though something stands there: (row from 0, why with the column).

        A number column without any value to learn from tells nothing, whatever stands in it later: none of its cells.
        """
        _check(columns, settings)
        numbers = {name: edges for name, edges in zip(settings["numbers"], settings["edges"], strict=True) if edges}
        found = [(name, answers.numbers(columns[name], edges)[1], "number") for name, edges in numbers.items()]
        found += [(name, cells.days(columns[name])[1], "date") for name in settings["days"]]
        return [
            (row, f"column {name!r}: {columns[name][row]!r} is no {what}") for name, bad, what in found for row in bad
        ]

    def guesses(self, columns: Columns) -> list[dict[str, str]]:
        """What `learn` would decide and somebody might not want: {"sentence", "option"}."""
        found = []
        for name, column in columns.items():
            kind = kinds.of(column)
            bad = [] if kind == "categories" else (cells.numbers if kind == "numbers" else cells.days)(column)[1]
            if bad:
                sentence = (
                    f"{name!r} is read as {kind}; {len(bad)} of {len(column)} cells are none and count "
                    f"as missing, the first of them {str(column[bad[0]])[:40]!r}."
                )
                found.append({"sentence": sentence, "option": f"--drop {name}"})
        return found

    def sample(self, settings: Settings, rows: int, seed: int) -> Raw:
        """Values between the edges, words at random; one in twelve missing, one unseen."""
        rng = np.random.default_rng([seed, 7])
        split = len(settings["numbers"])
        edges = [*settings["edges"], *settings["day_edges"]]
        values = np.full((rows, len(edges)), np.nan)
        for place, found in enumerate(edges):
            if found:
                at = rng.uniform(0, len(found) - 1, rows)
                values[:, place] = np.interp(at, np.arange(len(found)), found)
        values[rng.random(values.shape) < 1 / 12] = np.nan
        strings = np.full((rows, len(settings["words"])), "", object)
        for place, known in enumerate(settings["words"]):
            choices = ["", "never seen", *known]
            weights = np.array([1, 1, *[10 / max(1, len(known))] * len(known)])
            strings[:, place] = rng.choice(np.array(choices, object), rows, p=weights / weights.sum())
        raw = {"numbers": values[:, :split], "categories": strings, "days": values[:, split:]}
        return cast(Raw, {name: raw[name] for name in self.inputs(settings)})

    def suggest(self, rows: int) -> Settings:
        """A TabM-mini trunk; fewer rows get smaller batches and more epochs, so that there are 400 steps or more.

        Chosen on parts of the training rows of adult, WDBC, digits and card fraud.
        """
        batch = min(512, max(32, 2 ** round(math.log2(max(rows, 1) / 16))))
        return {
            "width": 192,
            "depth": 2,
            "members": 16,
            "dropout": 0.1,
            "batch": batch,
            "epochs": max(12, round(400 * batch / max(rows, 1))),
            "rate": 3e-3,
            "decay": 3e-4,
        }

    def augment(self, settings: Settings) -> nn.Module | None:  # noqa: ARG002
        """None: made-up rows of a table help little."""
        return None

    def prepare(self, settings: Settings) -> nn.Module:
        """Encodings `numbers`, `trend` [B, columns, bins + 1]; `days` [B, D, 9]; codes `categories`."""
        from learnt.nets import table as net

        return net.TablePrepare(
            (settings["edges"], _stacked(settings["means"], _bins(settings["edges"]))),
            (settings["day_edges"], _stacked(settings["day_means"], _bins(settings["day_edges"]))),
            settings["levels"],
        )

    def encoder(self, settings: Settings, width: int, causal: bool) -> Encoder:  # noqa: ARG002
        """An embedding of each column, side by side in one vector; its size does not depend on `width`."""
        from learnt.nets import table as net

        encoder = net.TableEncoder(
            len(settings["numbers"]),
            _bins(settings["edges"]),
            len(settings["days"]),
            _bins(settings["day_edges"]),
            settings["counts"],
            settings["level_counts"],
            size=NUMBER_SIZE,
            words=WORD_SIZE,
            dropout=DROPOUT,
        )
        return cast("Encoder", encoder)

    def occlude(self, settings: Settings) -> Occlude:
        """A hidden column counts as its mean encoding over the fit split."""
        from learnt.nets import table as net

        means = {}
        if settings["numbers"]:
            means["numbers"] = _stacked(settings["means"], _bins(settings["edges"]))
        if settings["days"]:
            means["trend"] = _stacked(settings["day_means"], _bins(settings["day_edges"]))
            means["days"] = np.array(settings["day_waves"], np.float32)
        counts = (len(settings["numbers"]), len(settings["categories"]), len(settings["days"]))
        recurring = [place for place, found in enumerate(settings["levels"]) if found]
        return net.TableOcclude(counts, means, recurring)

    def parts(self, raw: Raw, settings: Settings) -> Parts:
        """One piece a column: numbers, categories, days."""
        pieces = [Piece(name) for kind in ("numbers", "categories", "days") for name in settings[kind]]
        return [pieces] * len(next(iter(raw.values())))

    def hide(self, raw: Raw, mask: NDArray[np.bool_], settings: Settings) -> Raw:
        """Hidden cells are missing: nan or "". `occlude` takes the mean encoding, which no cell can say."""
        hidden: dict[str, NDArray[Any]] = {}
        first = 0
        for name, spec in self.inputs(settings).items():
            hidden[name] = np.array(raw[name])
            last = first + len(settings[name])
            hidden[name][mask[:, first:last]] = "" if spec.dtype == "string" else np.nan
            first = last
        return cast(Raw, hidden)

    def stress(self, raw: Raw, kind: str, severity: int, settings: Settings) -> Raw:  # noqa: ARG002
        """Cells go missing, numbers get noise, one column is x 1000, words get typos."""
        if kind not in self.stresses:
            raise unknown("stress", kind, self.stresses)
        rng = np.random.default_rng([severity, self.stresses.index(kind)])
        damaged = {name: np.array(values) for name, values in raw.items()}
        rate = RATES[severity - 1]
        if kind == "missing":
            for name, values in damaged.items():
                values[rng.random(values.shape) < rate] = "" if name == "categories" else np.nan
        elif kind == "noise" and "numbers" in damaged:
            damaged["numbers"] *= 1 + NOISE[severity - 1] * rng.standard_normal(damaged["numbers"].shape)
        elif kind == "unit" and "numbers" in damaged:
            column = rng.integers(damaged["numbers"].shape[1])
            rows = rng.random(len(damaged["numbers"])) < severity / 5
            damaged["numbers"][rows, column] *= 1000
        elif kind == "typo" and "categories" in damaged:
            wrong = rng.random(damaged["categories"].shape) < rate
            damaged["categories"][wrong] = [_typo(text, rng) for text in damaged["categories"][wrong]]
        return cast(Raw, damaged)

    def moved(self, raw: Raw, settings: Settings, rows: int) -> Sequence[Moved]:
        """Each column against the quantiles and counts that were learnt."""
        found = []
        for kind, prefix in (("numbers", ""), ("days", "day_")):
            known = zip(settings[kind], settings[f"{prefix}edges"], settings[f"{prefix}means"], strict=True)
            for place, (name, edges, means) in enumerate(known):
                values = np.asarray(raw[kind], np.float64)[:, place]
                found.append(moves.number_moved(name, values, np.array(edges), np.array(means), rows))
        columns = zip(settings["categories"], settings["words"], settings["counts"], strict=True)
        for place, (name, known_words, counts) in enumerate(columns):
            texts = np.asarray(raw["categories"], object)[:, place].tolist()
            found.append(moves.words_moved(name, texts, known_words, counts))
        return found

    def legible(self, raw: Raw, settings: Settings) -> Mapping[str, NDArray[Any]]:
        """Each column as it was read; dates as days."""
        held = [kind for kind in ("numbers", "categories", "days") if kind in raw]
        return {name: np.asarray(raw[kind])[:, place] for kind in held for place, name in enumerate(settings[kind])}

    def plain(self, raw: Raw, settings: Settings) -> NDArray[np.float64]:
        """[rows, N + D + C]: numbers, days, and codes of the categories by frequency; nan is missing.

        What is beyond `HUGE` is `HUGE`, so that squares and means are numbers.
        """
        rows = len(next(iter(raw.values())))
        found = [np.clip(np.asarray(raw[name], np.float64), -HUGE, HUGE) for name in ("numbers", "days") if name in raw]
        if "categories" in raw:
            codes = words.encode(np.asarray(raw["categories"], object), settings["words"]).astype(np.float64)
            found.append(np.where(codes == words.MISSING, np.nan, codes))
        return np.concatenate(found, 1) if found else np.zeros((rows, 0))


def _check(columns: Columns, settings: Settings) -> None:
    wanted = [name for kind in ("numbers", "categories", "days") for name in settings[kind]]
    for name in wanted:
        if name not in columns:
            raise unknown("column", name, columns, "the data")
    lengths = {name: len(columns[name]) for name in wanted}
    if len(set(lengths.values())) > 1:
        raise DataError(f"The columns of a table must be of one length, and these are: {lengths}.")


def _values(columns: Columns, settings: Settings) -> list[NDArray[np.float64]]:
    """Number columns, then date columns, as float64."""
    known = settings.get("edges") or [()] * len(settings["numbers"])
    found = [answers.numbers(columns[name], edges)[0] for name, edges in zip(settings["numbers"], known, strict=True)]
    return found + [cells.days(columns[name])[0] for name in settings["days"]]


def _counted(texts: NDArray[np.object_]) -> Counter[str]:
    """How often each text is there; yes and no in one way each."""
    return Counter(answers.written(texts, answers.usual(texts)).tolist())


def _words(counter: Counter[str]) -> list[str]:
    often = [(-count, text) for text, count in counter.items() if text and count >= FEWEST]
    return [text for _, text in sorted(often)[:MOST_WORDS]]


def _counts(counter: Counter[str], known: Sequence[str]) -> list[int]:
    """How often code 0 (missing), 1 (unseen), 2.. (words) occurred."""
    listed = [counter[word] for word in known]
    return [counter[""], counter.total() - counter[""] - sum(listed), *listed]


def _bins(edges: Sequence[Sequence[float]]) -> int:
    return max([1, *(len(column) - 1 for column in edges)])


def _stacked(means: Sequence[Sequence[float]], bins_: int) -> NDArray[np.float32]:
    """Mean encodings [columns, bins + 1]; columns of fewer bins have zeros before the last place."""
    stacked = np.zeros((len(means), bins_ + 1), np.float32)
    for row, found in enumerate(means):
        stacked[row, : len(found) - 1] = found[:-1]
        stacked[row, -1] = found[-1]
    return stacked


def _typo(text: str, rng: np.random.Generator) -> str:
    """Two neighbouring letters change places; a word of one letter is doubled."""
    if len(text) < 2:
        return text * 2
    at = int(rng.integers(len(text) - 1))
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
