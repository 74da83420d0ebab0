"""A file's manifest as a model card: Markdown that a model hub reads, nothing in it that the manifest does not hold.

Sections and metadata as in Hugging Face's template (Mitchell et al., "Model cards for model reporting", FAT* 2019).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from learnt.artifact.card import chosen
from learnt.contracts import Settings

KINDS = {"table": "tabular", "image": "image", "text": "text", "audio": "audio"}
"""What a hub calls a modality."""
NUMBERS = ("tabular", "regress")
"""The one pair that a hub does not file under classification."""


def model_card(manifest: Settings, name: str) -> str:
    """The card of a file called `name`, metadata first. Takes what a thin manifest has; what is missing is said."""
    parts = (
        _metadata(manifest, name),
        _details(manifest, name),
        _uses(manifest),
        _limits(manifest),
        _start(manifest, name),
        _training(manifest),
        _evaluation(manifest),
        _technical(manifest),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _metadata(manifest: Settings, name: str) -> Iterator[str]:
    kind = _pipeline(manifest)
    yield "---"
    yield "license: other"
    yield f"license_name: {_quoted(manifest.get('licence') or 'not stated')}"
    yield "library_name: onnx"
    yield f"pipeline_tag: {kind}"
    yield "tags: [onnx, learnt, calibrated, conformal-prediction]"
    measured = manifest.get("measured") or {}
    of = "the site it was recalibrated for" if manifest.get("recalibrated") else "the data it was made from"
    if measured:
        yield "model-index:"
        yield f"- name: {_quoted(name)}"
        yield "  results:"
    for target, metrics in measured.items():
        yield f"  - task: {{type: {kind}, name: {_quoted(str(manifest['targets'][target]['task']))}}}"
        yield f"    dataset: {{name: {_quoted(f'held-out rows of {of}')}, type: private}}"
        yield "    metrics:"
        for metric, figure in metrics.items():
            value = "null" if figure["value"] is None else json.dumps(figure["value"])
            yield f"    - {{type: {_quoted(metric)}, name: {_quoted(f'{target}: {metric}')}, value: {value}}}"
    yield "---"


def _pipeline(manifest: Settings) -> str:
    given, target = next(iter(manifest["inputs"].values())), next(iter(manifest["targets"].values()))
    kind = KINDS.get(str(given["modality"]), str(given["modality"]))
    return f"{kind}-{'regression' if (kind, target['task']) == NUMBERS else 'classification'}"


def _details(manifest: Settings, name: str) -> Iterator[str]:
    yield f"\n# Model card for {_plain(name)}\n"
    for target, held in manifest["targets"].items():
        labels = [str(label) for label in held["settings"].get("labels", ())]
        about = f": {_plain(', '.join(labels[:30]))}{' and others' if len(labels) > 30 else ''}" if labels else ""
        if horizons := held["settings"].get("codes"):
            about = f": the risk by {_plain(', '.join(horizons))}, in the unit of the durations"
        yield f"Predicts `{_plain(target)}` ({held['task']}){about}.\n"
    yield "## Model details\n"
    for given, held in manifest["inputs"].items():
        optional = ", may be absent" if held.get("optional") else ""
        yield f"- From **{_plain(given)}** ({held['modality']}{optional}): {_plain(', '.join(held['columns']))}"
    yield f"- License: {_plain(manifest.get('licence') or 'not stated')}"
    yield "- Form: one ONNX file of standard operators; it predicts, doubts and explains without the training code"


def _uses(manifest: Settings) -> Iterator[str]:
    yield "\n## Uses\n"
    yield _plain(manifest.get("use") or "Not stated.")
    yield "\n### Out-of-scope use\n"
    yield "Data unlike those it was made from: `unfamiliar` near 1 says so for each prediction."


def _limits(manifest: Settings) -> Iterator[str]:
    yield "\n## Bias, risks, and limitations\n"
    for limit in manifest.get("limits") or ("Not stated.",):
        yield f"- {_plain(limit)}"
    sensitive = [_plain(column) for column in manifest.get("sensitive") or ()]
    compared = f"by {', '.join(sensitive)}" if sensitive else "none: no column was named for it"
    yield f"- Groups of people that were compared: {compared}"
    yield f"- Of the data it was made from it holds: {_plain(manifest.get('inside') or 'not stated')}"


def _start(manifest: Settings, name: str) -> Iterator[str]:
    columns = [column for held in manifest["inputs"].values() for column in held["columns"]]
    example = ", ".join(f"{json.dumps(_plain(column), ensure_ascii=False)}: ..." for column in columns[:3])
    yield "\n## How to get started with the model\n"
    yield "```python"
    yield "import learnt\n"
    yield f"model = learnt.load({json.dumps(name + '.onnx', ensure_ascii=False)})"
    yield f"model.predict({{{example}{', ...' if len(columns) > 3 else ''}}})"
    yield "```"


def _training(manifest: Settings) -> Iterator[str]:
    data = manifest.get("data") or {}
    rows = f"{data['rows']:,} examples" if "rows" in data else "Not stated"
    yield "\n## Training details\n"
    yield f"{rows}, fingerprint `{data.get('fingerprint', 'not stated')}`. The recipe, as asked for:\n"
    yield "```json"
    yield json.dumps(manifest.get("recipe") or {}, indent=1, ensure_ascii=False)
    yield "```"


def _evaluation(manifest: Settings) -> Iterator[str]:
    yield "\n## Evaluation\n"
    measured = manifest.get("measured") or {}
    if not measured:
        yield "Nothing was measured. Write: `learnt audit MODEL DATA`"
        return
    yield "On examples it never saw; intervals of 95 %.\n"
    yield "| target | metric | value | interval | n | measured on |"
    yield "|---|---|---|---|---|---|"
    for target, metrics in measured.items():
        for metric, figure in metrics.items():
            value = _number(figure["value"])
            ends = f"{_number(figure.get('low'))} to {_number(figure.get('high'))}"
            on = "sister networks of the same recipe" if figure.get("source") == "sisters" else "this file"
            yield f"| {_plain(target)} | {metric} | {value} | {ends} | {figure.get('n', 0):,} | {on} |"
    if sentence := chosen(manifest):
        yield f"\n{sentence}"


def _technical(manifest: Settings) -> Iterator[str]:
    yield "\n## Technical specifications\n"
    made = ", ".join(f"{what} {version}" for what, version in (manifest.get("versions") or {}).items())
    yield f"Made with {_plain(made) or 'versions that are not stated'}. Networks inside: {manifest.get('members', 1)}."


def _number(value: Any) -> str:
    return "?" if value is None else f"{float(value):.4g}"


def _quoted(text: str) -> str:
    """Text as YAML takes it: a JSON string is one."""
    return json.dumps(text, ensure_ascii=True)


def _plain(text: Any) -> str:
    """One line without what Markdown or HTML would act on: names in a manifest are a stranger's."""
    clean = "".join(char if char.isprintable() else " " for char in str(text))
    for char in "\\`|<>[]":
        clean = clean.replace(char, f"&#{ord(char)};")
    return clean
