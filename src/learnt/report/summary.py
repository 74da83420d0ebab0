"""The short honest text that a terminal shows after training."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

from learnt.report import numbers
from learnt.report.commands import commands, split_act
from learnt.report.figures import Document, called, figures, targets
from learnt.report.verdict import verdict, worst_first

COLUMNS, LINES, SAID, ACT = 100, 25, 3, 3
MARKS = {"bad": "[bad]  ", "watch": "[watch]", "fine": "[fine] "}


def summary(document: Document) -> str:
    """Verdict, figures beside the baseline, the worst findings with what to do, the next commands; without figures what
    is fine, too, as tests that were passed."""
    said = verdict(document)
    head = [said.heading, *_wrap(said.sentences[0]), *(_wrap(said.act) if said.act else ())]
    told = list(_figures(document))
    foot = list(_next(document))
    space = LINES - len(head) - min(len(told), 6) - len(foot) - 3
    middle = list(_findings(document, space))
    blocks = [head, told[:6], middle, foot]
    text = "\n\n".join("\n".join(block) for block in blocks if block)
    return text.replace(numbers.MINUS, "-").replace(numbers.NOTHING, "-").replace("\N{NO-BREAK SPACE}", " ")


def _figures(document: Document) -> Iterator[str]:
    baseline = document.get("baseline") or {}
    rows = []
    by_target = figures(document)
    for target, listed in by_target.items():
        name = called(baseline, target)
        for figure in listed[: 4 if len(by_target) == 1 else 1]:
            how = figure.kind.how
            spread = numbers.interval(figure.low, figure.high, how)
            rows.append(
                (
                    f"{target}: {figure.name}" if len(by_target) > 1 else figure.name,
                    numbers.figure(figure.value, how, figure.high - figure.low),
                    f"({spread})" if spread else "",
                    f"{name or 'baseline'} {numbers.figure(figure.baseline, how)}"
                    if numbers.known(figure.baseline)
                    else "",
                    f"doing nothing {numbers.figure(figure.nothing, how)}" if numbers.known(figure.nothing) else "",
                )
            )
    if whole := document.get("all_right"):
        spread = numbers.interval(whole["low"], whole["high"], "percent")
        rows.append(("all of it right", numbers.percent(whole["value"]), f"({spread})", "", ""))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True) if width).rstrip()
        yield "  " + _cut(line, COLUMNS - 2)


def _findings(document: Document, space: int) -> Iterator[str]:
    ordered = worst_first(document.get("findings") or ())
    doubtful = [f for f in ordered if f["grade"] in ("bad", "watch")]
    good = [f for f in ordered if f["grade"] == "fine"]
    silent = sum(f["grade"] in ("cannot tell", "not examined") for f in ordered)
    left = space - 1
    shown = 0
    for finding in doubtful:
        lines = list(_finding(document, finding))
        if len(lines) > left:
            break
        left -= len(lines)
        shown += 1
        yield from lines
    told = 0
    if shown == len(doubtful) and not any(figures(document).values()):
        for finding in good:
            lines = list(_finding(document, {**finding, "act": ""}))
            if len(lines) > left:
                break
            left -= len(lines)
            told += 1
            yield from lines
    fine = len(good) - told
    rest = [
        f"{len(doubtful) - shown} more to watch" if len(doubtful) > shown else "",
        f"{fine}{' more' if told else ''} fine" if fine else "",
        f"{silent} not examined or not to be told" if silent else "",
    ]
    if any(rest):
        yield "  " + ", ".join(part for part in rest if part) + "."


def _finding(document: Document, finding: dict[str, Any]) -> Iterator[str]:
    mark = MARKS[finding["grade"]]
    of = f"{finding['target']}: " if finding.get("target") and len(targets(document)) > 1 else ""
    for index, line in enumerate(_short(f"{of}{finding['sentence']}", COLUMNS - 10)):
        yield f"{'' if index else f'  {mark}':9} {line}"
    told, command, after = split_act(
        str(finding.get("act") or ""), document, str(document.get("model") or "model.onnx")
    )
    act = [
        *(_wrap(told.replace("`", ""), COLUMNS - 14) if told else ()),
        *(_wrap(command, COLUMNS - 14) if command else ()),
    ]
    act += _wrap(after, COLUMNS - 14) if after else []
    for index, line in enumerate(act[:ACT]):
        yield f"{'':10}{' ' if index else '>'} {line}{' …' if index == ACT - 1 and len(act) > ACT else ''}"


def _next(document: Document) -> Iterator[str]:
    if document.get("report"):
        yield f"Report: {document['report']}"
    listed = commands(document, str(document.get("model") or "model.onnx"))
    wide = max(len(command) for _, command in listed)
    for purpose, command in listed:
        aside = f"  # {purpose}"
        yield f"  {command.ljust(wide)}{aside}" if 2 + wide + len(aside) <= COLUMNS else f"  {command}"


def _short(text: str, width: int) -> list[str]:
    """At most three lines; where more is said, dots."""
    lines = _wrap(text, width)
    if len(lines) > SAID:
        lines = [*lines[: SAID - 1], f"{_cut(lines[SAID - 1], width - 2).rstrip(' .…')} …"]
    return lines


def _wrap(text: str, width: int = COLUMNS) -> list[str]:
    return textwrap.wrap(
        text.replace(" %", "\N{NO-BREAK SPACE}%"), width, break_long_words=True, break_on_hyphens=False
    ) or [""]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
