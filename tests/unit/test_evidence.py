from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from learnt.artifact.evidence import keep, kept
from learnt.contracts import Evidence, Tools
from learnt.errors import RequestError
from learnt.trust.shift import Shift
from small.evidence import classified, drawn, numbers


def test_measures_of_atoms_are_taken_and_kept_with_their_atoms(tmp_path):
    plain = numbers(np.ones(6), np.ones(6), atoms=2)
    measures = {"time": np.arange(6.0), "curve": np.arange(12.0).reshape(6, 2)}
    evidence = replace(plain, verdicts=replace(plain.verdicts, measures=measures))
    taken = evidence.take(np.array([2, 0, 2]))
    assert taken.verdicts.measures["time"].tolist() == [4, 5, 0, 1, 4, 5]
    assert taken.verdicts.measures["curve"][0].tolist() == [8, 9]
    keep({"": evidence}, tmp_path / "kept")
    kept = np.load(tmp_path / "kept" / "0.npz")
    assert kept["measures.curve"].tolist() == measures["curve"].tolist()
    assert "weight" not in kept
    assert json.loads((tmp_path / "kept" / "0.json").read_text())["source"] == "file"


def test_neighbours_stay_with_their_examples():
    probability, truth = drawn(6, 3, seed=0)
    evidence = classified(probability, truth, neighbours=probability[::-1])
    assert np.array_equal(evidence.take(np.array([4, 1])).neighbours, probability[::-1][[4, 1]])
    parts = [evidence.take(np.array([1])), evidence.take(np.array([0, 5]))]
    assert np.array_equal(Evidence.joined(parts).neighbours, probability[::-1][[1, 0, 5]])
    assert Evidence.joined([parts[0], replace(parts[1], neighbours=None)]).neighbours is None


def test_kept_evidence_of_rows_that_recur_is_as_little_moved_as_before(tmp_path):
    rng = np.random.default_rng(0)
    known = np.round(rng.random(2000) ** 2, 1)
    usual = np.quantile(known, np.linspace(0, 1, 257)[1:], method="inverted_cdf")
    evidence = numbers(np.ones(200), np.ones(200), calibrated_on=2000, usual=tuple(usual.tolist()))

    def asked(score):
        keep({"": replace(evidence, unfamiliar=score)}, tmp_path / "kept")
        (finding,) = Shift().ask(kept(tmp_path / "kept")[""], Tools())
        return finding.grade

    assert asked(known[:200]) == "fine"
    assert asked(np.minimum(known[:200] + 0.3, 1)) != "fine"


@pytest.mark.parametrize(
    ("name", "content"),
    [("0.npz", b""), ("0.npz", b"PK\x03\x04"), ("0.npz", b"junk"), ("0.json", b"{"), ("0.json", b"[]"),
     ("0.json", b"[" * 100_000), ("0.json", b'{"target": "a", "groups": []}'), ("1.json", b"{}")],
)  # fmt: skip
def test_kept_evidence_that_is_damaged_is_refused(tmp_path, name, content):
    keep({"": numbers(np.ones(6), np.ones(6))}, tmp_path)
    assert kept(tmp_path)[""].ids == [f"e{place}" for place in range(6)]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RequestError, match="is not whole, or of an older version"):
        kept(tmp_path)
