"""A file's manifest as a card for a terminal."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from learnt.contracts import Settings
from learnt.stats.intervals import poisson
from learnt.stats.wording import listed

WIDTH = 100
MOST_ENTRIES, MOST_FIGURES, MOST_LIMITS, MOST_NAMES = 4, 7, 4, 30
"""Targets and inputs, figures, limits, names in one list: so that a card stays within sixty lines."""

COUNTED = {"accuracy", "acceptable"}
"""Figures that count right answers."""


def show(manifest: Settings) -> str:
    """What it predicts, from what, how well, with which limits, and how to use it: at most 60 lines."""
    return "\n".join(
        line
        for part in (
            _predicts(manifest),
            _needs(manifest),
            _measured(manifest),
            _limits(manifest),
            _made(manifest),
            _use(manifest),
        )
        for line in part
    )


def _predicts(manifest: Settings) -> Iterator[str]:
    targets = manifest["targets"]
    for name, target in _first(targets):
        labels = [str(label) for label in target["settings"].get("labels", ())]
        labels = labels or [f"risk by {name}" for name in target["settings"].get("codes", ())]
        about = f": {_listed(labels)}" if labels else ""
        yield from _wrapped(f"Predicts {name} ({target['task']}){about}", "  ", 2)
        yield from _decides(target["settings"])
    yield from _rest(targets, "targets")
    yield from _listens(manifest)


def _listens(manifest: Settings) -> Iterator[str]:
    if (heard := manifest.get("listening")) and heard["hours"]:
        low, high = (end / heard["hours"] for end in poisson(heard["alarms"]))
        yield from _wrapped(
            f"  Listens to streams (--live), and tells what is at least {heard['least']:.4g} likely: on the made ones "
            f"that this was chosen on {heard['told']:,} of {heard['said']:,} said, and {low:.2g} to {high:.2g} false "
            "alarms an hour.",
            "  ",
            3,
        )


def _decides(settings: Settings) -> Iterator[str]:
    if policy := settings.get("policy"):
        said = " ".join(str(sentence) for sentence in policy["sentences"])
        yield from _wrapped(f"  Decides by {policy['asked']!r}: {_listed(policy['actions'])}. {said}", "  ", 3)
    if stated := settings.get("prevalence"):
        shares = [f"{label} {100 * share:.3g} %" for label, share in zip(settings["labels"], stated, strict=True)]
        yield from _wrapped(f"  For a place where there are: {_listed(shares, 10)}", "  ", 2)


def _needs(manifest: Settings) -> Iterator[str]:
    yield ""
    yield "From"
    for name, given in _first(manifest["inputs"]):
        columns = [str(column) for column in given["columns"]]
        what = _listed(columns) if columns != [name] else ""
        optional = ", may be absent" if given.get("optional") else ""
        yield from _wrapped(f"  {name} ({given['modality']}{optional}){': ' if what else ''}{what}", "    ")
    yield from _rest(manifest["inputs"], "inputs")


def _measured(manifest: Settings) -> Iterator[str]:
    yield ""
    measured = manifest.get("measured", {})
    if not measured:
        yield "Measured: nothing. Write: learnt audit MODEL DATA"
        return
    yield "Measured on examples it never saw"
    several = len(manifest["targets"]) > 1
    each = -(-MOST_FIGURES // max(1, len(measured)))
    figures = [
        (f"{target}.{metric}" if several else metric, figure)
        for target, metrics in measured.items()
        for metric, figure in list(metrics.items())[:each]
    ]
    for name, figure in figures[:MOST_FIGURES]:
        low, high = figure.get("low"), figure.get("high")
        interval = f"  {_number(low)} to {_number(high)}" if low is not None and high is not None else ""
        sisters = "  (sister networks)" if figure.get("source") == "sisters" else ""
        line = f"  {name:<24} {_number(figure['value']):>8}{interval}  n = {figure.get('n', 0):,}{sisters}"
        yield from _wrapped(line, "", 1)
    if (count := sum(map(len, measured.values()))) > len(figures[:MOST_FIGURES]):
        yield f"  ... {count} figures in all"
    for name, target in _first(manifest["targets"]):
        if (right := target.get("right")) and COUNTED & set(measured.get(name, ())):
            yield from _wrapped(f"  Right means{f', of {name}' if several else ''}: {right}.", "  ", 2)
    if sentence := chosen(manifest):
        yield f"  {sentence}"


def chosen(manifest: Settings) -> str:
    """What was chosen on examples apart from training, said aloud; "" where there were none."""
    count, coverage = int(manifest.get("calibrated_on") or 0), manifest.get("coverage")
    if not count:
        return ""
    if coverage is None:
        return "Sets and ranges are not given: too few further examples had the truth to choose them on."
    held = [target["settings"] for target in manifest["targets"].values()]
    sets, ranges = (any(key in settings for settings in held) for key in ("labels", "near"))
    what = ["Probabilities", *(["sets"] if sets else []), *(["ranges"] if ranges else [])]
    promised = f", for a coverage of {float(coverage):.0%}" if sets or ranges else ""
    return f"{listed(what)} were chosen on {count:,} further examples{promised}."


def _limits(manifest: Settings) -> Iterator[str]:
    use, limits = str(manifest.get("use") or ""), list(manifest.get("limits") or ())
    if use or limits:
        yield ""
    if use:
        yield from _wrapped(f"Meant for: {use}", "  ", 2)
    for limit in limits[:MOST_LIMITS]:
        yield from _wrapped(f"Limit: {limit}", "  ", 2)


def _made(manifest: Settings) -> Iterator[str]:
    data, versions = manifest.get("data") or {}, manifest.get("versions") or {}
    yield ""
    if "rows" in data:
        fingerprint = str(data.get("fingerprint", ""))[:16]
        yield f"Learnt from {data['rows']:,} examples" + (f" (fingerprint {fingerprint})" if fingerprint else "")
    if manifest.get("inside"):
        yield from _whole(f"Of that data it holds: {manifest['inside']}", "  ", 5)
    if manifest.get("licence"):
        yield from _wrapped(f"Licence: {manifest['licence']}", "  ", 2)
    if versions:
        yield from _wrapped(
            "Made with " + ", ".join(f"{name} {version}" for name, version in versions.items()), "  ", 2
        )


def _use(manifest: Settings) -> Iterator[str]:
    columns = [column for given in manifest["inputs"].values() for column in given["columns"]]
    example = ", ".join(f'"{column}": ...' for column in columns[:3]) + (", ..." if len(columns) > 3 else "")
    yield ""
    yield f"In Python: learnt.load(MODEL).predict({{{example}}})"
    yield "In a shell: learnt predict MODEL DATA --out answers.csv      Check it here: learnt verify MODEL"


def _first(entries: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(entries.items())[:MOST_ENTRIES]


def _rest(entries: Mapping[str, Any], what: str) -> Iterator[str]:
    if len(entries) > MOST_ENTRIES:
        yield f"  ... {len(entries)} {what} in all"


def _listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")


def _number(value: Any) -> str:
    return "?" if value is None else f"{float(value):.4g}"


def _whole(text: str, indent: str, most: int) -> list[str]:
    """Lines of as many whole sentences as there is room for; the last says where the others stand."""
    sentences = re.findall(r"\S.*?[.!?](?=\s|$)|\S.*$", text)
    lines = _wrapped(text, indent, sys.maxsize)
    while len(lines) > most and len(sentences) > 1:
        sentences.pop()
        lines = _wrapped(" ".join([*sentences, "More: learnt show MODEL --json"]), indent, sys.maxsize)
    return lines[:most]


def _wrapped(text: str, indent: str, most: int = 3) -> list[str]:
    """Lines within the width; control characters of a stranger's manifest do not reach the terminal."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    start = clean[: len(clean) - len(clean.lstrip())]
    return textwrap.wrap(
        clean.strip(),
        WIDTH,
        initial_indent=start,
        subsequent_indent=start + indent,
        max_lines=most,
        placeholder=" ...",
    )
