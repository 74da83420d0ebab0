"""What a file does with made-up texts that a user wrote down: templates, filled in, asked, judged.

Ribeiro, Wu, Guestrin and Singh, "Beyond accuracy: behavioral testing of NLP models with CheckList", ACL 2020: minimum
functionality, invariance and direction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from learnt import registry
from learnt.artifact.artifact import Artifact
from learnt.codecs.notation import of_json, of_yaml
from learnt.contracts import Continues, Finding, Grade, Prediction, Spells
from learnt.errors import DataError, RequestError, unknown
from learnt.stats.intervals import wilson
from learnt.stats.wording import listed, percent, percents

QUESTION = "templates"
KINDS = {
    "minimum functionality": {"expect"},
    "invariance": set[str](),
    "direction": {"then", "change"},
}
"""Kind of test -> the keys it needs beside `name`, `kind` and `texts`."""
KEYS = {"name", "kind", "texts", "then", "words", "expect", "label", "change", "by", "beside", "input", "target"}
LISTS = ("texts", "then", "expect")
CHANGES = ("rises", "falls")
MOST_CASES = 5000
SHOWN = 10
BAD = 0.2
"""Share of failed cases above which a test is bad."""
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Template:
    """One test: texts with slots, what fills them, and what must come of it."""

    name: str
    kind: str
    texts: tuple[str, ...]
    then: tuple[str, ...] = ()
    """The same texts changed, one for each."""
    words: Mapping[str, Sequence[str]] | None = None
    expect: tuple[str, ...] = ()
    """Any of these must be said."""
    label: str = ""
    """Whose probability must change; "": the number that is predicted."""
    change: str = ""
    by: float = 0.0
    """How much it must change at least."""
    beside: Mapping[str, Any] | None = None
    """Cells of other columns."""
    input: str = ""
    target: str = ""

    def cases(self) -> Iterator[tuple[str, str, str]]:
        """(text, its changed form or "", the template it is of) for all ways to fill the slots."""
        words = self.words or {}
        for place, text in enumerate(self.texts):
            changed = self.then[place] if self.then else ""
            slots = list(dict.fromkeys(_SLOT.findall(text + changed)))
            for slot in slots:
                if slot not in words:
                    raise DataError(f"Template {self.name!r}: nothing fills {{{slot}}}. Add it to words: {slot}: [...]")
            for chosen in product(*(words[slot] for slot in slots)):
                filling = dict(zip(slots, map(str, chosen), strict=True))
                yield _filled(text, filling), _filled(changed, filling), text


def read(path: str | Path) -> list[Template]:
    """Templates of a JSON or YAML file: a list of tests. Raises DataError that names the test and what to write."""
    source = Path(path)
    if not source.is_file():
        raise RequestError(f"No such file: {source}")
    try:
        content = source.read_text(encoding="utf-8")
        found = of_json(content) if source.suffix == ".json" else of_yaml(content)
    except ValueError as error:
        raise DataError(f"{source.name} cannot be read: {error}") from None
    if not isinstance(found, list) or not found:
        raise DataError(f"{source.name} holds no list of tests. Each is {{name: ..., kind: ..., texts: [...]}}")
    return [_template(one, f"{source.name}, test {place}") for place, one in enumerate(found, 1)]


def findings(artifact: Artifact, path: str | Path) -> list[Finding]:
    """One for each test of a file of templates, of what the model file says."""
    return [_judged(artifact, template) for template in read(path)]


def _template(given: Any, where: str) -> Template:
    if not isinstance(given, Mapping) or not given.get("name") or not given.get("texts"):
        raise DataError(f"{where} needs name, kind and texts.")
    where, kind = f"{where} ({given['name']})", given.get("kind")
    if kind not in KINDS:
        raise DataError(f"{where} is of kind {kind!r}. Kinds: {', '.join(KINDS)}")
    for key in given:
        if key not in KEYS:
            raise DataError(f"{where}: no key {key!r}. Keys: {', '.join(sorted(KEYS))}")
    for key in KINDS[kind] - set(given):
        raise DataError(f"{where}: {kind} needs {key!r}.")
    if given.get("change") not in (None, *CHANGES):
        raise DataError(f"{where}: change is {given['change']!r}. Write rises or falls.")
    for key, kind, wanted in (
        ("by", int | float, "by: 0.1"),
        ("words", Mapping, "words: {who: [Anna, Omar]}"),
        ("beside", Mapping, "beside: {age: 40}"),
    ):
        if key in given and (not isinstance(given[key], kind) or isinstance(given[key], bool)):
            raise DataError(f"{where}: {key} is {given[key]!r}. Write for example {wanted}")
    held = {**given, **{key: _listed(given[key], f"{where}: {key}") for key in LISTS if key in given}}
    if "words" in held:
        held["words"] = {slot: _listed(words, f"{where}: {slot}") for slot, words in held["words"].items()}
    template = Template(**held)
    if template.then and len(template.then) != len(template.texts):
        raise DataError(f"{where}: {len(template.texts)} texts and {len(template.then)} in 'then'. Write one for each.")
    return template


def _judged(artifact: Artifact, template: Template) -> Finding:
    column, target = _column(artifact, template), template.target or artifact.targets[0]
    if target not in artifact.targets:
        raise unknown("target", target, artifact.targets)
    cases = list(template.cases())
    if len(cases) > MOST_CASES:
        raise DataError(f"Template {template.name!r} has {len(cases):,} cases; {MOST_CASES:,} are the most.")
    texts = list(dict.fromkeys(text for case in cases for text in case[: 2 if template.then else 1]))
    beside = template.beside or {}
    raw = artifact.read({column: texts, **{name: [cell] * len(texts) for name, cell in beside.items()}})
    said = dict(zip(texts, artifact.answers(raw)[target], strict=True))
    judged = {
        "minimum functionality": _functionality,
        "invariance": _invariance,
        "direction": _direction,
    }[template.kind](template, cases, said)
    return _finding(template, target, judged)


def _functionality(
    template: Template, cases: Sequence[tuple[str, str, str]], said: Mapping[str, Prediction]
) -> list[dict[str, Any]]:
    return [
        {"text": text, "said": _answer(said[text]), "failed": _answer(said[text]) not in template.expect}
        for text, _, _ in cases
    ]


def _invariance(
    template: Template, cases: Sequence[tuple[str, str, str]], said: Mapping[str, Prediction]
) -> list[dict[str, Any]]:
    """Against its unchanged form; without one against the first filling of the same text, which is no case itself."""
    rows, first = [], dict[str, str]()
    for text, changed, template_text in cases:
        before = text if template.then else first.setdefault(template_text, text)
        after = changed if template.then else text
        if before is after:
            continue
        was, now = _answer(said[before]), _answer(said[after])
        rows.append({"text": after, "instead_of": before, "said": now, "before": was, "failed": now != was})
    if not rows:
        raise DataError(f"Template {template.name!r} has nothing to compare: give words with two fillings, or 'then'.")
    return rows


def _direction(
    template: Template, cases: Sequence[tuple[str, str, str]], said: Mapping[str, Prediction]
) -> list[dict[str, Any]]:
    sign = 1 if template.change == "rises" else -1
    rows = []
    for text, changed, _ in cases:
        before, after = (_amount(template, said[one]) for one in (text, changed))
        failed = sign * (after - before) < template.by
        rows.append({"text": changed, "instead_of": text, "said": after, "before": before, "failed": failed})
    return rows


def _finding(template: Template, target: str, cases: Sequence[Mapping[str, Any]]) -> Finding:
    failed = [{key: value for key, value in case.items() if key != "failed"} for case in cases if case["failed"]]
    n, share = len(cases), len(failed) / len(cases)
    higher = "higher" if template.change == "rises" else "lower"
    low, high = wilson(len(failed), n)
    grade: Grade = "fine" if not failed else "watch" if share <= BAD else "bad"
    wanted = {
        "minimum functionality": f"{' or '.join(map(repr, template.expect))} was to be said",
        "invariance": "the answer was to stay",
        "direction": f"{template.label or 'the number'} was to be {higher}",
    }[template.kind]
    result = (
        f"it was so in all {n:,} cases."
        if not failed
        else f"it was not so in {len(failed):,} of {n:,} cases, {percent(share)} ({percents(low, high)})."
    )
    return Finding(
        question=QUESTION,
        sentence=f"{template.name} ({template.kind}): {wanted}; {result}",
        grade=grade,
        harm=min(0.8, share),
        value=share,
        interval=(low, high),
        n=n,
        rows=failed[:SHOWN],
        picture="table" if failed else "none",
        measure=f"of the cases of {template.name!r} failed",
        act="Add examples like these to learn from." if failed else "",
        target=target,
    )


def _column(artifact: Artifact, template: Template) -> str:
    """The column that texts go into."""
    held = {
        name: one["columns"][0]
        for name, one in artifact.manifest["inputs"].items()
        if isinstance(registry.modality(one["modality"]), Spells | Continues)
    }
    if template.input and template.input not in held:
        raise unknown("text input", template.input, held)
    if not template.input and len(held) != 1:
        which = f"It reads the texts {listed(list(held))}: add input: NAME" if held else "It reads no text."
        raise RequestError(f"Template {template.name!r} does not fit the file. {which}")
    return str(held[template.input or next(iter(held))])


def _answer(said: Prediction) -> str:
    """What was said; of several labels all, in order of the alphabet."""
    return ", ".join(sorted(map(str, said.value))) if isinstance(said.value, list) else str(said.value)


def _amount(template: Template, said: Prediction) -> float:
    if not template.label:
        if not isinstance(said.value, int | float):
            raise DataError(
                f"Template {template.name!r} needs label: whose probability is to change?"
                if said.probability
                else f"Template {template.name!r} is a direction, for labels and numbers; the file says texts."
            )
        return float(said.value)
    if template.label not in said.probability:
        raise unknown("label", template.label, said.probability)
    return float(said.probability[template.label])


def _filled(text: str, filling: Mapping[str, str]) -> str:
    return _SLOT.sub(lambda found: filling.get(found[1], found[0]), text)


def _listed(given: Any, where: str) -> tuple[str, ...]:
    found = given if isinstance(given, list | tuple) else [given]
    for one in found:
        if isinstance(one, bool):
            raise DataError(f"{where}: put {one} in quotes, for YAML takes the bare word for a truth value.")
    return tuple(map(str, found))
