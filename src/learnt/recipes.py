"""recipe.yaml: all that decides the bytes of a file beside the data. What was asked, and what became of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from learnt.codecs import whole
from learnt.codecs.notation import of_yaml
from learnt.errors import RequestError, unknown

if TYPE_CHECKING:
    from learnt.train.loop import Plan

DEFAULTS: dict[str, Any] = {
    "task": None, "inputs": None, "drop": [], "group": None, "time": None, "sensitive": [], "weight": None,
    "reweigh": None, "views": None,
    "horizons": None, "coverage": 0.9, "decide": "argmax", "prevalence": None, "positive": None, "budget": None,
    "size": "small", "subwords": None, "background": None, "pretrained": None, "seed": 0,
}  # fmt: skip
PLANNED = ("sizes", "plan")
Kind = tuple[Callable[[Any], bool], str]
"""What a value must be, and how that is said."""
WIDER = {"small": 1.0, "medium": 1.5, "large": 2.0}
"""How many times as wide a network of each size is as what proved enough."""
MOST_SUBWORDS = 64_000
SIDES = (16, 512)
"""Least and greatest side that pictures may be brought to."""


def _between(least: float, most: float, whole: bool = False) -> Kind:
    kind = Integral if whole else (int, float, Real)
    said = f"a {'whole ' if whole else ''}number from {least:g} to {most:g}"
    return lambda value: isinstance(value, kind) and not isinstance(value, bool) and least <= float(value) <= most, said


def _is_list(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list | tuple) and all(isinstance(one, kind) for one in value)


_MANY = 1 << 40
_NAME: Kind = (lambda value: isinstance(value, str) and bool(value)), "a text"
_NAMES: Kind = _is_list(str), "a list of names, as [age, income]"
_EITHER: Kind = (lambda value: isinstance(value, str | Real)), "a text or a number"
_SIZES: Kind = (lambda value: isinstance(value, Mapping)), "lines as an earlier run wrote them"
LINES: Mapping[str, Kind] = {
    "target": _NAMES, "task": _NAME, "inputs": _NAMES, "drop": _NAMES, "group": _NAME, "time": _NAME,
    "sensitive": _NAMES, "weight": _NAME, "reweigh": _NAME, "views": _NAMES,
    "horizons": (_is_list(Real), "a list of numbers above 0, as [1, 5]"),
    "coverage": _between(0.5, 0.999), "decide": _NAME, "prevalence": _EITHER, "positive": _EITHER, "budget": _EITHER,
    "size": _EITHER, "background": _NAME, "subwords": _between(0, MOST_SUBWORDS, True), "pretrained": _SIZES,
    "seed": _between(0, _MANY, True), "sizes": _SIZES, "plan": _SIZES,
}  # fmt: skip
"""What each line of a recipe may be; null is as if it were left out."""
SIZES: Mapping[str, Kind] = {
    "width": _between(1, 8192, True), "depth": _between(0, 64, True), "members": _between(1, 256, True),
    "dropout": _between(0, 0.99), "batch": _between(1, 1 << 20, True), "epochs": _between(0, 1e6),
    "places": _between(1, 1 << 30, True), "rate": _between(0, 10), "decay": _between(0, 100), "slower": _between(0, 1),
}  # fmt: skip
PLAN: Mapping[str, Kind] = {
    "seed": LINES["seed"], "steps": _between(1, _MANY, True), "batch": SIZES["batch"], "rate": SIZES["rate"],
    "decay": SIZES["decay"], "every": _between(1, _MANY, True), "patience": _between(1, _MANY, True),
    "average": _between(0, 1), "warm": _between(0, 1), "clip": _between(0, 1e9), "absent": _between(0, 1),
    "until": _between(1, _MANY, True), "slower": _between(0, 1),
    "again": ((lambda value: value in (0, 1)), "true or false"),
}  # fmt: skip


def _refuse(given: Mapping[str, Any], kinds: Mapping[str, Kind], place: str) -> None:
    """Raises RequestError for a line that is none, or that cannot be what it is. `place` stands before its name."""
    for name, value in given.items():
        if name not in kinds:
            raise unknown("line", str(name), kinds, "the recipe")
        may_be, said = kinds[name]
        if value is not None and not may_be(value):
            raise RequestError(f"{place}{name} cannot be {value!r}. Expected: {said}.")


def resolve(
    asked: Mapping[str, Any],
    recipe: str | Path | Mapping[str, Any] | None,
    target: str = "",
    columns: Sequence[str] = (),
) -> dict[str, Any]:
    """Options in full: what was asked, else what the recipe says, else the default. Raises RequestError.

    `target`: what the layout of the data makes the target, where neither says one. `columns`: those that there are.
    """
    base = {} if recipe is None else dict(recipe) if isinstance(recipe, Mapping) else read(Path(recipe))
    full = DEFAULTS | {name: value for name, value in base.items() if value is not None}
    full |= {name: value for name, value in asked.items() if value not in (None, []) or name not in full}
    full["target"] = full.get("target") or [name for name in (target,) if name]
    for name in ("target", "inputs", "drop", "sensitive", "views"):
        if isinstance(full.get(name), str):
            full[name] = [full[name]]
    _refuse(full, LINES, "--")
    _refuse(full.get("sizes") or {}, SIZES, "sizes: ")
    _refuse(full.get("plan") or {}, PLAN, "plan: ")
    if full["horizons"]:
        full["horizons"] = sorted({float(at) for at in full["horizons"]})
    if not full.get("target"):
        listed = f" Columns: {', '.join(columns[:30])}{', ...' * (len(columns) > 30)}." if columns else ""
        raise RequestError(f"What is to be learnt? Name the column: --target COLUMN.{listed}")
    _refuse_size(str(full["size"]))
    full["coverage"] = float(full["coverage"])
    full["budget"] = None if full["budget"] is None else seconds(full["budget"])
    return full


def side(recipe: Mapping[str, Any]) -> int | None:
    """The side that pictures are to be brought to; None where nobody said."""
    size = str(recipe["size"])
    return int(size) if size.isdigit() else None


def wider(recipe: Mapping[str, Any], sizes: Mapping[str, Any]) -> dict[str, Any]:
    """`sizes` as wide as the size asked for."""
    return {**sizes, "width": round(sizes["width"] * WIDER.get(str(recipe["size"]), 1.0))}


def _refuse_size(size: str) -> None:
    if size not in WIDER and not (size.isdigit() and SIDES[0] <= int(size) <= SIDES[1]):
        raise RequestError(
            f"No size {size!r}. Sizes: {', '.join(WIDER)}, or the side of pictures in pixels, {SIDES[0]} to "
            f"{SIDES[1]}. Write for example --size medium or --size 128"
        )


def plan(recipe: Mapping[str, Any]) -> Plan:
    """The plan that a recipe holds, with the recipe's own seed. Raises RequestError for a line that is none of it."""
    from learnt.train.loop import Plan

    try:
        return Plan(**{**recipe["plan"], "seed": recipe["seed"]})
    except TypeError as error:
        known = ", ".join(Plan.__dataclass_fields__)
        raise RequestError(f"The plan of the recipe is not whole: {error}. Its lines: {known}.") from None


def refuse_other(path: Path, fingerprint: str, recipe: Mapping[str, Any]) -> None:
    """A checkpoint goes on only with the data and options it was made with: else rows it learnt from would judge it.

    Raises RequestError where `path` says that they were others.
    """
    if path.exists() and path.read_text(encoding="utf-8") != _made_of(fingerprint, recipe):
        raise RequestError(
            f"The checkpoint in {path.parent} is of other data or options. Resume with the same data, --test and "
            "options, or leave --resume out to start anew."
        )


def not_asked(recipe: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The options of an earlier run that nobody repeated and that are not the usual ones, as they are written."""
    taken = {name: recipe.get(name) for name in ("target", *DEFAULTS) if name not in ("budget", "pretrained")}
    kept = {
        name: list(map(str, value)) if isinstance(value, list | tuple) else [str(value)]
        for name, value in taken.items()
        if value != DEFAULTS.get(name, []) and asked.get(name) in (None, [])
    }
    return " ".join(
        f"--{name} {shlex.join(said) if name == 'target' else shlex.quote(','.join(said))}"
        for name, said in kept.items()
    )


def own(path: Path, fingerprint: str, recipe: Mapping[str, Any]) -> None:
    """Write what a checkpoint is made of, for `refuse_other`."""
    whole.write(path, _made_of(fingerprint, recipe))


def _made_of(fingerprint: str, recipe: Mapping[str, Any]) -> str:
    asked = {name: value for name, value in recipe.items() if name not in ("budget", *PLANNED)}
    return json.dumps({"data": fingerprint, "asked": asked}, sort_keys=True)


def seconds(budget: str | float) -> float:
    """`90`, "90s", "3m" or "1h" as seconds."""
    text = str(budget).strip().lower()
    unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:])
    try:
        found = float(text[:-1]) * unit if unit else float(text)
    except ValueError:
        found = 0.0
    if not 0 < found < float("inf"):
        raise RequestError(f"--budget {budget!r} is no time. Write for example --budget 90s, 3m or 1h.")
    return found


def read(path: Path) -> dict[str, Any]:
    """A recipe.yaml as a dict. Raises RequestError when it is not there or is not one."""
    try:
        found = of_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise RequestError(
            f"The recipe {str(path)!r} is no text. Expected the recipe.yaml of an earlier run."
        ) from None
    except OSError as error:
        raise RequestError(f"Cannot read the recipe {str(path)!r}: {error.strerror}.") from None
    except ValueError as error:
        raise RequestError(f"The recipe {str(path)!r} is no YAML: {error}".splitlines()[0]) from None
    if not isinstance(found, dict):
        raise RequestError(f"The recipe {str(path)!r} holds no options. Expected lines like 'seed: 0'.")
    return found


def write(path: Path, recipe: Mapping[str, Any]) -> None:
    """Write as a whole, in the order given."""
    import yaml

    whole.write(path, yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True))
