"""What every modality keeps: its specs, the shapes it gives, and parts that agree inside and outside."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from learnt import recipes
from learnt.contracts import Shape
from learnt.errors import RequestError

WIDTH = 24


def features(case, raw, rows, encoder, keep=None):
    """Every feature of these rows as arrays: the vectors, the sequences up to their length, the grids."""
    with torch.no_grad():
        x = case.kind.prepare(case.settings).eval()(case.batch(raw, rows))
        if keep is not None:
            x = case.kind.occlude(case.settings).eval()(x, keep)
        found, _ = encoder(x, encoder.start(len(rows)))
    return found


def of_row(found, row):
    """The features of one row, padding taken off."""
    parts = []
    if Shape.VECTOR in found:
        parts.append(found[Shape.VECTOR][row].numpy())
    if Shape.SEQUENCE in found:
        parts.append(found[Shape.SEQUENCE][row][found["mask"][row]].numpy())
    for level in found.get(Shape.GRID, ()):
        parts.append(level[row].numpy())
    return parts


def same(one, other, off=1e-5):
    return all(a.shape == b.shape and np.allclose(a, b, atol=off, rtol=1e-4) for a, b in zip(one, other, strict=True))


def parts_of(case):
    return len(case.kind.parts(case.raw, case.settings)[0])


def even_rows(case, most=6):
    """Rows which one call of the file takes together."""
    from learnt.codecs import ragged

    return max(ragged.by_size(case.raw, case.specs, np.arange(len(next(iter(case.raw.values()))))), key=len)[:most]


@pytest.fixture
def encoder(case):
    torch.manual_seed(3)
    return case.kind.encoder(case.settings, WIDTH, False).eval()


def test_settings_are_json_and_nothing_else(case):
    assert json.loads(json.dumps(case.settings)) == case.settings


def test_settings_that_went_through_json_read_the_same(case):
    again = case.kind.read(case.columns, json.loads(json.dumps(case.settings)))
    for name, arrays in case.raw.items():
        assert all(
            np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(arrays, again[name], strict=True)
        )


@pytest.mark.parametrize("made", ["read", "sample"])
def test_raw_tensors_keep_the_stated_specs(case, made):
    raw = case.raw if made == "read" else case.kind.sample(case.settings, 5, 1)
    assert set(raw) == set(case.specs)
    for name, spec in case.specs.items():
        assert len(raw[name]) == (5 if made == "sample" else len(next(iter(case.columns.values()))))
        for example in raw[name]:
            array = np.asarray(example)
            assert array.ndim == len(spec.axes)
            assert all(a == b for a, b in zip(array.shape, spec.axes, strict=True) if isinstance(b, int))
            assert array.dtype.kind in "OUT" if spec.dtype == "string" else array.dtype == spec.dtype


def test_a_sample_is_a_function_of_its_seed(case):
    first, again, other = (case.kind.sample(case.settings, 5, seed) for seed in (1, 1, 2))

    def flat(raw):
        return [np.asarray(example).tolist() for arrays in raw.values() for example in arrays]

    assert repr(flat(first)) == repr(flat(again))
    assert repr(flat(first)) != repr(flat(other))


def test_the_encoder_gives_the_stated_shapes(case, encoder):
    rows = even_rows(case)
    found = features(case, case.raw, rows, encoder)
    assert {shape for shape in Shape if shape in found} == set(case.kind.gives) == set(encoder.widths)
    if Shape.VECTOR in found:
        assert found[Shape.VECTOR].shape == (len(rows), encoder.widths[Shape.VECTOR])
    if Shape.SEQUENCE in found:
        assert found["mask"].dtype == torch.bool
        assert found[Shape.SEQUENCE].shape == (*found["mask"].shape, encoder.widths[Shape.SEQUENCE])
    sizes = [level.shape[2] for level in found.get(Shape.GRID, ())]
    assert sizes == sorted(sizes, reverse=True)
    assert all(level.shape[:2] == (len(rows), encoder.widths[Shape.GRID]) for level in found.get(Shape.GRID, ()))


@pytest.mark.parametrize("seed", [0, 2, 3])
def test_another_batch_and_size_work(case, encoder, seed):
    raw = case.kind.sample(case.settings, seed + 1, seed)
    found = features(case, raw, np.arange(1), encoder)
    assert all(np.isfinite(part).all() for part in of_row(found, 0))


def test_an_example_does_not_see_its_neighbours_nor_the_padding(case, encoder):
    rows = even_rows(case)
    together = features(case, case.raw, rows, encoder)
    for place, row in enumerate(rows):
        alone = features(case, case.raw, np.array([row]), encoder)
        assert same(of_row(together, place), of_row(alone, 0))


def test_examples_differ(case, encoder):
    rows = even_rows(case)
    found = features(case, case.raw, rows, encoder)
    assert not same(of_row(found, 0)[:1], of_row(found, 1)[:1])


def test_keeping_all_parts_changes_nothing(case, encoder):
    rows = even_rows(case)
    keep = torch.ones(len(rows), parts_of(case), dtype=torch.bool)
    bare, kept = (features(case, case.raw, rows, encoder, k) for k in (None, keep))
    assert all(same(of_row(bare, row), of_row(kept, row), 1e-6) for row in range(len(rows)))


def test_keeping_no_part_leaves_no_information(case, encoder):
    raw = case.kind.sample(case.settings, 4, 4)
    keep = torch.zeros(4, parts_of(case), dtype=torch.bool)
    found = features(case, raw, np.arange(4), encoder, keep)
    sizes = [[np.shape(arrays[row]) for arrays in raw.values()] for row in range(4)]
    alike = [row for row in range(4) if sizes[row] == sizes[0]]
    assert len(alike) > 1
    assert all(same(of_row(found, 0), of_row(found, row)) for row in alike)


def test_each_part_is_hidden_for_itself(case, encoder):
    raw, count = case.kind.sample(case.settings, 1, 4), parts_of(case)
    rows = np.zeros(count, np.int64)
    hidden = features(case, raw, rows, encoder, ~torch.eye(count, dtype=torch.bool))
    whole = features(case, raw, rows, encoder)
    changed = [not same(of_row(hidden, part), of_row(whole, part), 1e-7) for part in range(count)]
    assert np.mean(changed) > 0.5


def test_every_example_has_the_same_number_of_named_parts(case):
    pieces = case.kind.parts(case.raw, case.settings)
    assert len(pieces) == len(next(iter(case.raw.values())))
    assert {len(row) for row in pieces} == {parts_of(case)}
    assert all(row[0].name for row in pieces)


def test_hiding_outside_keeps_shapes_and_touches_only_what_is_hidden_inside(case, encoder):
    rows, count = even_rows(case), parts_of(case)
    mask = np.zeros((len(case.raw[next(iter(case.raw))]), count), bool)
    mask[rows, np.arange(len(rows)) % count] = True
    hidden = case.kind.hide(case.raw, mask, case.settings)
    for name, arrays in case.raw.items():
        assert [np.shape(e) for e in arrays] == [np.shape(e) for e in hidden[name]]
        assert {np.asarray(e).dtype for e in arrays} == {np.asarray(e).dtype for e in hidden[name]}
    keep = torch.from_numpy(~mask[rows])
    outside, inside = (features(case, raw, rows, encoder, keep) for raw in (hidden, case.raw))
    assert all(same(of_row(outside, row), of_row(inside, row)) for row in range(len(rows)))


def test_hiding_all_parts_outside_leaves_no_information(case, encoder):
    raw = case.kind.sample(case.settings, 4, 4)
    hidden = case.kind.hide(raw, np.ones((4, parts_of(case)), bool), case.settings)
    found = features(case, hidden, np.arange(4), encoder)
    sizes = [[np.shape(arrays[row]) for arrays in raw.values()] for row in range(4)]
    alike = [row for row in range(4) if sizes[row] == sizes[0]]
    assert len(alike) > 1
    assert all(same(of_row(found, 0), of_row(found, row)) for row in alike)


def test_hiding_nothing_changes_nothing(case):
    mask = np.zeros((len(case.raw[next(iter(case.raw))]), parts_of(case)), bool)
    hidden = case.kind.hide(case.raw, mask, case.settings)
    for name, arrays in case.raw.items():
        assert repr([np.asarray(e).tolist() for e in arrays]) == repr([np.asarray(e).tolist() for e in hidden[name]])


def test_stress_damages_and_keeps_the_specs(case):
    def flat(raw):
        return repr([np.asarray(example).tolist() for arrays in raw.values() for example in arrays])

    assert case.kind.stresses
    damaged = [case.kind.stress(case.raw, kind, 5, case.settings) for kind in case.kind.stresses]
    assert any(flat(raw) != flat(case.raw) for raw in damaged)
    with pytest.raises(RequestError):
        case.kind.stress(case.raw, "no such kind", 1, case.settings)
    for raw in damaged:
        for name, arrays in case.raw.items():
            assert {np.asarray(e).dtype.kind for e in arrays} == {np.asarray(e).dtype.kind for e in raw[name]}


def test_plain_features_are_one_row_an_example(case):
    plain = case.kind.plain(case.raw, case.settings)
    assert plain.dtype == np.float64
    assert plain.shape[0] == len(case.raw[next(iter(case.raw))])
    assert not np.isinf(plain).any()


def test_augmenting_keeps_the_tensors(case):
    augment = case.kind.augment(case.settings)
    if augment is None:
        return
    batch = case.batch(case.raw, even_rows(case))
    changed = augment(dict(batch))
    assert {n: (t.dtype, t.shape[0]) for n, t in changed.items()} == {
        n: (t.dtype, t.shape[0]) for n, t in batch.items()
    }


def test_what_it_suggests_are_known_sizes(case):
    assert set(case.kind.suggest(1000)) <= set(recipes.SIZES)


def test_a_causal_encoder_says_the_same_in_one_call_and_in_two(case):
    """An encoder with state: what comes later changes nothing before it, and the state carries what was."""
    torch.manual_seed(3)
    encoder = case.kind.encoder(case.settings, WIDTH, True).eval()
    if not encoder.start(1):
        return
    raw = case.kind.sample(case.settings, 2, 4)
    (name,) = [n for n, spec in case.specs.items() if "T" in spec.axes]
    whole = features(case, raw, np.arange(2), encoder)[Shape.SEQUENCE]
    state, said = encoder.start(2), []
    prepare = case.kind.prepare(case.settings).eval()
    for chunk in (slice(0, 5), slice(5, 6), slice(6, None)):
        with torch.no_grad():
            x = prepare(case.batch({name: [e[chunk] for e in raw[name]]}, np.arange(2)))
            found, state = encoder(x, state)
        said.append(found[Shape.SEQUENCE])
    assert torch.allclose(torch.cat(said, 1), whole, atol=1e-5)
