"""Texts that are not of their sound, told by the words that were heard in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from learnt.artifact.evidence import keep_written, kept_written
from learnt.contracts import Evidence, Tools, Verdicts, Written
from learnt.errors import RequestError
from learnt.stats import wrong_texts
from learnt.stats.metrics import average_precision
from learnt.stats.wrong_texts import Words
from learnt.trust.label_errors import LabelErrors

N = 500
BY_CHANCE = 0.15
"""How often a word of another sound's text is what was heard."""


def heard(seed: int = 0, right: float = 0.9, exchanged: float = 0.0, stray: float = 0.0):
    """Words of `N` sounds held against their texts and against those of others; which texts are not theirs, and which
    have a wrong word. Who hears is less sure than he could be."""
    random = np.random.default_rng(seed)
    wrong, one = random.random(N) < exchanged, np.zeros(N, bool)
    example = np.repeat(np.arange(N), random.integers(3, 10, N))
    odds = random.normal(np.log(right / (1 - right)), 2.0, len(example))
    chance = 1 / (1 + np.exp(-odds))
    meant, slips = random.random(len(example)) < chance, random.random(len(example)) < stray
    by_chance = random.random((2, len(example))) < BY_CHANCE
    np.logical_or.at(one, example, slips & ~wrong[example])
    sure = 1 / (1 + np.exp(-0.7 * odds))
    own = Words(example, sure, np.where(wrong[example], by_chance[0], meant & ~slips), N)
    more = np.repeat(np.arange(N), random.integers(0, 3, N))
    others = Words(
        np.concatenate([example, more]), np.concatenate([sure, np.full(len(more), np.nan)]),
        np.concatenate([by_chance[1], np.zeros(len(more), bool)]), N,
    )  # fmt: skip
    return own, others, wrong, one


@pytest.mark.parametrize("right", [0.98, 0.9, 0.7])
def test_exchanged_texts_are_the_likeliest_to_be_wrong_and_are_counted(right):
    own, others, wrong, _ = heard(right=right, exchanged=0.1)
    found = wrong_texts.fit(own, others)
    assert average_precision(wrong, found.wrong(own)) > 0.9
    assert found.exchanged == pytest.approx(wrong.mean(), abs=0.02)
    assert found.stray < 0.01


def test_single_wrong_words_are_told_from_misheard_ones():
    own, others, _, one = heard(stray=0.02)
    found = wrong_texts.fit(own, others)
    assert average_precision(one, found.wrong(own)) > 3 * one.mean()
    assert found.stray == pytest.approx(0.02, abs=0.01)
    assert found.exchanged < 0.01


@pytest.mark.parametrize("right", [0.95, 0.7])
def test_of_right_texts_hardly_one_is_doubted_however_often_words_are_misheard(right):
    own, others, *_ = heard(right=right)
    assert wrong_texts.fit(own, others).wrong(own).mean() < 0.05


def test_every_example_gets_the_text_of_another_one():
    texts = [f"text {number}" for number in range(40)] + ["same"] * 40
    found = wrong_texts.exchanged(texts)
    assert sorted(found.tolist()) == list(range(80))
    assert all(texts[one] != texts[other] for one, other in enumerate(found.tolist()))


def written(own: Words, others: Words) -> Written:
    return Written(of(own), of(others), [(f"text {row}", f"heard {row}") for row in range(N)])


def of(words: Words) -> Evidence:
    codes, unknown = np.full(len(words.example), -1), np.full(len(words.example), np.nan)
    verdicts = Verdicts(words.example, words.sure, words.right.astype(float), codes, codes, unknown, unknown, unknown)
    return Evidence(
        ids=[str(row) for row in range(N)], verdicts=verdicts, probability=None, vector=np.zeros((N, 1), np.float32),
        unfamiliar=np.zeros(N), groups={}, source="sisters",
    )  # fmt: skip


def asked(own: Words, others: Words):
    (finding,) = LabelErrors().ask(of(own), Tools(written=lambda: written(own, others)))
    return finding


def test_wrong_texts_are_listed_with_what_was_heard():
    own, others, wrong, _ = heard(exchanged=0.1)
    finding = asked(own, others)
    assert finding.grade == "bad"
    assert "of the texts look wrong" in finding.sentence
    assert "exchanged on purpose it doubted" in finding.sentence
    listed = [int(row["id"]) for row in finding.rows if row["listed"] == "yes"]
    assert wrong[listed].mean() > 0.9
    first = finding.rows[0]
    assert (first["given"], first["suggested"]) == (f"text {first['id']}", f"heard {first['id']}")
    assert "words are not as they were heard" in first["reason"]


def test_right_texts_are_fine():
    own, others, *_ = heard(right=0.97)
    finding = asked(own, others)
    assert finding.grade == "fine"
    assert sum(row["listed"] == "yes" for row in finding.rows) < 0.01 * N


def test_where_nothing_is_heard_it_cannot_tell():
    _, others, *_ = heard()
    finding = asked(others, others)
    assert finding.grade == "cannot tell"
    assert not finding.rows
    assert "longer --budget" in finding.act


def test_what_was_written_down_is_kept_with_its_texts_or_said_to_be_torn(tmp_path: Path):
    own, others, *_ = heard(exchanged=0.1)
    one = written(own, others)
    assert kept_written(tmp_path) == {}
    keep_written({"text": one}, tmp_path)
    again = kept_written(tmp_path)["text"]
    assert list(again.texts) == list(one.texts)
    (before,), (after,) = (LabelErrors().ask(each.own, Tools(written=lambda each=each: each)) for each in (one, again))
    assert after.rows == before.rows
    (tmp_path / "texts.json").write_text('{"text": [["one"]]}')
    with pytest.raises(RequestError, match="is not whole"):
        kept_written(tmp_path)
