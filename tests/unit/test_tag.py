"""Parts of a text as a target: legal sequences, figures worked out by hand, and a file that finds them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from learnt.codecs import spans
from learnt.contracts import Column, Evidence
from learnt.data import roles
from learnt.nets import tags as net
from learnt.stats import tagging
from learnt.tasks.tag import Tag

PLACES = np.array([[[0, 2, 0], [3, 5, 0], [5, 7, 1], [8, 9, 0]]])


def legal(tags, joined):
    """By the definition, place by place."""
    for place, tag in enumerate(tags):
        last = tags[place - 1] if place else 0
        if tag > 0 and tag % 2 == 0 and last not in (tag, tag - 1):
            return False
        if joined[place] and not (tag % 2 == 0 and (tag > 0 or last == 0)):
            return False
    return True


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_spans_and_their_probability_are_those_of_all_legal_sequences(seed, whole):
    random = np.random.default_rng(seed)
    probability = random.dirichlet(np.full(5, 0.4), (1, 4))
    joined = (PLACES[0, :, 2] > 0) & whole
    ways = {
        way: float(np.prod(probability[0, np.arange(4), way]))
        for way in product(range(5), repeat=4)
        if legal(way, joined)
    }
    best = max(ways, key=ways.__getitem__)
    (found,) = tagging.decode(probability, PLACES, whole)
    said = spans.encode([[(first, last + 1, str(code)) for first, last, code, _ in found]], ["0", "1"])[0]
    places = np.stack([np.arange(4), np.arange(1, 5)], 1)
    assert tuple(spans.tags(places, said).tolist()) == best
    for first, last, code, sure in found:
        inside = [1 + 2 * code, *[2 + 2 * code] * (last - first)]
        holds = [
            p for way, p in ways.items()
            if list(way[first : last + 1]) == inside and (last == 3 or way[last + 1] != 2 + 2 * code)
        ]  # fmt: skip
        assert sure == pytest.approx(sum(holds) / sum(ways.values()))


def test_places_without_characters_change_nothing():
    random = np.random.default_rng(3)
    probability = random.dirichlet(np.full(5, 0.4), (1, 4))
    wider = np.insert(probability, [2, 4], random.dirichlet(np.ones(5), 2), 1)
    where = np.insert(PLACES, [2, 4], [5, 5, 0], 1)
    (plain,), (found,) = tagging.decode(probability, PLACES, True), tagging.decode(wider, where, True)
    assert [(code, pytest.approx(sure)) for *_, code, sure in plain] == [(code, sure) for *_, code, sure in found]


def test_the_network_is_told_the_same_tags_as_the_codec_says():
    truth = spans.encode([[(3, 7, "b"), (8, 9, "a")], [(0, 5, "a")]], ["a", "b"])
    where = np.concatenate([PLACES, PLACES])
    where[1, 3] = 0
    told = net.told(torch.from_numpy(where), torch.from_numpy(truth)).tolist()
    assert told == [spans.tags(where[row], truth[row]).tolist() for row in range(2)] == [[0, 3, 4, 1], [1, 2, 0, -1]]


def predicted(settings, rows):
    """Predictions that say these spans, each with confidence .5."""
    from learnt.contracts import Part, Prediction

    return [
        Prediction([list(span) for span in one], 0.5, "", parts=tuple(Part(span[2], 0.5) for span in one))
        for one in rows
    ]


def judged(said, truth):
    settings = {"labels": ["artist", "city"], "whole": True}
    verdicts = Tag().judge(predicted(settings, said), truth, settings)
    evidence = Evidence(
        [str(row) for row in range(len(truth))],
        verdicts,
        None,
        np.zeros((len(truth), 1)),
        np.zeros(len(truth)),
        {},
        "file",
    )
    return verdicts, Tag().metrics(evidence, settings)


def test_metrics_are_those_worked_out_by_hand():
    """Said 5 spans, 2 of them right; 4 are there: precision 2/5, recall 2/4, F1 4/9; 2 of 5 sentences are right."""
    truth = [[[0, 5, "artist"]], [[0, 5, "artist"], [9, 13, "city"]], [], [], [[2, 4, "city"]]]
    said = [[[0, 5, "artist"]], [[0, 5, "city"], [9, 13, "city"]], [], [[0, 2, "city"]], [[2, 5, "city"]]]
    verdicts, found = judged(said, truth)
    assert found == pytest.approx(
        {"span_precision": 2 / 5, "span_recall": 2 / 4, "span_f1": 4 / 9, "exact_match": 2 / 5}
    )
    assert np.isnan(verdicts.confidence).sum() == 1
    assert set(verdicts.example.tolist()) == set(range(5))


def test_a_label_never_learnt_counts_as_missed():
    _, found = judged([[]], [[[0, 5, "festival"]]])
    assert found == {"span_precision": 0.0, "span_recall": 0.0, "span_f1": 0.0, "exact_match": 0.0}


def test_columns_of_spans_are_claimed_and_others_are_not():
    task = Tag()
    assert task.claims(Column("slots", [[[0, 2, "a"]], []])) > 0.9
    assert task.claims(Column("slots", ['[[0, 2, "a"]]', "[]"])) > 0.9
    for cells in (["yes", "no"], ["[1, 2]", "[3]"], [["a", "b"], ["c"]], [[], []], ["1.5", "2"]):
        assert task.claims(Column("other", cells)) == 0


def test_the_longest_column_is_the_text_that_parts_are_of_however_short_and_few_its_texts_are():
    said = ["play Nina", "play Adele", "stop"]
    columns = {
        "text": said * 40,
        "kind": ["a", "b", "c"] * 40,
        "slots": [[[5, 9, "artist"]], [[5, 10, "artist"]], []] * 40,
    }
    assert roles.assign(columns, target=["slots"]).inputs["text"] == ("text", ["text"])
    assert roles.assign(columns, target=["kind"], drop=["slots"]).inputs == {"table": ("table", ["text"])}
    named = roles.assign({**columns, "text": [f"play {row}" for row in range(120)]}, target=["slots"])
    assert (named.inputs["text"], named.ids) == (("text", ["text"]), [])


def test_whether_spans_are_of_whole_words_is_learnt():
    task = Tag()
    for text, end, whole in (("Seoul now", 5, True), ("서울에서 만나", 2, False)):
        labels = [[[0, end, "city"]]]
        assert task.located(labels, [text], task.learn(labels))["whole"] is whole


@pytest.mark.parametrize("weight", [None, np.ones(600)])
@pytest.mark.parametrize("sharper", [1.0, 3.0])
def test_confidence_is_calibrated_where_tags_are_too_sure(sharper, weight):
    """Tags drawn from probabilities that are true; said are sharper ones, which calibration takes back."""
    random = np.random.default_rng(4)
    task, settings = Tag(), {"labels": ["city"], "whole": False}
    logits = random.normal(size=(1200, 4, 3)) * 1.5
    logits[:, :, 2] -= 20  # only spans of one place, so that each sequence drawn is legal
    true = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    drawn = (random.random((1200, 4, 1)) > true.cumsum(2)).sum(2)
    where = np.tile(np.stack([2 * np.arange(4), 2 * np.arange(4) + 1, np.zeros(4, int)], 1), (1200, 1, 1))
    cells = [[[2 * place, 2 * place + 1, "city"] for place in np.flatnonzero(one == 1).tolist()] for one in drawn]

    def said(constants, rows):
        merged = {"tags": torch.from_numpy(logits[rows] * sharper), "where": torch.from_numpy(where[rows])}
        held = {name: torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
        outputs = {name: value.numpy() for name, value in net.Tagged()(merged, held).items()}
        return outputs | {"unfamiliar": np.zeros(len(outputs["tags"]))}

    first, second = slice(0, 600), slice(600, 1200)
    targets = dict(task.encode(cells[first], settings)) | ({} if weight is None else {"weight": weight})
    found = task.calibrate(said(task.constants(settings), first), targets, {}, {"coverage": 0.9}, settings)
    off = {}
    for name, constants in (("before", task.constants(settings)), ("after", found)):
        verdicts = task.judge(task.decode(said(constants, second), settings), cells[second], settings)
        known = ~np.isnan(verdicts.confidence) & (verdicts.said >= 0)
        off[name] = abs(float(verdicts.confidence[known].mean() - verdicts.correct[known].mean()))
    assert off["after"] < 0.04
    assert (off["before"] > 0.1) is (sharper > 1)


def test_long_texts_are_decoded_as_short_ones_are(monkeypatch):
    random = np.random.default_rng(5)
    probability, where = random.dirichlet(np.full(5, 0.4), (7, 4)), np.repeat(PLACES, 7, 0)
    together = tagging.decode(probability, where, True)
    monkeypatch.setattr(tagging, "TOGETHER", 1)
    assert tagging.decode(probability, where, True) == together
    assert tagging.decode(probability[:0], where[:0], True) == []
