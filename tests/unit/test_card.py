from __future__ import annotations

from typing import Any

from learnt import registry
from learnt.artifact.card import chosen, show
from learnt.artifact.model_card import model_card
from learnt.train.manifest import inside
from small import file


def test_a_card_says_what_must_be_known() -> None:
    card = show(file.manifest())
    for line in (
        "Predicts colour (which): blue, red",
        "table (duo): left, right, sort",
        "note (alphabet, may be absent)",
        "n = 400",
        "0.85 to 0.94",
        "Probabilities and sets were chosen on 120 further examples, for a coverage of 90%",
        "Limit: knows two colours",
        "Of that data it holds: the words more, less",
        "Learnt from 1,000 examples",
        'learnt.load(MODEL).predict({"left": ..., "right": ..., "sort": ..., ...})',
    ):
        assert line in card


def test_a_card_is_never_long() -> None:
    described = file.manifest()
    target = {"task": "which", "settings": {"labels": ["label number"] * 300}}
    figure = {"value": 1.0, "low": 0.0, "high": 1.0, "n": 3, "source": "sisters"}
    described |= {
        "targets": {f"target {place}": target for place in range(50)},
        "inputs": {
            f"input {place}": {**described["inputs"]["table"], "columns": ["a long column"] * 200}
            for place in range(50)
        },
        "measured": {f"target {place}": {f"metric {k}": figure for k in range(30)} for place in range(50)},
        "limits": ["a limit of many words " * 30] * 50,
        "use": "word " * 500,
        "inside": "word " * 500,
        "licence": "word " * 500,
        "versions": {f"package {place}": "1" for place in range(50)},
    }
    lines = show(described).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 110


def test_what_of_the_data_a_file_holds_is_never_cut_within_a_sentence() -> None:
    def lines(said: str) -> str:
        card = " ".join(show(file.manifest() | {"inside": said}).split())
        return card[card.index("Of that data it holds: ") + 23 : card.index(" Licence:")]

    table, every = inside([], ["table"]), inside([], registry.names("modalities"))
    assert lines(table) == table
    assert lines(every).endswith(". More: learnt show MODEL --json")
    assert lines(every).removesuffix(" More: learnt show MODEL --json") in every
    assert len(lines(every)) > 300


def test_a_thin_manifest_has_a_card() -> None:
    thin: dict[str, Any] = {name: file.manifest()[name] for name in ("format", "inputs", "targets")}
    assert "Measured: nothing" in show({**thin, "coverage": None, "calibrated_on": 0})


def test_a_card_writes_no_control_characters() -> None:
    assert "\x1b" not in show(file.manifest() | {"use": "\x1b[31mred", "licence": "\x1b]0;title\x07"})


def test_only_what_a_target_has_was_chosen() -> None:
    number, event = (
        {"task": "regress", "settings": {"near": 2.0}},
        {"task": "survival", "settings": {"codes": {"1": 0}}},
    )
    both = file.manifest() | {"targets": {"years": event, "pay": number}}
    assert chosen(both) == "Probabilities and ranges were chosen on 120 further examples, for a coverage of 90%."
    alone = both | {"targets": {"years": event}}
    assert chosen(alone) == "Probabilities were chosen on 120 further examples."


def test_without_sets_no_coverage_is_claimed() -> None:
    few = file.manifest() | {"coverage": None, "calibrated_on": 15}
    for card in (show(few), model_card(few, "few")):
        assert "coverage of" not in card
        assert "Sets and ranges are not given" in card


def test_a_file_that_listens_says_how_sure_it_must_be() -> None:
    heard = {"least": 0.975, "hours": 2.0, "alarms": 1, "said": 200, "told": 188, "window": 0.9, "hop": 0.11}
    card = " ".join(show(file.manifest() | {"listening": heard}).split())
    assert "tells what is at least 0.975 likely" in card
    assert "188 of 200 said, and 0.013 to 2.8 false alarms an hour" in card
    assert "Listens" not in show(file.manifest())


def test_every_target_has_figures_and_says_what_a_right_answer_is() -> None:
    two = file.manifest(targets=("colour", "count"))
    figure = {"value": 1.0, "low": 0.0, "high": 1.0, "n": 3, "source": "file"}
    two["measured"] = {target: {f"metric {k}": figure for k in range(9)} for target in two["targets"]}
    two["targets"]["count"]["right"] = "it is off by one at most"
    assert "Right means" not in show(two)
    two["measured"]["count"] = {"acceptable": figure, **two["measured"]["count"]}
    card = show(two)
    assert all(f"{target}.metric {k}" in card for target in ("colour", "count") for k in range(2))
    assert "... 19 figures in all" in card
    assert "Right means, of count: it is off by one at most." in card
