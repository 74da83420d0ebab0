"""What the file says of examples whose truth is known, as every question of trust wants it."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from math import isnan, nan
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from learnt.artifact.artifact import Artifact
from learnt.codecs import whole
from learnt.codecs.notation import of_json
from learnt.contracts import Arrays, Cells, Defines, Evidence, Raw, Verdicts, Written
from learnt.errors import RequestError

_DAMAGED = (BadZipFile, EOFError, zlib.error, NotImplementedError)
"""What numpy says of an archive of arrays that is cut short or overwritten."""
_TEXT = ("labels", "source", "calibrated_on", "right")


def gather(
    artifact: Artifact,
    raw: Raw,
    truth: Mapping[str, Cells | None],
    ids: Sequence[str],
    groups: Mapping[str, NDArray[Any]],
    outputs: Arrays | None = None,
    weight: NDArray[np.float64] | None = None,
) -> dict[str, Evidence]:
    """Runs, decodes and judges: Evidence of every target named in `truth`.

    `raw` and `truth` in the same order; where the truth is None there are no verdicts. `outputs` of
    `artifact.run` on the same `raw` saves running it again; `weight` says how much each row counts.
    """
    if any(cells is not None for cells in truth.values()):
        raw = artifact.begun(raw)
    outputs = artifact.run(raw) if outputs is None else outputs
    said = artifact.answers(raw, outputs)
    tasks = artifact.tasks()
    evidence = {}
    for target, cells in truth.items():
        task, settings = tasks[target]
        verdicts = Verdicts.none() if cells is None else task.judge(said[target], cells, settings)
        probability = outputs.get(f"{target}.probability")
        evidence[target] = Evidence(
            ids=ids,
            verdicts=verdicts.weighed(None if cells is None else weight),
            probability=None
            if probability is None or probability.ndim != 2 or len(verdicts.example) > len(probability)
            else probability[verdicts.example].astype(np.float64),
            vector=outputs["vector"],
            unfamiliar=outputs["unfamiliar"].astype(np.float64),
            groups=groups,
            source="file",
            target=target,
            labels=tuple(str(label) for label in settings.get("labels", ())),
            coverage=float(artifact.manifest.get("coverage") or np.nan),
            calibrated_on=int(artifact.manifest.get("calibrated_on") or 0),
            usual=tuple(artifact.manifest.get("usual", ())),
            policy=settings.get("policy", {}),
            right=task.right(settings) if isinstance(task, Defines) else "",
        )
    return evidence


def usual(artifact: Artifact, raw: Raw) -> list[float]:
    """256 quantiles of `unfamiliar` of the examples that calibrated a file: even ones, unless examples recur."""
    said = artifact.run(raw)["unfamiliar"]
    if not len(said):
        return []
    found = np.quantile(said.astype(np.float64), np.linspace(0, 1, 257)[1:], method="inverted_cdf")
    return [round(value, 6) for value in found.tolist()]


def keep(evidence: Mapping[str, Evidence], folder: Path) -> None:
    """Write what the questions saw, a target at a time: arrays as .npz and the rest as .json, no pickle."""
    shutil.rmtree(folder, ignore_errors=True)
    whole.folder(folder)
    for place, (target, one) in enumerate(evidence.items()):
        arrays: dict[str, Any] = {
            f"verdicts.{name}": value for name, value in asdict(one.verdicts).items() if isinstance(value, np.ndarray)
        }
        arrays |= {f"measures.{name}": values for name, values in one.verdicts.measures.items()}
        arrays |= {"vector": one.vector, "unfamiliar": one.unfamiliar}
        shares = {"probability": one.probability, "neighbours": one.neighbours}
        arrays |= {name: values for name, values in shares.items() if values is not None}
        with whole.replacing(folder / f"{place}.npz") as unfinished:
            np.savez(unfinished, **arrays)
        text: dict[str, Any] = {name: getattr(one, name) for name in _TEXT}
        text["coverage"] = None if isnan(one.coverage) else one.coverage
        text |= {"target": target, "ids": list(one.ids), "policy": dict(one.policy), "usual": list(one.usual)}
        text["groups"] = {name: np.asarray(values).tolist() for name, values in one.groups.items()}
        whole.write(folder / f"{place}.json", json.dumps(text, ensure_ascii=False))


def kept(folder: Path) -> dict[str, Evidence]:
    """What `keep` wrote, by target; {} where there is nothing. Raises RequestError for a folder it did not write."""
    found = {}
    for path in sorted(folder.glob("*.json"), key=lambda path: (len(path.stem), path.stem)):
        try:
            text: dict[str, Any] = of_json(path.read_text(encoding="utf-8"))
            with np.load(BytesIO(path.with_suffix(".npz").read_bytes())) as held:
                arrays = dict(held)
            verdicts = Verdicts(**_part(arrays, "verdicts."), measures=_part(arrays, "measures."))
            target = text["target"]
            found[target] = Evidence(
                verdicts=verdicts,
                probability=arrays.get("probability"),
                neighbours=arrays.get("neighbours"),
                vector=arrays["vector"],
                unfamiliar=arrays["unfamiliar"],
                groups={name: np.array(values, dtype=object) for name, values in text.pop("groups").items()},
                labels=tuple(text.pop("labels")),
                usual=tuple(text.pop("usual")),
                **(text | {"coverage": nan if text["coverage"] is None else text["coverage"]}),
            )
        except (*_DAMAGED, OSError, ValueError, KeyError, TypeError, AttributeError):
            raise _torn(path.parent) from None
    return found


def keep_written(written: Mapping[str, Written], folder: Path) -> None:
    """As `keep`, of texts: `own` and `exchanged` in folders of their own, and `texts.json`."""
    if written:
        keep({name: one.own for name, one in written.items()}, folder / "own")
        keep({name: one.exchanged for name, one in written.items()}, folder / "exchanged")
        texts = {name: list(one.texts) for name, one in written.items()}
        whole.write(folder / "texts.json", json.dumps(texts, ensure_ascii=False))


def kept_written(folder: Path) -> dict[str, Written]:
    """What `keep_written` wrote, by target; {} where there is nothing. Raises RequestError as `kept` does."""
    own, exchanged = kept(folder / "own"), kept(folder / "exchanged")
    if not own:
        return {}
    try:
        texts = of_json((folder / "texts.json").read_text(encoding="utf-8"))
        return {
            name: Written(one, exchanged[name], [(given, said) for given, said in texts[name]])
            for name, one in own.items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        raise _torn(folder) from None


def _torn(folder: Path) -> RequestError:
    return RequestError(
        f"The evidence in {str(folder)!r} is not whole, or of an older version. Train again to have it."
    )


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
