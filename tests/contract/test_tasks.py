"""What every task keeps: shapes, a loss that falls towards the truth, and answers judged right."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from learnt.codecs import ragged
from learnt.contracts import Evidence, Pairs, Shape, Unrolls
from learnt.train.loop import member_loss

ROWS, SIZE, LONG = 24, 16, 12


def targets_of(aim, cells):
    """Targets of the loss as tensors; a ragged one ends where the sequence of LONG ends."""
    made = {}
    for name, arrays in aim.kind.encode(cells, aim.settings).items():
        if isinstance(arrays, np.ndarray):
            made[name] = torch.from_numpy(arrays)
            continue
        padded = np.full((len(arrays), LONG, *arrays[0].shape[1:]), -1, arrays[0].dtype)
        for row, array in enumerate(arrays):
            padded[row, LONG - len(array) :] = array
        made[name] = torch.from_numpy(padded)
    return made


def free_features(members):
    """Features that can be learnt themselves: an encoder which knows each example by heart."""
    torch.manual_seed(1)
    return {
        Shape.VECTOR: torch.randn(ROWS, members, SIZE, requires_grad=True),
        Shape.SEQUENCE: torch.randn(ROWS, LONG, SIZE, requires_grad=True),
        Shape.GRID: tuple(torch.randn(ROWS, SIZE, side, side, requires_grad=True) for side in (8, 4)),
        "mask": torch.ones(ROWS, LONG, dtype=torch.bool),
    }


def leaves(features):
    return [features[Shape.VECTOR], features[Shape.SEQUENCE], *features[Shape.GRID]]


def head_of(aim, members):
    head = aim.kind.head(aim.settings, dict.fromkeys(Shape, SIZE), members)
    remember(aim, head, free_features(members), aim.cells)
    return head


def remember(aim, head, features, cells):
    """A head that chooses among candidates knows what it says of them."""
    if isinstance(aim.kind, Pairs):
        rows = [cells.index(candidate) for candidate in aim.kind.candidates(aim.settings)]
        with torch.no_grad():
            head.remember({name: value[rows] for name, value in head(features).items()}, None)


def said(aim, merged, constants=None):
    """What the file would say, as arrays."""
    filled = aim.kind.constants(aim.settings) if constants is None else constants
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in filled.items()}
    with torch.no_grad():
        outputs = aim.kind.deploy(aim.settings)(merged, tensors)
    rows = len(next(iter(outputs.values())))
    return {name: value.numpy() for name, value in outputs.items()} | {"unfamiliar": np.full(rows, 0.5, np.float32)}


def answers(aim, fitted):
    """Predictions of the fitted head; a task that unrolls is fed the truth's features step by step."""
    if not isinstance(aim.kind, Unrolls):
        return aim.kind.decode(said(aim, fitted.merged), aim.settings)
    fed = aim.kind.feed(fitted.cells, aim.settings)
    source = LONG - torch.tensor([len(f) for f in next(iter(fed.values()))])
    steps, active = iter(range(LONG + 1)), np.arange(ROWS)

    def step(arrays):
        nonlocal active
        active = active[arrays.get("rows", np.arange(len(active)))]
        mask = torch.arange(LONG)[None] < (source + next(steps)).clamp(max=LONG)[:, None]
        with torch.no_grad():
            outputs = said(aim, aim.kind.merge(fitted.head({**fitted.features, "mask": mask})))
        return {name: value[active] for name, value in outputs.items()}

    start = {name: np.zeros((ROWS, LONG), np.int64) for name in fed} | {"length": source.numpy()}
    return list(aim.kind.unroll(step, start, aim.settings))


def evidence_of(verdicts):
    return Evidence(
        ids=[str(i) for i in range(ROWS)], verdicts=verdicts, probability=None,
        vector=np.zeros((ROWS, 2), np.float32), unfamiliar=np.full(ROWS, 0.5), groups={}, source="file",
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(aim):
    """A head and features which fit ROWS examples perfectly."""
    cells = aim.cells[:ROWS]
    features, head, targets = free_features(3), head_of(aim, 3), targets_of(aim, cells)
    optimiser = torch.optim.Adam([*leaves(features), *head.parameters()], lr=0.05)
    losses = []
    for _ in range(150):
        optimiser.zero_grad()
        loss = member_loss(aim.kind, head(features), targets).mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    with torch.no_grad():
        remember(aim, head, features, cells)
        outputs = head(features)
        merged = aim.kind.merge(outputs)
    return SimpleNamespace(
        cells=cells, features=features, head=head, targets=targets,
        losses=losses, outputs=outputs, merged=merged,
    )  # fmt: skip


def test_settings_are_json_and_nothing_else(aim):
    assert json.loads(json.dumps(aim.settings)) == aim.settings


def test_every_label_becomes_one_target(aim):
    encoded = aim.kind.encode(aim.cells, json.loads(json.dumps(aim.settings)))
    assert encoded
    assert {len(arrays) for arrays in encoded.values()} == {len(aim.cells)}


def test_what_is_fed_ends_before_the_target_ends(aim):
    """The last thing said is not fed: a sequence and its feed and its target end together."""
    fed, encoded = aim.kind.feed(aim.cells, aim.settings), aim.kind.encode(aim.cells, aim.settings)
    assert bool(fed) <= aim.kind.causal
    for arrays in fed.values():
        for target in encoded.values():
            assert [len(f) < len(t) for f, t in zip(arrays, target, strict=True)] == [True] * len(aim.cells)


@pytest.mark.parametrize("members", [1, 3])
def test_a_head_says_named_outputs_of_each_member(aim, members):
    outputs = head_of(aim, members)(free_features(members))
    assert len(next(iter(outputs.values()))) == ROWS
    count = {tuple(value.shape[:2]) for value in outputs.values() if len(value) > 1}
    assert count in ({(ROWS, members)}, {(ROWS, 1)})
    if aim.kind.needs == {Shape.VECTOR}:
        assert count == {(ROWS, members)}


def test_the_loss_is_one_number_an_example(aim, fitted):
    loss = member_loss(aim.kind, fitted.outputs, fitted.targets)
    assert loss.shape == (ROWS,)
    assert torch.isfinite(loss).all()


def test_the_loss_falls_towards_the_truth(aim, fitted):
    assert fitted.losses[-1] < fitted.losses[0] - 0.2
    assert not any(np.isnan(fitted.losses))


def test_merging_takes_the_members_away_and_keeps_the_units(aim, fitted):
    assert {value.shape[0] for value in fitted.merged.values()} <= {ROWS, 1}
    merged_loss = aim.kind.loss(fitted.merged, fitted.targets)
    assert merged_loss.shape == (ROWS,)
    one = {name: value[:, :1] for name, value in fitted.outputs.items()}
    twice = {name: value[:, :1].expand(-1, 2, *value.shape[2:]) for name, value in fitted.outputs.items()}
    alone = aim.kind.loss({name: value[:, 0] for name, value in one.items()}, fitted.targets)
    for same in (one, twice):
        assert torch.allclose(aim.kind.loss(aim.kind.merge(same), fitted.targets), alone, atol=1e-4)


def test_a_head_can_be_cut_down_to_some_members(aim):
    head, features = head_of(aim, 3), free_features(3)
    before = head(features)
    if next(iter(before.values())).shape[1] == 1:
        return
    head.keep([2, 0])
    features[Shape.VECTOR] = features[Shape.VECTOR][:, [2, 0]]
    for name, value in head(features).items():
        assert torch.allclose(value, before[name][:, [2, 0]], atol=1e-6)


def test_what_the_file_says_has_a_confidence_from_0_to_1(aim, fitted):
    outputs = said(aim, fitted.merged)
    assert outputs["confidence"].shape == (ROWS,)
    assert ((outputs["confidence"] >= 0) & (outputs["confidence"] <= 1)).all()
    assert {len(value) for value in outputs.values()} == {ROWS}


def test_calibrating_fills_the_same_constants(aim, fitted):
    neutral = aim.kind.constants(aim.settings)
    encoded = aim.kind.encode(fitted.cells, aim.settings)
    filled = aim.kind.calibrate(said(aim, fitted.merged), encoded, {}, {"coverage": 0.9}, aim.settings)
    assert set(filled) == set(neutral)
    for name, value in neutral.items():
        assert np.asarray(filled[name]).dtype == np.asarray(value).dtype
        assert np.isfinite(filled[name]).all()
    again = said(aim, fitted.merged, filled)
    assert {n: (v.dtype, v.shape) for n, v in again.items()} == {
        n: (v.dtype, v.shape) for n, v in said(aim, fitted.merged).items()
    }


def test_perfect_outputs_are_judged_right(aim, fitted):
    predictions = answers(aim, fitted)
    assert len(predictions) == ROWS
    verdicts = aim.kind.judge(predictions, fitted.cells, aim.settings)
    weight = np.ones(len(verdicts.correct)) if verdicts.weight is None else verdicts.weight
    assert np.average(verdicts.correct, weights=weight) == 1
    assert set(verdicts.example) == set(range(ROWS))
    assert len({len(getattr(verdicts, n)) for n in ("example", "confidence", "correct", "said", "truth", "given")}) == 1


def test_the_answers_of_others_are_judged_wrong(aim, fitted):
    verdicts = aim.kind.judge(answers(aim, fitted), [*fitted.cells[1:], fitted.cells[0]], aim.settings)
    assert np.average(verdicts.correct, weights=verdicts.weight) < 1


def test_predictions_say_what_decision_and_how_sure(aim, fitted):
    for prediction in answers(aim, fitted):
        assert isinstance(prediction.decision, str)
        assert 0 <= prediction.confidence <= 1
        json.dumps([prediction.value, prediction.plausible, dict(prediction.probability)])


def test_metrics_are_numbers_also_of_resampled_evidence(aim, fitted):
    evidence = evidence_of(aim.kind.judge(answers(aim, fitted), fitted.cells, aim.settings))
    again = evidence.take(np.random.default_rng(0).integers(0, ROWS, ROWS))
    for one in (evidence, again):
        found = aim.kind.metrics(one, aim.settings)
        assert found
        assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("about", [-1, 0])
def test_the_score_can_be_differentiated(aim, about):
    features = free_features(1)
    score = aim.kind.score(aim.kind.merge(head_of(aim, 1)(features)), torch.full((ROWS,), about))
    assert score.shape == (ROWS,)
    gradients = torch.autograd.grad(score.sum(), leaves(features), allow_unused=True)
    assert any(g is not None and g.abs().sum() > 0 for g in gradients)


def test_a_blank_example_is_an_example(aim):
    """What an unrolled task is fed can be padded as the modality pads it."""
    for name, arrays in aim.kind.feed(aim.cells, aim.settings).items():
        from learnt.contracts import Spec

        spec = {name: Spec(str(arrays[0].dtype), ("T",))}
        assert ragged.collate({name: arrays}, spec, np.arange(3))["length"].shape == (3,)
