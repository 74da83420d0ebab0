"""Real sets of texts, English and Korean, read as they lie. No text of them is shown."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest

from learnt.codecs import subwords
from learnt.contracts import Column
from learnt.modalities.table import Table
from learnt.modalities.text import Text

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LEARNT_DATA", ROOT.parent / "shared" / "data"))

pytestmark = pytest.mark.systems


def clinc150() -> list[str]:
    document = json.loads((DATA / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    return [text for text, _ in document["train"]]


def nsmc() -> list[str]:
    return column("nsmc_raw_subset/train.tsv", "document")


def korean_hate() -> list[str]:
    return column("korean_hate_speech/train.tsv", "comments")


def korean_3i4k() -> list[str]:
    lines = (DATA / "korean_3i4k" / "fci_train_val.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("\t", 1)[1] for line in lines if line]


def column(path: str, name: str) -> list[str]:
    with (DATA / path).open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


@pytest.mark.parametrize("texts", [clinc150, nsmc, korean_hate, korean_3i4k])
def test_real_texts_are_told_from_categories_and_read_whole(texts) -> None:
    said = texts()
    one = Column("said", said)
    assert Text().claims(one) > Table().claims(one)
    some = [said[place] for place in np.linspace(0, len(said) - 1, 1000).astype(int)]
    settings = Text().learn({"said": some})
    raw = Text().read({"said": some}, settings)
    known = subwords.Subwords(settings["merges"])
    whole = [known.decode(tokens[:, 0].tolist()) for tokens in raw["tokens"]]
    differ = sum(a != subwords.clean(b) for a, b in zip(whole, some, strict=True))
    assert differ == 0
    for text, pieces in zip(whole, Text().parts(raw, settings), strict=True):
        wrong = [piece for piece in pieces if piece.name and text[slice(*map(int, piece.where))] != piece.name]
        assert not wrong
