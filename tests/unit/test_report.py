"""The page, the JSON and the short text that a run leaves behind."""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from learnt import asking, registry, report
from learnt.contracts import Finding
from learnt.errors import MissingExtra, WriteError
from learnt.report import document as document_module
from learnt.report import figures, numbers, pictures
from learnt.report.commands import split_act
from learnt.report.verdict import headline, verdict
from learnt.stats import wording

NAN = math.nan


def metric(value: float, low: float, high: float, n: int) -> dict[str, float]:
    return {"value": value, "low": low, "high": high, "n": n}


GENDERS = [
    {"name": "Male", "value": 0.62, "low": 0.60, "high": 0.64, "n": 10860},
    {"name": "Female", "value": 0.41, "low": 0.37, "high": 0.45, "n": 5421},
]
CURVE = [{"x": x, "y": x, "low": x - 0.05, "high": x + 0.05, "n": 90} for x in (0.55, 0.7, 0.9)]
FINDINGS = [
    Finding("calibration", "When it says 80 %, it is right 79 %.", "fine", 0.02, rows=CURVE, picture="curve"),
    Finding("label_errors", "Nobody asked.", "not examined", act="learnt audit RUN --ask label_errors"),
    Finding(
        *("fairness", "It finds 41 % of the women and 62 % of the men.", "bad", 0.62, 0.21, (0.17, 0.25)),
        n=16281,
        rows=GENDERS,
        picture="bars",
        act="Collect more rows, then: learnt train d.csv --target income --sensitive sex",
    ),
    Finding("unfamiliar", "Too few examples.", "cannot tell", value=NAN),
    Finding("coverage", "The sets are a little small.", "watch", 0.2, 0.88, (0.87, 0.89), n=16281),
]


def document(**changes: Any) -> dict[str, Any]:
    return {
        "model": "my runs/income/model.onnx",
        "report": "my runs/income/report.html",
        "title": "income",
        "task": "classify",
        "target": ["income"],
        "seconds": 201.4,
        "rows": {"fit": 22793, "stop": 3256, "calibrate": 3256, "test": 16281},
        "metrics": {
            "roc_auc": metric(0.9274, 0.9231, 0.9316, 16281),
            "accuracy": metric(0.8712, 0.8661, 0.8763, 16281),
        },
        "metrics_source": "file",
        "baseline": {"name": "HistGradientBoosting", "metrics": {"accuracy": 0.8731, "roc_auc": 0.9283}},
        "nothing": {"name": "always `<=50K`", "metrics": {"accuracy": 0.7638}},
        "findings": report.findings_as_rows(FINDINGS),
        "guesses": [{"sentence": "`income` is a label", "option": "--task regress"}],
        "notes": [],
        "problems": [{"where": "row 12", "why": "no number"}],
        "inputs": {"table": {"modality": "table", "columns": ["age", "sex"]}},
        "labels": {"income": ["<=50K", ">50K"]},
        "file": {"bytes": 1421332, "sha256": "9f" * 32, "members": 8},
        "versions": {"learnt": "0.1.0"},
        "recipe": {"train": {"rate": 0.0003, "batch": 256}},
        "plan": {"steps": 4200},
        **changes,
    }


def hard_documents() -> dict[str, dict[str, Any]]:
    labels = [f"class {i:02d}" for i in range(50)]
    rows = [{"name": label, "value": 0.5, "low": 0.4, "high": 0.6, "n": 20} for label in labels]
    name = "a_very_long_column_name_" * 12
    return {
        "plain": document(),
        "empty": {},
        "audit": {"task": "classify", "metrics": {}, "findings": []},
        "no values": document(
            metrics={"accuracy": metric(NAN, NAN, NAN, 0), "new_metric": None},
            baseline=None,
            nothing=None,
            seconds=None,
            findings=[{"question": "new", "sentence": "", "grade": "?", "rows": [{"name": None}], "picture": "bars"}],
        ),
        "korean": document(title="말의 의도", target=["의도"], labels={"의도": ["날씨 질문", "수사의문문"]}),
        "long names": document(
            target=[name],
            problems=[{"where": name, "why": name}] * 100,
            findings=report.findings_as_rows(
                [Finding("shortcut", f"One column, `{name}`, {name}.", "bad", 0.9, act=f"learnt train {name}")] * 4
            ),
        ),
        "fifty classes, two targets": document(
            target=["kind", "age"],
            labels={"kind": labels},
            metrics={
                "kind": {"accuracy": metric(0.62, 0.59, 0.65, 1000)},
                "age": {"mean_absolute_error": metric(4.31, 4.1, 4.6, 1000)},
            },
            baseline={"name": "boosting", "metrics": {"kind": {"accuracy": 0.66}}},
            nothing=None,
            findings=report.findings_as_rows(
                [
                    Finding("per_label", f"Finding {i}.", "watch", 0.3, rows=rows[i % 3 and 40 :], picture="bars")
                    for i in range(30)
                ]
            ),
        ),
    }


class Page(HTMLParser):
    """Tags with their attributes in order; fails on a tag closed out of turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("dt", "dd", "th", "td"):
            self.text += " "
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data


def words(html: str) -> str:
    return " ".join(Page(html).text.replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize("name", hard_documents())
def test_any_document_becomes_a_whole_page_that_asks_nothing_of_the_network(name: str) -> None:
    html = report.page(hard_documents()[name])
    tags = Page(html).tags
    assert html.lstrip().startswith("<!doctype html>")
    assert not [tag for tag, _ in tags if tag in ("script", "img", "iframe", "object")]
    assert not re.search(r"https?://|@import|url\(", html)
    assert [attributes["href"] for _, attributes in tags if "href" in attributes] == ["data:,"]
    assert len(html.encode()) < (500_000 if "fifty" in name else 60_000)


@pytest.mark.parametrize("name", hard_documents())
def test_any_document_has_a_short_text_for_the_terminal(name: str) -> None:
    lines = report.summary(hard_documents()[name]).splitlines()
    long = [line for line in lines if len(line) > 100 and not line.lstrip().startswith("learnt ")]
    assert lines
    assert len(lines) <= 25
    assert not long


def test_markup_in_the_data_stays_text() -> None:
    evil = "<script>alert(1)</script>"
    finding = Finding("q", f"`{evil}` {evil}", "bad", rows=[{"name": evil, "value": 1.0}], picture="bars", act=evil)
    table = Finding("q", "s", "bad", rows=[{evil: evil}], picture="table", act=f"learnt train {evil} --{evil}")
    html = report.page(
        document(
            title=evil,
            target=[evil],
            labels={evil: [evil]},
            findings=report.findings_as_rows([finding, table]),
            problems=[{"where": evil, "why": evil}],
            guesses=[{"sentence": evil, "option": evil}],
            notes=[evil],
            recipe={evil: evil},
            inputs={evil: {"modality": "text", "columns": [evil]}},
            baseline={"name": evil, "metrics": {"accuracy": 0.5}},
        )
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 15


def test_the_verdict_comes_first_and_says_figure_comparison_and_worst_finding() -> None:
    text = words(report.page(document()))
    verdict_at, figures_at, findings_at = (
        text.index(part) for part in ("Do not rely on it as it is.", "Figures", "Findings, worst first")
    )
    assert verdict_at < figures_at < findings_at
    first = text[verdict_at:figures_at]
    assert "It predicts income right 87.1 % of the time (86.6 to 87.6 %, on 16,281 rows it never saw)." in first
    assert "A well-known method on the same data (HistGradientBoosting) does as well: 87.3 %." in first
    assert "Worst finding: It finds 41 % of the women and 62 % of the men." in first


@pytest.mark.parametrize(
    ("value", "says"),
    [(0.90, "does better: 90.0 %"), (0.80, "does worse: 80.0 %"), (0.87, "does as well: 87.0 %")],
)
def test_the_baseline_is_compared_by_the_interval(value: float, says: str) -> None:
    said = verdict(document(baseline={"name": "boosting", "metrics": {"accuracy": value}}))
    assert says in said.sentences[1]


def test_less_is_better_for_an_error() -> None:
    said = verdict(
        document(
            metrics={"mean_absolute_error": metric(4.3, 4.1, 4.6, 500)},
            baseline={"name": "boosting", "metrics": {"mean_absolute_error": 3.9}},
            nothing=None,
        )
    )
    assert "does better: 3.90" in said.sentences[1]


def test_a_finding_about_the_baseline_speaks_instead_of_the_bare_comparison() -> None:
    finding = Finding("baseline", "Boosting is .2 points better.", "watch", 0.1)
    said = verdict(document(findings=report.findings_as_rows([finding])))
    assert said.sentences[1:] == ("Boosting is .2 points better.",)


@pytest.mark.parametrize(
    ("accuracy", "auc", "grade", "heading"),
    [
        (0.7638, 0.93, "fine", "No serious doubt"),
        (0.87, 0.93, "bad", "Its answers are no better than always the same one"),
        (0.87, 0.51, "bad", "It is not shown to know more than doing nothing"),
    ],
)
def test_a_file_that_beats_doing_nothing_is_told_from_one_that_does_not(
    accuracy: float, auc: float, grade: str, heading: str
) -> None:
    nothing = {"name": "always no", "metrics": {"accuracy": accuracy}}
    metrics = {"accuracy": metric(0.8712, 0.8661, 0.8763, 900), "roc_auc": metric(auc, auc - 0.03, auc + 0.03, 900)}
    fine = report.findings_as_rows([Finding("coverage", "Kept.", "fine")])
    said = verdict(document(findings=fine, nothing=nothing, metrics=metrics))
    assert said.grade == grade
    assert said.heading.startswith(heading)
    assert ("Always no gets 87.0 % without looking at any row." in said.sentences) == (grade == "bad")
    assert ("--decide" in said.act) == (heading.startswith("Its answers"))
    told = document(findings=fine, nothing=nothing, metrics=metrics)
    assert said.act in report.summary(told).replace("\n", " ")
    assert said.act.replace("`", "").replace("'", "&#39;").replace(">", "&gt;") in report.page(told).replace(
        "<code>", ""
    ).replace("</code>", "")


@pytest.mark.parametrize(
    ("high", "fit", "steps", "curve", "heading", "act"),
    [
        (0.49, 18, 400, None, "No serious doubt was found.", ""),
        (0.51, 18, 40, None, "Too little data: it is not shown to get most words right.", "More rows"),
        (0.51, 500, 40, None, "Too short a training, or too little data: it is not", "40 of the 400 steps"),
        (0.51, 500, 400, None, "Too little data, or wrong texts: it is not", "learning_curve"),
        (0.51, 500, 400, "fine", "It is not shown to get most words right.", ""),
        (0.51, None, 400, None, "It is not shown to get most words right.", ""),
    ],
)
def test_words_of_which_most_may_be_wrong_are_said_to_be_of_no_use_and_why(
    high: float, fit: int | None, steps: int, curve: str | None, heading: str, act: str
) -> None:
    findings = [Finding("coverage", "Kept.", "fine")]
    findings += [Finding("learning_curve", "More will not help much.", "fine")] if curve else []
    said = verdict(
        document(
            metrics={"word_error_rate": metric(0.3, 0.2, high, 18)},
            rows={"test": 50} if fit is None else {"fit": fit, "test": 50},
            plan={"steps": steps, "enough": 400},
            findings=report.findings_as_rows(findings),
            nothing={"name": "always the same answer", "metrics": {"word_error_rate": 1.0}},
            baseline=None,
        )
    )
    assert said.heading.startswith(heading)
    assert act in said.act


def test_few_rows_are_named_first_where_nothing_was_learnt_from_them() -> None:
    nothing = {"name": "always no", "metrics": {"accuracy": 0.86}}
    metrics = {"accuracy": metric(0.87, 0.83, 0.9, 60)}
    few = document(nothing=nothing, metrics=metrics, rows={"fit": 60})
    assert verdict(few).heading == "Too little data: it is not shown to know more than doing nothing."
    assert "More rows" in report.summary(few)
    many = document(nothing=nothing, metrics=metrics, rows={"fit": 600})
    assert verdict(many).heading == "It is not shown to know more than doing nothing."


def test_answers_by_lot_that_count_labels_alike_are_no_skill() -> None:
    nothing = {"name": "always no", "metrics": {"accuracy": 0.66, "f1_macro": 0.4}}
    by_lot = {"accuracy": metric(0.62, 0.55, 0.69, 161), "f1_macro": metric(0.49, 0.42, 0.56, 161)}
    told = {"accuracy": metric(0.74, 0.68, 0.8, 161), "f1_macro": metric(0.7, 0.64, 0.76, 161)}
    assert "more than doing nothing" in verdict(document(nothing=nothing, metrics=by_lot)).heading
    assert "nothing" not in verdict(document(nothing=nothing, metrics=told)).heading


def test_doing_nothing_ranks_by_lot_whatever_folds_that_differ_make_of_it() -> None:
    metrics = {"concordance_index": metric(0.68, 0.65, 0.71, 686)}
    html = report.page(document(metrics=metrics, nothing={"name": "always", "metrics": {"concordance_index": 0.483}}))
    assert "50.0 %" in words(html)
    assert "48.3 %" not in words(html)


def test_being_well_calibrated_is_not_knowing_more_than_nothing() -> None:
    metrics = {"accuracy": metric(0.75, 0.7, 0.8, 250), "ece": metric(0.01, 0.005, 0.015, 250)}
    nothing = {"name": "always no", "metrics": {"accuracy": 0.75, "ece": 0.02}}
    assert verdict(document(metrics=metrics, nothing=nothing)).heading.startswith("It is not shown")


def test_figures_of_sisters_are_not_given_out_as_those_of_the_file() -> None:
    sisters = words(report.page(document(metrics_source="sisters")))
    assert "It predicts" not in sisters
    assert "each judged by a sister network that never saw it" in sisters
    assert "Measured by running the file itself" not in sisters
    assert "Sister networks Picture Baseline" in sisters
    assert "This file" not in sisters
    assert "sister network" not in words(report.page(document()))


@pytest.mark.parametrize(
    ("grade", "harm", "heading"),
    [
        ("bad", 0.9, "Do not rely on it as it is."),
        ("bad", 0.1, "Use it only where the weakness below does not matter."),
        ("watch", 0.9, "Usable, with care."),
        ("fine", 0.0, "No serious doubt was found."),
        ("cannot tell", 0.0, "Too little was examined to say."),
    ],
)
def test_the_heading_follows_the_worst_grade(grade: Any, harm: float, heading: str) -> None:
    findings = [Finding("a", "s", "not examined"), Finding("b", "s", grade, harm)]
    assert verdict(document(findings=report.findings_as_rows(findings))).heading == heading


def test_findings_stand_worst_first_and_the_unexamined_apart() -> None:
    text = words(report.page(document()))
    findings = text[text.index("Findings, worst first") : text.index("What was not examined")]
    apart = text[text.index("What was not examined") : text.index("How to use the file")]
    assert findings.index("62 % of the men") < findings.index("a little small") < findings.index("it says 80 %")
    assert "Nobody asked." not in findings
    assert "Nobody asked." in apart
    assert "Too few examples." in apart


def test_a_grade_is_told_by_word_and_shape_and_not_by_colour_alone() -> None:
    html = report.page(document())
    marks = re.findall(r'<p class="grade">(<svg.*?</svg>)([^<]+)</p>', html)
    assert len({word for _, word in marks}) == len({shape for shape, _ in marks}) == 5


def test_every_picture_has_words_or_is_hidden_from_a_reader_aloud() -> None:
    pictures_ = [attributes for tag, attributes in Page(report.page(document())).tags if tag == "svg"]
    told = [a for a in pictures_ if a.get("role") == "img" and a.get("aria-label")]
    inner = [a for a in pictures_ if "x" in a]
    assert len(told) >= 3
    assert all(a in told or a in inner or a.get("aria-hidden") == "true" for a in pictures_)


def test_a_command_is_set_apart_from_what_to_do() -> None:
    html = report.page(document())
    command = "<code>learnt train d.csv <span>--target</span> income <span>--sensitive</span> sex</code>"
    assert command in html
    assert "Collect more rows, then:</p>" in html


def test_a_sentence_that_only_names_the_tool_is_no_command() -> None:
    act = Finding("q", "s", "bad", act="What was learnt here is thin.")
    assert "What was learnt here is thin." in words(report.page(document(findings=[act])))


def test_a_missing_value_is_not_zero() -> None:
    drawn = pictures.bars([{"name": "a", "value": 0.5}, {"name": "b", "value": None}, {"name": "", "value": NAN}])
    assert drawn is not None
    assert [bar.value for bar in drawn.bars] == [".500", numbers.NOTHING, numbers.NOTHING]
    assert [bar.name for bar in drawn.bars] == ["a", "b", "(missing)"]
    assert pictures.bars([{"name": "a", "value": None}]) is None


def test_bars_carry_their_intervals_and_negative_ones_point_left() -> None:
    drawn = pictures.bars(
        [{"name": "up", "value": 0.1}, {"name": "down", "value": -0.1, "low": -0.3, "high": 0.1}], "percent"
    )
    assert drawn is not None
    up, down = drawn.bars
    assert (up.low, up.interval) == (None, "")
    assert (down.low, down.high, drawn.zero) == (0.0, 100.0, 75.0)
    assert up.left == drawn.zero == down.left + down.width


def test_no_bar_is_lost_when_there_are_many() -> None:
    html = report.page(hard_documents()["fifty classes, two targets"])
    assert "34 more" in html
    assert html.count('<span title="class 00">') == 10
    assert html.count('<span title="class 49">') == 30


def test_a_calibration_curve_has_the_diagonal_and_a_learning_curve_has_not() -> None:
    rows = [{"x": 100, "y": 0.8}, {"x": 1000, "y": 0.9}]
    learning = Finding("a", "s", "fine", rows=rows, picture="curve", axes=("examples", "how often wrong"))
    says = Finding("b", "s", "fine", rows=CURVE, picture="curve", diagonal="On the dashed line it is so.")
    assert '<line class="diagonal"' in report.page(document(findings=[says]))
    assert "On the dashed line it is so." in report.page(document(findings=[says]))
    assert '<line class="diagonal"' not in report.page(document(findings=[learning]))
    assert "↑ how often wrong" in report.page(document(findings=[learning]))


def test_axes_of_shares_are_in_per_cent_and_reach_no_further_than_they_need() -> None:
    rows = [{"x": severity, "y": 0.8 - severity / 50} for severity in range(6)]
    drawn = pictures.curve(rows, ("severity", "how often right"))
    assert drawn is not None
    assert [name for _, name in drawn.across] == ["0", "1", "2", "3", "4", "5"]
    assert next(name for _, name in drawn.up) == "70 %"
    money = pictures.curve(rows, share=False)
    assert money is not None
    assert next(name for _, name in money.up) == ".7"


def test_a_figure_of_a_finding_says_what_it_is_of_and_in_what_unit() -> None:
    rows = [{"name": "a", "value": 0.25, "low": 0.2, "high": 0.3}]
    told = {"measure": "of the reasons are 'a'", "axes": ("", "share of the reasons")}
    share = Finding("q", "s", "fine", value=0.25, interval=(0.2, 0.3), rows=rows, picture="bars", **told)
    page = words(report.page(document(findings=[share])))
    assert "25.0 % (20.0 to 30.0 %) of the reasons are 'a'" in page
    assert "Share of the reasons" in page
    error = Finding("q", "s", "fine", value=0.25, rows=rows, picture="bars", unit="number")
    assert "25.0 %" not in words(report.page(document(findings=[error])))


def test_a_table_has_intervals_beside_their_figure_and_words_for_its_columns() -> None:
    rows = [{"name": "a", "n": 1, "right": 0.7, "low": 0.6, "high": 0.8, "true_positive_rate": 1.0}]
    drawn = pictures.table(rows)
    assert drawn is not None
    assert drawn.columns == ("name", "n", "right", "found, of the real cases")
    assert drawn.rows == (("a", "1", "70.0 % (60 to 80 %)", "100 %"),)
    single = pictures.table([{"id": "7", "right": 1.0}, {"id": "8", "right": 0.0}, {"id": "9", "right": 0.65}])
    assert single is not None
    assert [row[1] for row in single.rows] == ["yes", "no", "65.0 %"]
    cost = pictures.table([{"what": "never", "cost": 0.7, "low": 0.6, "high": 0.8}], share=False)
    assert cost is not None
    assert cost.rows == (("never", ".700 (.600 to .800)"),)


def test_a_negative_number_has_a_minus_and_a_range_and_a_date_have_not() -> None:
    assert str(report.document.prose("off by -3.5 (-.2 to 8), 2020-01-02, `--seed -1`, v-2")) == (
        f"off by {numbers.MINUS}3.5 ({numbers.MINUS}.2 to 8), 2020-01-02, <code>--seed -1</code>, v-2"
    )


def test_what_nobody_asked_is_named_with_the_way_to_ask() -> None:
    page = words(report.page(document(unasked={"label_errors": "Which of my labels are wrong?"})))
    apart = page[page.index("What was not examined") : page.index("How to use the file")]
    assert "Not asked Which of my labels are wrong?" in apart
    assert "learnt train DATA --target income --ask all" in apart
    assert "Not asked" not in words(report.page(document()))


def test_a_part_of_the_data_that_was_not_set_apart_is_not_listed() -> None:
    page = words(report.page(document(rows={"fit": 617, "calibrate": 69, "test": 0})))
    assert "calibrate 69" in page
    assert "to judge the file" not in page


def test_a_finding_names_its_target_where_there_are_several() -> None:
    doubt = Finding("calibration", "It is surer than it should be.", "bad", target="age")
    several = document(findings=report.findings_as_rows([doubt]), target=["kind", "age"])
    assert "[bad]   age: It is surer than it should be." in report.summary(several)
    assert "Worst finding of age: It is surer" in " ".join(verdict(several).sentences)
    alone = document(findings=report.findings_as_rows([doubt]), target=["age"])
    assert "[bad]   It is surer than it should be." in report.summary(alone)
    assert "Worst finding: It is surer" in " ".join(verdict(alone).sentences)


def test_a_curve_of_one_point_is_shown_as_a_table() -> None:
    html = report.page(document(findings=[Finding("calibration", "s", "fine", rows=CURVE[:1], picture="curve")]))
    assert '<svg class="curve"' not in html
    assert "55.0 %" in words(html)


def test_ticks_are_round_and_reach_around_all_values() -> None:
    assert pictures.ticks([0.831, 0.869]) == [0.83, 0.84, 0.85, 0.86, 0.87]
    assert pictures.ticks([3.0, 3.0])[0] < 3 < pictures.ticks([3.0, 3.0])[-1]


def test_metrics_of_several_targets_may_be_nested_or_dotted() -> None:
    accuracy = {"kind": metric(0.6, 0.55, 0.65, 900), "age": metric(0.8, 0.77, 0.83, 900)}
    shared = {"target": ["kind", "age"], "baseline": None, "nothing": None}
    nested = document(metrics={target: {"accuracy": given} for target, given in accuracy.items()}, **shared)
    dotted = document(metrics={f"{target}.accuracy": given for target, given in accuracy.items()}, **shared)
    assert report.page(nested) == report.page(dotted)
    assert "It predicts age right 80.0 %" in words(report.page(nested))


def test_each_target_has_the_name_of_what_it_is_compared_with() -> None:
    measured = {target: {"accuracy": metric(0.6, 0.55, 0.65, 900)} for target in ("intent", "slots")}
    beside = {"name": "LogisticRegression", "names": {"intent": "LogisticRegression", "slots": "linear model of words"}}
    beside["metrics"] = {target: {"accuracy": 0.7} for target in measured}
    both = document(target=list(measured), metrics=measured, baseline=beside, nothing=None)
    assert "baseline: LogisticRegression (intent), linear model of words (slots)" in words(report.page(both))
    assert "(linear model of words) does better" in " ".join(verdict(both).sentences)


@pytest.mark.parametrize("task", ["generate", "reply"])
def test_every_figure_of_a_text_that_is_said_is_explained(task: str) -> None:
    """A reader who does not know chrF is told what it is."""
    source = inspect.getsource(registry.task(task).metrics)
    named = set(re.findall(r"\"(\w+)\"[]:]", source)) - {"spoken", "rank", "exact"}
    assert named >= {"ece"}
    assert {name for name in named if not figures.KINDS.get(name, figures.Kind("")).means} == set()


def test_the_page_tells_how_it_was_made() -> None:
    text = words(report.page(document()))
    for part in (
        "22,793",
        "income is a label --task regress",
        "train.rate 0.0003",
        "1.4 MB",
        "3 min 21 s",
        "row 12",
    ):
        assert part in text


def test_the_page_names_no_folder_of_the_machine_it_was_made_on() -> None:
    assert "my runs" not in report.page(document())


def test_json_is_strict_and_keeps_what_it_was_given(tmp_path: Any) -> None:
    given = document(seconds=np.float32(2.5), more=np.array([1.0, NAN]), odd={"set"}, metrics={"r2": math.inf})
    report.write(given, tmp_path / "new")
    kept = json.loads((tmp_path / "new/report.json").read_text("utf-8"), parse_constant=pytest.fail)
    assert (kept["seconds"], kept["more"], kept["odd"]) == (2.5, [1.0, None], ["set"])
    assert kept["metrics"]["r2"] is None
    assert kept["findings"][3]["value"] is None
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["report.html", "report.json"]


def test_a_failed_write_leaves_the_old_report(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    report.write(document(title="old"), tmp_path)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(WriteError, match="disk full"):
        report.write(document(title="new"), tmp_path)
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["title"] == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]


def test_without_the_template_engine_the_numbers_are_still_written(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_module._template.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r'pip install "learnt\[report\]"'):
        report.write(document(), tmp_path)
    assert (tmp_path / "report.json").exists()
    assert report.summary(document())


def test_the_same_document_gives_the_same_bytes() -> None:
    assert report.page(document()) == report.page(document())


def test_a_report_saves_itself_as_page_or_json(tmp_path: Any) -> None:
    one = report.Report(document())
    one.save(tmp_path / "r.html")
    one.save(tmp_path / "r.json")
    assert (tmp_path / "r.html").read_text("utf-8") == one.html
    assert json.loads((tmp_path / "r.json").read_text("utf-8")) == one.document


def test_where_nothing_was_measured_the_summary_says_what_is_fine_too() -> None:
    passed = [Finding("templates", f"test {place}: it was so in all 4 cases.", "fine") for place in range(2)]
    told = report.findings_as_rows(passed)
    assert "[fine]  test 1: it was so in all 4 cases." in report.summary(document(findings=told, metrics={}))
    measured = report.summary(document(findings=told))
    assert "[fine]" not in measured
    assert "2 fine." in measured
    many = report.findings_as_rows(passed * 30)
    short = report.summary(document(findings=many, metrics={}))
    assert len(short.splitlines()) <= 25
    assert "more fine" in short


def test_the_summary_gives_figures_findings_and_commands_with_real_paths() -> None:
    text = report.summary(document())
    assert text.startswith("Do not rely on it as it is.\nIt predicts `income` right 87.1 %")
    assert re.search(r"accuracy +87.1 % +\(86.6 to 87.6 %\) +HistGradientBoosting 87.3 % +doing nothing 76.4 %", text)
    assert "[bad]   It finds 41 % of the women" in text
    assert "learnt predict 'my runs/income/model.onnx' new.csv --out predictions.csv" in text
    assert "1 fine, 2 not examined or not to be told." in text


@pytest.mark.parametrize(
    ("given", "width", "text"),
    [
        (0.8712, 0.01, "87.1 %"),
        (0.8712, 0.3, "87 %"),
        (0.99999, 0.01, "over 99.9 %"),
        (0.0001, 0.01, "under 0.1 %"),
        (1, 0.01, "100 %"),
        (0, 0.01, "0 %"),
        (NAN, NAN, numbers.NOTHING),
        (None, NAN, numbers.NOTHING),
    ],
)
def test_a_share_has_no_more_digits_than_its_interval_allows(given: Any, width: float, text: str) -> None:
    assert numbers.percent(given, width) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (0.0134, ".013"),
        (-0.05, numbers.MINUS + ".050"),
        (0.9996, "1.000"),
        (0.0002, "under .001"),
        (4.306, "4.31"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
        (3.0, "3"),
        (math.inf, numbers.NOTHING),
    ],
)
def test_a_number_is_short(given: float, text: str) -> None:
    assert numbers.number(given) == text


def test_sizes_and_times_are_for_people() -> None:
    assert [numbers.size(n) for n in (812, 48_200, 1_421_332)] == ["812 bytes", "48 kB", "1.4 MB"]
    assert [numbers.duration(s) for s in (0.2, 59.6, 201.4, 3900)] == [
        "1 s",
        "1 min 00 s",
        "3 min 21 s",
        "1 h 05 min",
    ]


@pytest.mark.parametrize(
    ("act", "parts"),
    [
        ("Look at them.", ("Look at them.", "", "")),
        ("What learnt trains is thin.", ("What learnt trains is thin.", "", "")),
        ("learnt audit RUN --ask shift", ("", "learnt audit runs/a --ask shift", "")),
        (
            "Leave it out: `learnt train d.csv --drop a,b`.",
            ("Leave it out:", "learnt train d.csv --drop a,b", ""),
        ),
        (
            "learnt audit MODEL new.csv --target COLUMN, with fresh examples.",
            ("", "learnt audit runs/a/m.onnx new.csv --target income", "With fresh examples."),
        ),
    ],
)
def test_what_to_do_is_taken_apart_into_words_and_a_command(act: str, parts: tuple[str, str, str]) -> None:
    assert split_act(act, document(), "runs/a/m.onnx") == parts


def test_a_finding_opens_with_its_first_sentence() -> None:
    assert headline({"sentence": "It relies on 'age' (2.0 points, .7 to 3. 4). 'sex' is next. More."}) == (
        "It relies on 'age' (2.0 points, .7 to 3. 4).",
        "'sex' is next. More.",
    )
    assert headline({"sentence": "One 90 %"}) == ("One 90 %", "")


def test_the_same_n_is_said_once() -> None:
    rows = [{"name": name, "value": 0.5, "n": 250} for name in "ab"]
    html = report.page(document(findings=[Finding("q", "s", "fine", n=250, rows=rows, picture="bars")]))
    assert html.count("n = 250") == 1
    assert "n = 10,860" in report.page(document())


def test_on_a_terminal_a_long_sentence_ends_in_dots_and_a_command_has_its_line() -> None:
    act = "learnt train d.csv --target income --decide odds=race, if the law allows it."
    long = Finding("fairness", "By race its errors differ, and here is why. " * 12, "bad", 0.8, act=act)
    lines = report.summary(document(findings=report.findings_as_rows([long]))).splitlines()
    start = next(place for place, line in enumerate(lines) if "[bad]" in line)
    assert lines[start + 2].endswith(" …")
    assert "… …" not in lines[start + 2]
    assert lines[start + 3].strip() == "> learnt train d.csv --target income --decide odds=race"
    assert lines[start + 4].strip() == "If the law allows it."


def test_every_question_that_was_not_asked_is_named_by_what_it_asks() -> None:
    left = asking.unasked(["coverage", "label_errors"])
    assert left["learning_curve"] == "How many more examples for how much better?"
    assert not {"coverage", "label_errors"} & set(left)


def test_a_difference_near_nothing_is_no_negative_nothing() -> None:
    assert wording.spread(-0.0001, 0.018) == "0.0 to 1.8"
    assert wording.spread(-0.02, 0.018) == "-2.0 to 1.8"


def test_a_figure_has_its_article() -> None:
    for name, said in (
        ("average_precision", "with an average precision of"),
        ("span_f1", "with an F1 of"),
        ("chrf", "with a chrF of"),
    ):
        said_first = verdict(document(metrics={name: metric(0.5, 0.4, 0.6, 24)}, findings=[])).sentences[0]
        assert said in said_first


def test_a_file_that_goes_on_with_texts_is_tried_by_typing() -> None:
    inputs = {"text": {"modality": "prompt", "columns": ["text"]}}
    assert "--live" in report.summary(document(inputs=inputs, target=["text"], metrics={}))
    assert "--live" not in report.summary(document(inputs=inputs, target=["reply"], metrics={}))
