"""What the page shows, section by section: a document put into words and pictures, before any HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from learnt.report import numbers, pictures
from learnt.report.commands import commands, new_data, split_act
from learnt.report.figures import Document, Figure, called, figures, targets
from learnt.report.verdict import EXAMINED, headline, unit, verdict, worst_first

MODEL = "model.onnx"
"""The page lies beside the file, and says nothing of the machine that it was made on."""
SOURCES = {
    "file": "measured on the file itself",
    "sisters": "measured on sister networks of the same recipe",
    "baseline": "measured on the baseline",
    "data": "measured on the data",
}
SPLITS = {
    "fit": "to learn from",
    "stop": "to know when to stop",
    "calibrate": "to set confidence and thresholds",
    "test": "to judge the file, never used before",
}
ASK_ALL = "To have them answered: learnt train DATA --target COLUMN --ask all"
MOST_PROBLEMS, MOST_LABELS = 20, 60


def view(document: Document) -> dict[str, Any]:
    """Everything the template names."""
    ordered = worst_first(document.get("findings") or ())
    several = len(targets(document)) > 1
    problems = _pairs(document.get("problems"), "where", "why")
    measured = figures(document)
    return {
        "title": str(document.get("title") or "What was learnt"),
        "subtitle": _subtitle(document),
        "verdict": verdict(document),
        "figures": [(target if several else "", [_row(f) for f in listed]) for target, listed in measured.items()],
        "compared": _compared(document, measured),
        "figures_source": _figures_source(document, measured),
        "findings": [_finding(document, f) for f in ordered if f["grade"] in EXAMINED],
        "unexamined": [_finding(document, f) for f in ordered if f["grade"] not in EXAMINED],
        "commands": commands(document, MODEL),
        "python": _python(document),
        "javascript": _javascript(),
        "splits": [
            (name, numbers.count(n), SPLITS.get(name, "")) for name, n in (document.get("rows") or {}).items() if n
        ],
        "ask_all": dict(zip(("act", "command", "after"), split_act(ASK_ALL, document, MODEL), strict=True)),
        "unasked": [str(asks) for asks in (document.get("unasked") or {}).values()],
        "unit": unit(document),
        "inputs": _inputs(document),
        "labels": _labels(document),
        "guesses": _pairs(document.get("guesses"), "sentence", "option"),
        "notes": [str(note) for note in document.get("notes") or ()],
        "problems": problems[:MOST_PROBLEMS],
        "more_problems": max(0, len(problems) - MOST_PROBLEMS),
        "details": [
            (name, list(flat(document[name]))) for name in ("plan", "recipe", "versions") if document.get(name)
        ],
        "file": _file(document),
        "box": (pictures.WIDE, pictures.HIGH, pictures.LEFT, pictures.RIGHT, pictures.TOP, pictures.BOTTOM),
    }


def flat(given: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as (dotted name, text) in order."""
    if isinstance(given, Mapping) and given:
        for key, value in given.items():
            yield from flat(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, given if isinstance(given, str) else _plain(given)


def _plain(given: Any) -> str:
    """Settings are shown as they were given: a rate of 0.0003 is not rounded."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, Sequence) and not isinstance(given, str):
        return ", ".join(_plain(part) for part in given) or numbers.NOTHING
    return numbers.NOTHING if given is None or given == {} or given != given else str(given)


def _pairs(given: Any, first: str, second: str) -> list[tuple[str, str]]:
    return [
        (str(pair.get(first) or ""), str(pair.get(second) or ""))
        if isinstance(pair, Mapping)
        else (str(pair[0]), str(pair[1]))
        for pair in given or ()
    ]


def _subtitle(document: Document) -> str:
    named = [name for name in targets(document) if name]
    inputs = [
        f"{numbers.plural(len(given['columns']), 'column')} of a table"
        if given.get("modality") == "table" and given.get("columns")
        else f"{given.get('modality', 'input')} `{name}`"
        for name, given in (document.get("inputs") or {}).items()
    ]
    task = str(document.get("task") or "") if len(named) == 1 else ""
    said = f"{numbers.capital(task or 'learn')} {_listed([f'`{name}`' for name in named]) or 'the target'}"
    return f"{said} from {_listed(inputs)}" if inputs else said


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + f" and {words[-1]}" if len(words) > 1 else "".join(words)


def _row(figure: Figure) -> dict[str, Any]:
    how = figure.kind.how
    one = how == "percent" or (
        figure.kind.up and all(not numbers.known(x) or x <= 1 for x in (figure.value, figure.baseline, figure.nothing))
    )
    return {
        "title": numbers.capital(figure.kind.title),
        "means": figure.kind.means,
        "better": "more is better" if figure.kind.up else "less is better",
        "value": numbers.figure(figure.value, how, figure.high - figure.low),
        "interval": numbers.interval(figure.low, figure.high, how),
        "n": numbers.count(figure.n) if figure.n else "",
        "baseline": numbers.figure(figure.baseline, how),
        "nothing": numbers.figure(figure.nothing, how),
        "strip": pictures.strip(figure.value, figure.low, figure.high, figure.baseline, figure.nothing, one),
    }


def _compared(document: Document, measured: Mapping[str, list[Figure]]) -> dict[str, str]:
    """The names of what stands beside the figures; "" is not shown."""
    listed = [figure for one in measured.values() for figure in one]
    baseline = document.get("baseline") or {}
    beside = {
        "who": "Sister networks" if document.get("metrics_source") == "sisters" else "This file",
        "baseline": "",
        "nothing": "",
        "n": "differs" if len({figure.n for figure in listed}) > 1 else "",
    }
    if any(numbers.known(figure.baseline) for figure in listed):
        beside["baseline"] = _names(baseline, list(measured)) or "a well-known method"
    if any(numbers.known(figure.nothing) for figure in listed):
        beside["nothing"] = str((document.get("nothing") or {}).get("name") or "without looking at the input")
    return beside


def _names(baseline: Mapping[str, Any], listed: Sequence[str]) -> str:
    """The one name, or each with its target where they differ."""
    names = {target: name for target in listed if (name := called(baseline, target))}
    if len(set(names.values())) < 2:
        return next(iter(names.values()), "")
    return ", ".join(f"{name} ({target})" for target, name in names.items())


def _figures_source(document: Document, measured: Mapping[str, list[Figure]]) -> str:
    counted = unit(document)
    sizes = [figure.n for listed in measured.values() for figure in listed]
    if not sizes:
        return ""
    n = numbers.plural(max(sizes), counted) if max(sizes) else f"{counted}s"
    intervals = "Small print beneath a figure: where the true one lies, 95 times in 100."
    if document.get("metrics_source") == "sisters":
        return (
            f"Too few {counted}s to keep some for judging this file alone. Instead sister networks of the "
            f"same recipe were trained, and together judged on {n}, each on those it never saw. {intervals}"
        )
    return f"Measured by running the file itself on {n} that it never saw. {intervals}"


def _finding(document: Document, finding: Mapping[str, Any]) -> dict[str, Any]:
    rows = list(finding.get("rows") or ())
    if all(row.get("n") == finding.get("n") for row in rows):
        rows = [{key: value for key, value in row.items() if key != "n"} for row in rows]
    question = str(finding.get("question") or "")
    low, high = finding.get("interval") or (None, None)
    told, command, after = split_act(str(finding.get("act") or ""), document, MODEL)
    value = finding.get("value")
    picture = finding.get("picture")
    axes = finding.get("axes") or ("", "")
    share = finding.get("unit", "share") == "share"
    own = "percent" if share and numbers.known(value) and abs(value) <= 1 else "number"
    first, rest = headline(finding)
    shown = {
        "question": question.replace("_", " "),
        "target": str(finding.get("target") or "") if len(targets(document)) > 1 else "",
        "headline": first,
        "rest": rest,
        "grade": finding["grade"],
        "value": numbers.figure(value, own) if numbers.known(value) else "",
        "interval": numbers.interval(low, high, own),
        "measure": str(finding.get("measure") or ""),
        "level": numbers.percent(finding.get("level", 0.95)).replace(".0", ""),
        "n": numbers.count(finding["n"]) if finding.get("n") else "",
        "source": SOURCES.get(str(finding.get("source")), str(finding.get("source") or "")),
        "act": told,
        "command": command,
        "after": after,
        "bars": None,
        "curve": None,
        "table": None,
        "gallery": (),
        "layers": (),
    }
    if picture == "bars":
        shown["bars"] = pictures.bars(rows, pictures.unit(rows, ("value", "low", "high"), share), str(axes[1]))
    elif picture == "curve":
        shown["curve"] = pictures.curve(rows, (str(axes[0]), str(axes[1])), str(finding.get("diagonal") or ""), share)
    elif picture == "pictures":
        shown["gallery"] = pictures.gallery(rows)
    elif picture == "layers":
        shown["layers"] = pictures.layers(rows)
    if rows and not any(shown[kind] for kind in ("bars", "curve", "gallery", "layers")) and picture != "none":
        shown["table"] = pictures.table(rows, share)
    return shown


def _inputs(document: Document) -> list[tuple[str, str, list[str]]]:
    return [
        (name, str(given.get("modality", "")), [str(column) for column in given.get("columns") or ()])
        for name, given in (document.get("inputs") or {}).items()
    ]


def _labels(document: Document) -> list[tuple[str, str, int, list[str]]]:
    """(target, how many in words, how many are not shown, labels)"""
    return [
        (
            target,
            numbers.plural(len(listed), "label"),
            max(0, len(listed) - MOST_LABELS),
            [*map(str, listed)][:MOST_LABELS],
        )
        for target, listed in (document.get("labels") or {}).items()
        if listed
    ]


def _file(document: Document) -> list[tuple[str, str]]:
    file = document.get("file") or {}
    told = [
        ("Size", numbers.size(file["bytes"]) if "bytes" in file else ""),
        ("SHA-256", str(file.get("sha256") or "")),
        ("Networks inside", numbers.count(file.get("members")) if file.get("members") else ""),
        ("Made in", numbers.duration(document["seconds"]) if numbers.known(document.get("seconds")) else ""),
    ]
    return [(name, value) for name, value in told if value]


def _python(document: Document) -> str:
    data = new_data(document)
    return (
        "import learnt\n\n"
        'model = learnt.load("model.onnx")\n'
        f'for p in model.predict("{data}"):\n'
        "    print(p.value, p.confidence, p.decision, p.unfamiliar)"
    )


def _javascript() -> str:
    return (
        'const { InferenceSession } = require("onnxruntime-node");\n'
        'const session = await InferenceSession.create("model.onnx"); // session.inputNames: what it takes'
    )
