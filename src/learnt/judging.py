"""Evidence of what did not come from the file: of sisters, of a baseline, of always giving the same answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact import batches
from learnt.artifact.filling import weighted
from learnt.codecs.ragged import take, take_each
from learnt.contracts import Arrays, Defines, Evidence, Points, Settings, Written
from learnt.data.collecting import Collected
from learnt.stats import neighbours, wrong_texts
from learnt.train.batches import Rows
from learnt.train.learning import Learnt
from learnt.train.sisters import Sister, plain_features, plain_texts

Trial = tuple[NDArray[Any], Any, NDArray[Any], Rows]
"""Features and targets to fit, features to answer, and the rows that these are of; features are float [N, F], or texts
[N] for a task that points at parts of them."""


@dataclass(frozen=True)
class Judge:
    """Judges one target of the collected examples."""

    collected: Collected
    target: str
    task: str
    settings: Settings
    coverage: float

    def evidence(
        self,
        outputs: Arrays,
        rows: Rows,
        source: Literal["sisters", "baseline"],
        calibrated_on: int,
        answers: Rows | None = None,
    ) -> Evidence:
        """Outputs of these rows, named as `decode` takes them -> evidence; what they lack is unknown. `answers`: the
        rows whose truth they are held against, where these are others.
        """
        task, count = registry.task(self.task), len(rows)
        said = {"unfamiliar": np.full(count, np.nan, np.float32), **outputs}
        predictions = said["predictions"].tolist() if "predictions" in said else task.decode(said, self.settings)
        truth = take(self.collected.columns[self.target], rows if answers is None else answers)
        verdicts = task.judge(predictions, truth, self.settings)
        probability = said.get("probability")
        return Evidence(
            ids=[self.collected.ids[int(row)] for row in rows],
            verdicts=verdicts.weighed(None if self.collected.weight is None else self.collected.weight[rows]),
            probability=None
            if probability is None or len(verdicts.example) > count
            else probability[verdicts.example].astype(np.float64),
            vector=said.get("vector", np.zeros((count, 1), np.float32)),
            unfamiliar=np.asarray(said["unfamiliar"], np.float64),
            groups=take_each(self.collected.groups, rows),
            source=source,
            target=self.target,
            labels=tuple(str(label) for label in self.settings.get("labels", ())),
            coverage=self.coverage,
            calibrated_on=calibrated_on,
            policy=self.settings.get("policy", {}),
            right=task.right(self.settings) if isinstance(task, Defines) else "",
            neighbours=said["neighbours"][verdicts.example] if "neighbours" in said else None,
        )

    def of_sisters(self, sisters: Sequence[Sister]) -> Evidence:
        """All folds side by side, each row as its own sister said it."""
        outputs, rows = self._joined(sisters)
        return self.evidence(outputs, rows, "sisters", _calibrated_on(sisters))

    def written(self, sisters: Sequence[Sister]) -> Written:
        """The same of texts, held against their own and against those of other rows."""
        outputs, rows = self._joined(sisters)
        said = registry.task(self.task).decode(outputs, self.settings)
        given = [str(cell) for cell in take(self.collected.columns[self.target], rows)]
        outputs["predictions"] = np.array([*said, None], object)[:-1]
        judged = partial(self.evidence, outputs, rows, "sisters", _calibrated_on(sisters))
        texts = [(text, str(one.value)) for text, one in zip(given, said, strict=True)]
        return Written(judged(), judged(rows[wrong_texts.exchanged(given)]), texts)

    def _joined(self, sisters: Sequence[Sister]) -> tuple[dict[str, NDArray[Any]], Rows]:
        """Their outputs for this target in the order of the rows, and these."""
        start = len(self.target) + 1
        outputs = [
            {key[start:]: value for key, value in sister.outputs.items() if key.startswith(f"{self.target}.")}
            | {"unfamiliar": sister.outputs["unfamiliar"]}
            | self._neighbours(sister)
            for sister in sisters
        ]
        return _side_by_side(outputs, [sister.held for sister in sisters])

    def _neighbours(self, sister: Sister) -> dict[str, NDArray[np.float64]]:
        """`neighbours` [held, labels] where every example has one label."""
        codes = np.asarray(sister.truths[self.target].get("label", ()))
        if codes.ndim != 1 or codes.dtype.kind != "i" or not self.settings.get("labels"):
            return {}
        (known, held), classes = sister.plain, len(self.settings["labels"])
        return {"neighbours": neighbours.shares(known, codes, held, classes)}

    def baseline(self, trials: Sequence[Trial], seed: int, blind: bool) -> tuple[str, Evidence] | None:
        """A well-known method on the same rows; blind, it sees no input and always says the same."""
        said: list[Arrays] = []
        name = ""
        for plain, truths, asked, _ in trials:
            if plain.dtype == object:
                asked = np.full(len(asked), "", object) if blind else asked
            else:
                seen = ~np.isnan(plain).all(axis=0)
                plain, asked = plain[:, seen], asked[:, seen]
                if blind:
                    plain, asked = np.zeros((len(plain), 1)), np.zeros((len(asked), 1))
            found = registry.task(self.task).baseline(plain, truths, asked, self.settings, seed)
            if found is None:
                return None
            name = found[0]
            said.append(found[1])
        joined, rows = _side_by_side(said, [held for *_, held in trials])
        return name, self.evidence(joined, rows, "baseline", 0)


def trials(collected: Collected, learnt: Learnt, target: str, sisters: Sequence[Sister]) -> list[Trial]:
    """One trial on the test split, or one for each sister on the fold held out from her."""
    pointing = isinstance(registry.task(collected.roles.targets[target]), Points)
    if sisters:
        known = [(sister, sister.texts if pointing else sister.plain) for sister in sisters]
        return [(fit, sister.truths[target], asked, sister.held) for sister, (fit, asked) in known]
    plain: NDArray[Any] = (plain_texts if pointing else plain_features)(learnt.inputs, learnt.raw)
    splits = collected.splits
    truths = weighted(take_each(learnt.examples.targets[target], splits.final), collected.weight, splits.final)
    return [(plain[splits.final], truths, plain[splits.test], splits.test)]


def figures(known: Mapping[str, tuple[str, Evidence]], judges: Mapping[str, Judge]) -> dict[str, Any] | None:
    """The name and plain metrics of what the file is compared with."""
    if not known:
        return None
    metrics = {
        target: registry.task(judges[target].task).metrics(evidence, judges[target].settings)
        for target, (_, evidence) in known.items()
    }
    names = {target: name for target, (name, _) in known.items()}
    name = next(iter(names.values()))
    return {"name": name, "names": names, "metrics": metrics if len(judges) > 1 else next(iter(metrics.values()))}


def held_out(sisters: Sequence[Sister]) -> Rows:
    """The rows that some sister never saw, in the order in which `Judge.of_sisters` has them."""
    return np.sort(np.concatenate([sister.held for sister in sisters]), kind="stable")


def _calibrated_on(sisters: Sequence[Sister]) -> int:
    return int(np.median([sister.calibrated_on for sister in sisters]))


def _side_by_side(parts: Sequence[Arrays], rows: Sequence[Rows]) -> tuple[dict[str, NDArray[Any]], Rows]:
    """Outputs of several sets of rows, in the order of the rows."""
    joined = np.concatenate(list(rows))
    order = np.argsort(joined, kind="stable")
    return {key: batches.joined([part[key] for part in parts])[order] for key in parts[0]}, joined[order]
