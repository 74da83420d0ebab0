"""What is said is told as soon as it is heard, what may still change apart from what stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnt import live
from learnt.contracts import Following, Part

WORDS = (("one", 1.0, 1.4), ("two", 1.5, 1.9), ("three", 4.0, 4.5))
RATE = 100


class Clerk:
    """Hears each word half a second before it is sure of it, and first mishears `two`."""

    rate = RATE

    def __init__(self) -> None:
        self.seconds, self._settled = 0.0, 0

    def __call__(self, samples: np.ndarray, ended: bool = False) -> Following:
        self.seconds += len(samples) / RATE
        parts = [Part(word, 0.9, (start, end)) for word, start, end in WORDS if end <= self.seconds + 1e-9]
        count = sum(ended or part.where[1] + 0.5 <= self.seconds + 1e-9 for part in parts)
        open_ = [
            Part("too", 0.5, part.where) if part.value == "two" and self.seconds < 2.05 else part
            for part in parts[count:]
        ]
        found = Following(tuple(parts[self._settled : count]), tuple(open_))
        self._settled = count
        return found


def rows(seconds: float = 6.0, block: float = 0.1) -> list[dict[str, Any]]:
    size = round(block * RATE)
    blocks = [np.zeros(size, np.float32)] * round(seconds / block)
    return list(live.dictated(Clerk(), blocks))  # type: ignore[arg-type]


def test_what_stays_and_what_may_change_stand_apart() -> None:
    partial = [(row["time"], row["stable"], row["unstable"]) for row in rows() if "stable" in row]
    assert partial == [
        (1.4, "", "one"),
        (1.9, "one", "too"),
        (2.1, "one", "two"),
        (2.4, "one two", ""),
        (4.5, "", "three"),
        (5.0, "three", ""),
    ]


def test_after_a_pause_and_at_the_end_the_words_are_final() -> None:
    final = [row for row in rows(5.2) if "text" in row]
    assert [(row["time"], row["text"]) for row in final] == [(pytest.approx(2.8, abs=0.11), "one two"), (5.2, "three")]
    assert final[1]["words"] == [{"text": "three", "start": 4.0, "end": 4.5, "confidence": 0.9}]


def test_the_last_line_says_how_long_it_took() -> None:
    last = rows()[-1]
    assert set(last) == {"seconds", "real_time_factor", "delay"}
    assert last["seconds"] == 6.0
    assert 0 <= last["real_time_factor"] < 0.5
    assert last["delay"]["shown"] == [pytest.approx(0, abs=0.05), pytest.approx(0.18, abs=0.08)]
    assert last["delay"]["stable"] == [pytest.approx(0.5, abs=0.05)] * 2


def test_the_whole_at_once_has_the_same_words() -> None:
    whole = rows(block=6.0)
    assert [row["text"] for row in whole if "text" in row] == ["one two three"]


def test_of_silence_nothing_is_said() -> None:
    (last,) = rows(0.5)
    assert last["delay"] == {"shown": None, "stable": None}
