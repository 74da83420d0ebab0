"""A finished training examined: figures, questions, report. What is judged is the file, or sisters of its network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from learnt import apart, asking, deciding, judging, recipes, registry, report
from learnt.artifact.evidence import gather, keep, keep_written
from learnt.artifact.tools import tools
from learnt.codecs import files
from learnt.codecs.ragged import take, take_each
from learnt.contracts import Apart, Evidence, Finding, Follows, Tools, Written
from learnt.report.document import plain
from learnt.running import Exported
from learnt.showing import Showing
from learnt.train.batches import Rows


@dataclass
class Examining:
    """Where the examination of a training stands."""

    exported: Exported
    evidence: dict[str, Evidence] = field(default_factory=dict)
    own: dict[str, Evidence] = field(default_factory=dict)
    folded: dict[str, Evidence] = field(default_factory=dict)
    """By target, what sisters say of all examples, where a question wanted it."""
    written: dict[str, Written] = field(default_factory=dict)
    """By target the same of texts."""
    asked: Sequence[str] = ()
    """The questions."""
    findings: list[Finding] = field(default_factory=list)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    compared: dict[str, tuple[str, Evidence]] = field(default_factory=dict)
    nothing: dict[str, tuple[str, Evidence]] = field(default_factory=dict)

    def measure(self) -> None:
        """Evidence on examples never seen: of the file, or with few examples of its sisters; and of a baseline."""
        exported = self.exported
        splits = exported.collected.splits
        self.own = self._gathered(splits.calibrate if exported.small else splits.test)
        for name, judge in exported.judges.items():
            self.evidence[name] = judge.of_sisters(exported.sisters) if exported.small else self.own[name]
            self.metrics[name] = asking.measured(registry.task(judge.task), judge.settings, self.evidence[name])
            trials = judging.trials(exported.collected, exported.learnt, name, exported.sisters)
            for blind, known in ((False, self.compared), (True, self.nothing)):
                if (found := judge.baseline(trials, exported.recipe["seed"], blind)) is not None:
                    known[name] = found
        self.exported = exported.finished(plain(self.metrics))

    def ask(self, ask: str) -> None:
        """Each question of every target, of the evidence; what sisters cannot say is asked of the file.

        Those that are asked by default may train no sisters, unless they were named.
        """
        self.asked = asking.questions(ask)
        training = asking.trained_for(ask)
        for name in self.exported.asked.targets:
            for trains in (False, True):
                if names := [one for one in self.asked if (one in training) == trains]:
                    self.findings += self._asked(names, name, trains)

    def _asked(self, questions: Sequence[str], name: str, trains: bool) -> list[Finding]:
        """Of one target."""
        exported = self.exported
        known = self.compared.get(name)
        baseline = None if known is None else lambda: known
        if not exported.small:
            own = self._tools(name, exported.collected.splits.test, baseline, trains)
            return asking.ask_each(questions, self.own[name], own)
        own = self._tools(name, exported.collected.splits.calibrate, baseline, trains)
        said = self._tools(name, judging.held_out(exported.sisters), baseline, trains)
        given = Tools(
            baseline=own.baseline, metrics=own.metrics, retrain=own.retrain, out_of_fold=own.out_of_fold,
            written=own.written, apart=own.apart, cells=said.cells, facts=said.facts,
        )  # fmt: skip
        return asking.ask_each(questions, self.evidence[name], given, (self.own[name], own))

    def report(self, seconds: float) -> dict[str, Any]:
        """report.json, report.html, the evidence; the checkpoint is left for another look."""
        exported = self.exported
        collected = exported.collected
        roles = collected.roles
        document = {
            "model": str(exported.folder / "model.onnx"),
            "report": str(exported.folder / "report.html"),
            "title": f"{', '.join(exported.asked.targets)} from {exported.name}",
            "task": ", ".join(dict.fromkeys(exported.asked.targets.values())),
            "target": list(exported.asked.targets),
            "seconds": seconds,
            "rows": {part: len(rows) for part, rows in self._parts().items()},
            "metrics": asking.keyed(self.metrics),
            "all_right": asking.all_right(self.evidence),
            "metrics_source": "sisters" if exported.small else "file",
            "baseline": judging.figures(self.compared, exported.judges),
            "nothing": judging.figures(
                {name: ("always the same answer", evidence) for name, (_, evidence) in self.nothing.items()},
                exported.judges,
            ),
            "findings": asking.rows_of(self.findings),
            "unasked": asking.unasked(self.asked),
            "guesses": roles.guesses,
            "notes": list(exported.collected.notes) + self._notes(),
            "problems": [
                {"where": where, "why": why} for where, why in [*exported.collected.problems, *exported.unreadable]
            ],
            "inputs": asking.inputs_of(exported.artifact),
            "policies": {
                name: held["policy"] for name, judge in exported.judges.items() if "policy" in (held := judge.settings)
            },
            "labels": {name: list(judge.settings.get("labels", ())) for name, judge in exported.judges.items()},
            "file": asking.file_of(exported.artifact),
            "versions": exported.described["versions"],
            "recipe": exported.recipe,
            "plan": exported.recipe["plan"] | {"enough": exported.enough},
        } | ({} if exported.tried is None else {"unlabelled": exported.tried.document})
        recipes.write(exported.folder / "recipe.yaml", exported.recipe)
        report.write(document, exported.folder)
        keep(self.evidence, exported.folder / "evidence")
        if self.folded:
            keep(self.folded, exported.folder / "evidence" / "sisters")
        keep_written(self.written, exported.folder / "evidence" / "written")
        return document

    def _gathered(self, rows: Rows) -> dict[str, Evidence]:
        exported = self.exported
        collected = exported.collected
        return gather(
            exported.artifact,
            take_each(exported.learnt.raw, rows),
            {name: take(collected.columns[name], rows) for name in exported.asked.targets},
            [collected.ids[int(row)] for row in rows],
            {name: values[rows] for name, values in collected.groups.items()},
            weight=None if collected.weight is None else collected.weight[rows],
        )

    def _tools(self, name: str, rows: Rows, baseline: asking.Baseline | None, trains: bool) -> Tools:
        exported = self.exported
        collected = exported.collected
        truth = {name: take(collected.columns[name], rows)}
        ids, groups = [collected.ids[row] for row in rows.tolist()], take_each(collected.groups, rows)
        found = tools(
            exported.artifact, take_each(exported.learnt.raw, rows), truth, ids, groups, name, baseline,
            None if collected.weight is None else collected.weight[rows],
            files.facts(take_each(collected.columns, rows)),
        )  # fmt: skip
        retraining = exported.retraining(name)

        def out_of_fold() -> Evidence:
            if name not in self.folded and not exported.small:
                self.folded[name] = retraining.out_of_fold()
            return self.folded.get(name, self.evidence[name])

        @cache
        def parted() -> Apart | None:
            judge, seed = exported.judges[name], exported.recipe["seed"]
            if trains and "new_groups" in self.asked:
                return apart.by_sisters(judge, retraining, seed)
            return apart.by_baseline(judge, exported.learnt, seed)

        def written() -> Written:
            if name not in self.written:
                self.written[name] = retraining.written()
            return self.written[name]

        found = replace(found, retrain=retraining if trains else None, out_of_fold=out_of_fold, apart=parted)
        if isinstance(registry.task(exported.asked.targets[name]), Follows):
            found = replace(found, written=written)
        if found.pictures is None:
            return found
        showing = Showing(exported, name)
        vector = self.own[name].vector
        return replace(found, layers=showing.layers, nearest=lambda chosen: showing.nearest(vector[chosen]))

    def _parts(self) -> dict[str, Rows]:
        """With few examples the file's network learns also from what stops a sister, and nothing is left to test on."""
        splits = self.exported.collected.splits
        if self.exported.small:
            return {"fit": splits.final, "calibrate": splits.calibrate, "test": splits.test}
        return {"fit": splits.fit, "stop": splits.stop, "calibrate": splits.calibrate, "test": splits.test}

    def _notes(self) -> list[str]:
        exported = self.exported
        stated = deciding.notes({name: judge.settings for name, judge in exported.judges.items()})
        stated += [] if exported.tried is None else [exported.tried.sentence]
        stated += asking.told(asking.all_right(self.evidence))
        if not exported.small:
            return stated
        many = len(exported.sisters)
        return [
            *stated,
            "There are fewer than 2,000 examples, so none were given away for a test: the figures are of "
            f"{many} sister networks, each judged on a fifth that it never saw. The file's own network "
            "learnt from all examples but those it was calibrated on. Each sister was calibrated on the rows that "
            "ended her training, so what she promises is a little too good.",
        ]
