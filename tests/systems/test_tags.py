"""Snips as it lies: its folders read whole, and a short training that already finds most slots."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import learnt
from learnt.codecs import spans, subwords
from learnt.data import sources
from learnt.tasks.tag import Tag

ROOT = Path(__file__).parents[2]
SNIPS = Path(os.environ.get("LEARNT_DATA", ROOT.parent / "shared" / "data")) / "snips"
pytestmark = [pytest.mark.systems, pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")]


def test_the_folders_are_read_whole() -> None:
    held = sources.opened(SNIPS)
    texts, slots, intents = (held.columns[name] for name in ("text", "slots", "intent"))
    assert (len(texts), held.tested, len(set(intents))) == (14_484, 700, 7)
    assert any("not UTF-8" in note for note in held.notes)
    labels = Tag().learn(slots)
    assert len(labels["labels"]) == 39
    inside = 0
    for text, one in zip(texts, slots, strict=True):
        ends = subwords.ends(text)
        for start, end, _ in spans.composed(text, spans.read(one)):
            assert text[start:end].strip()
            inside += start not in ends or end not in ends
    assert inside < 0.01 * sum(map(len, slots))


def test_a_short_training_finds_most_slots(tmp_path: Path) -> None:
    held = sources.opened(SNIPS)
    rows = [{name: column[row] for name, column in held.columns.items()} for row in range(0, 14_484, 6)]
    path = tmp_path / "snips.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    run = learnt.train(path, target=["intent", "slots"], out=tmp_path / "run", budget="40s", ask="calibration")
    assert run.metrics["intent"]["accuracy"]["value"] > 0.95
    assert run.metrics["slots"]["span_f1"]["value"] > run.document["baseline"]["metrics"]["slots"]["span_f1"] - 0.02
