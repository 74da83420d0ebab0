"""A training from begin to file, one method a step. Each step reads what the steps before left, and adds to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from learnt import __version__, deciding, recipes, registry, teaching
from learnt.artifact import filling
from learnt.artifact.artifact import Artifact
from learnt.artifact.evidence import usual
from learnt.codecs import cells
from learnt.codecs.ragged import take, take_each
from learnt.contracts import Arrays, Columns, Doubts, Settings, Timed
from learnt.data import sources
from learnt.data import unlabelled as reading
from learnt.data.collecting import Collected, collect
from learnt.data.unlabelled import Unlabelled
from learnt.errors import LearntError, RequestError
from learnt.judging import Judge
from learnt.retraining import Recipe, Retraining, of_fold, read_alike
from learnt.stats import conformal, policies
from learnt.teaching import Tried
from learnt.train import deletion, export, graph, manifest, members, planning, self_training
from learnt.train.batches import Rows
from learnt.train.learning import Asked, Learnt, learn
from learnt.train.loop import Plan, Trained, fit
from learnt.train.network import Network, build, groups_of, sizes_for, tasks_of
from learnt.train.progress import Progress
from learnt.train.self_training import WIDER
from learnt.train.sisters import Sister, sister

Tell = Callable[[str], None]
AGAIN_BELOW = 20_000
"""Rows to fit below which a tenth more of them is worth a second training."""
STORE_ABOVE = 256 * 1024**2
"""Bytes of raw arrays above which they are read from memory-mapped files while training."""


@dataclass
class Running:
    """Where a training stands."""

    folder: Path
    recipe: dict[str, Any]
    collected: Collected
    resume: bool
    say: Tell
    progress: Progress
    asked: Asked
    wishes: Mapping[str, Any]
    learnt: Learnt | None = None
    plan: Plan | None = None
    sizes: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sister: list[Sister] = field(default_factory=list)
    ran: int = 0
    """Steps of all trainings so far."""
    network: Network | None = None
    model: onnx.ModelProto | None = None
    described: dict[str, Any] = field(default_factory=dict)
    opened: Artifact | None = None
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    name: str = "data"
    """What the data are called."""
    unlabelled: Unlabelled | None = None
    tried: Tried | None = None
    """What became of the unlabelled examples."""
    paid: int = 0
    """Steps that paid for the sisters that learnt from labels alone."""

    @classmethod
    def begin(
        cls,
        data: Any,
        *,
        asked: Mapping[str, Any],
        test: Any,
        unlabelled: Any = None,
        out: str | Path | None,
        recipe: str | Path | Mapping[str, Any] | None,
        resume: bool,
        say: Tell,
    ) -> Running:
        """Read, give roles, split; say each guess and the option that overrides it."""
        folder = Path(out) if out is not None else Path("runs") / _stem(data)
        kept = folder / "checkpoint" / "recipe.yaml"
        if resume and kept.exists():
            recipe = kept
        source = sources.opened(data)
        full = recipes.resolve(asked, recipe, source.target, list(source.columns))
        names = ("task", "inputs", "drop", "sensitive", "weight", "reweigh", "group", "time", "seed", "views")
        collected = collect(
            source,
            target=full["target"],
            test=test,
            by_group=policies.by_group(full["decide"]),
            **{name: full[name] for name in names},
        )
        more = None if unlabelled is None else reading.unlabelled(unlabelled, collected, full["seed"])
        kinds = [registry.task(kind) for kind in collected.roles.targets.values()]
        if full["budget"] is None:
            full["budget"] = planning.usual(modality for modality, _ in collected.roles.inputs.values())
        if full["horizons"] and not any(isinstance(kind, Timed) for kind in kinds):
            raise RequestError("--horizons is for a time to an event. Write for example --target DURATION,EVENT")
        if resume and not kept.exists():
            say(f"Nothing to resume in {folder}: training from the start.")
        if resume:
            recipes.refuse_other(folder / "checkpoint" / "of.json", _told_apart(collected, more), full)
        for guess in collected.roles.guesses:
            say(f"{guess['sentence']} ({guess['option']})")
        if more is not None:
            collected = replace(
                collected,
                problems=[*collected.problems, *more.problems],
                notes=[*collected.notes, *more.notes],
            )
        for where, why in collected.problems[:10]:
            say(f"{where}: {why}")
        for note in collected.notes:
            say(note)
        return cls(
            folder=folder,
            recipe=full,
            collected=collected,
            resume=resume,
            say=say,
            progress=Progress(folder / "log.jsonl", say, resume),
            asked=Asked(collected.roles.inputs, collected.roles.targets, collected.roles.views, recipes.side(full)),
            wishes={name: full[name] for name in ("coverage", "decide", "prevalence", "positive")}
            | {"per_day": collected.per_day},
            name=_stem(data),
            unlabelled=more,
        )

    @property
    def artifact(self) -> Artifact:
        """The finished file, opened."""
        assert self.opened is not None
        return self.opened

    @property
    def judges(self) -> dict[str, Judge]:
        """By target, as the finished file has it."""
        held = self.artifact.manifest["targets"]
        return {
            name: Judge(self.collected, name, task, {**held[name]["settings"], "sets": True}, self.recipe["coverage"])
            for name, task in self.asked.targets.items()
        }

    @property
    def small(self) -> bool:
        """True: too few examples to give any away; sisters say the figures."""
        return self.collected.splits.small

    @property
    def rows(self) -> tuple[Rows, Rows]:
        """What the file's network is trained on, and what stops it."""
        splits = self.collected.splits
        if not self.small:
            return splits.fit, splits.stop
        return splits.final, np.zeros(0, np.int64)

    @property
    def taught(self) -> bool:
        """True: the file learns from unlabelled examples too."""
        return self.tried is not None and self.tried.shipped

    @property
    def few(self) -> bool:
        """True: the examples that ended the training are worth training once more with them, as the baseline does."""
        return not self.small and len(self.collected.splits.stop) > 0 and len(self.rows[0]) < AGAIN_BELOW

    @property
    def shared(self) -> dict[str, dict[str, Any]]:
        """Settings of each target that all sisters have in common."""
        assert self.learnt is not None
        return read_alike(self.learnt.targets)

    def learn(self) -> None:
        """Settings from the fit split; sizes and steps, from the recipe or planned by the budget."""
        splits = self.collected.splits
        sets = len(splits.calibrate) >= conformal.FEWEST
        columns = self.collected.columns
        rows = self.rows[0]
        wished = {"sets": sets, "coverage": self.recipe["coverage"]}
        self.extra = {name: {**wished, **self._horizons(name, rows)} for name in self.asked.targets}
        self.learnt = learn(columns, self.asked, rows, weight=self._emphasis(rows), extra=self.extra)
        self.learnt = replace(self.learnt, targets=deciding.settled(self.learnt, self.collected, rows, self.wishes))
        asked = {f"groups.{column}": values.astype(object) for column, values in self._groups().items()}
        self.learnt = replace(self.learnt, raw={**self.learnt.raw, **asked})
        if self.learnt.fed.bytes > STORE_ABOVE:
            key = f"{__version__}/{self.collected.fingerprint}"
            self.learnt = replace(self.learnt, fed=self.learnt.fed.stored(self.folder / "checkpoint" / "store", key))
        self._refuse_unreadable()
        usual = sizes_for(self.learnt.inputs, len(rows), self.learnt.targets)
        self.sizes = dict(self.recipe.get("sizes") or recipes.wider(self.recipe, usual))

    def settle(self) -> None:
        """Steps, from the recipe or planned by the budget. What an earlier run left in the folder gives way only here,
        after all that can be refused."""
        assert self.learnt is not None
        splits, budget = self.collected.splits, self.recipe["budget"]
        trainings = len(splits.folds) + 1 if self.small else 1
        if self.unlabelled is not None:
            trainings *= 1 + WIDER
        rows, stop = splits.folds[0][:2] if self.small else self.rows
        enough = planning.enough(self.learnt.fed, rows, self.sizes)
        self.plan = (
            recipes.plan(self.recipe)
            if self.recipe.get("plan")
            else planning.planned(
                self.learnt, (rows, stop), self.sizes, self.recipe["seed"], budget, trainings, self.few
            )
        )
        self._take()
        many = f"{len(splits.folds)} sister networks and the file's own" if self.small else "one network"
        if self.plan.steps < enough:
            self.say(
                f"The time allows {self.plan.steps:,} of the {enough:,} steps that proved enough for such data; "
                "a longer --budget may give better figures."
            )
        self.say(
            f"{self.collected.rows:,} examples. Training {many}, at most {self.plan.steps:,} steps of "
            f"{self.plan.batch} examples each (--budget {budget:.0f}s)."
        )

    def _take(self) -> None:
        """The folder is this run's from here on."""
        assert self.plan is not None
        folder = self.folder / "checkpoint"
        if not self.resume and folder.exists():
            for left in [path for path in folder.iterdir() if path.name != "store"]:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        recipes.own(folder / "of.json", _told_apart(self.collected, self.unlabelled), self.recipe)
        self.recipe |= {"sizes": self.sizes, "plan": asdict(self.plan)}
        recipes.write(folder / "recipe.yaml", self.recipe)

    def sisters(self) -> None:
        """With few examples: five folds, each judged by a sister that never saw it."""
        if not self.small:
            return
        assert self.plan is not None
        assert self.learnt is not None
        self.sister = self._sisters(None)
        self.paid = max(1, int(np.median([sister.steps for sister in self.sister])))
        if self.unlabelled is not None:
            taught = self._sisters(self.unlabelled.columns)
            (target,) = self.learnt.targets
            said = [
                np.concatenate([one.outputs[f"{target.name}.probability"] for one in found])
                for found in (self.sister, taught)
            ]
            self._try(said, np.concatenate([one.held for one in taught]), teaching.FOLDS)
            self.sister = taught if self.taught else self.sister

    def _sisters(self, unlabelled: Columns | None) -> list[Sister]:
        """One a fold; with unlabelled examples those of before are their teachers."""
        assert self.plan is not None
        found = []
        also = "" if unlabelled is None else ", from unlabelled examples too"
        for place, rows in enumerate(self.collected.splits.folds):
            plan, folder = of_fold(self.plan, self.folder / "checkpoint", place)
            said = f"sister network {place + 1} of {len(self.collected.splits.folds)}{also}"
            with self.progress.training(said) as say:
                found.append(
                    sister(
                        self.collected.columns,
                        self.asked,
                        rows,
                        self.sizes,
                        plan,
                        self.wishes,
                        self.shared,
                        (self.collected.weight, self._emphasis(np.union1d(*rows[:2]))),
                        folder,
                        self.resume or unlabelled is not None,
                        say,
                        unlabelled,
                    )
                )
        return found

    def _try(self, said: Sequence[NDArray[np.floating]], rows: Rows, on: str) -> None:
        """What networks without and with the unlabelled examples say of these rows decides which ships."""
        assert self.learnt is not None
        assert self.unlabelled is not None
        (target,) = self.learnt.targets
        codes = np.asarray(self.learnt.examples.targets[target.name]["label"])[rows]
        self.tried = Tried.judged(said[0], said[1], codes, self.unlabelled.rows, on)
        self.say(self.tried.sentence)

    def fit(self) -> None:
        """The network of the file; as long as the stop split gains, or as long as it paid for the sisters.

        With some thousand examples it is then trained once more, with the stop split and for as many steps as paid.
        """
        assert self.plan is not None
        assert self.learnt is not None
        rows, stop = self.rows
        plan = self.plan
        if self.small:
            plan = replace(plan, every=min(plan.every, self.paid), until=self.paid)
        network = build(self.learnt.inputs, self.learnt.targets, self.sizes, plan.seed)
        with self.progress.training("the network of the file") as say:
            trained = fit(
                network, self.learnt.fed, rows, stop if len(stop) else None, plan,
                self.folder / "checkpoint", self.resume, say,
            )  # fmt: skip
        self.ran = trained.history[-1][0] + sum(sister.ran for sister in self.sister)
        if self.unlabelled is not None and (self.taught or not self.small):
            trained = self._student(trained, plan)
        chosen = members.choose(trained.network, self.learnt.fed, stop)
        if plan.again and not self.taught:
            plan = replace(plan, every=min(plan.every, trained.step), until=trained.step)
            network = build(self.learnt.inputs, self.learnt.targets, self.sizes, plan.seed)
            with self.progress.training("the same once more, with the examples that ended it") as say:
                trained = fit(
                    network, self.learnt.fed, self.collected.splits.final, None, plan,
                    self.folder / "checkpoint" / "again", self.resume, say,
                )  # fmt: skip
            self.ran += trained.history[-1][0]
        if len(chosen) < trained.network.fuse.members:
            trained.network.keep(chosen)
        self.network = export.freeze(trained.network)

    def _student(self, teacher: Trained, plan: Plan) -> Trained:
        """The teacher's student where she is worth it."""
        assert self.learnt is not None
        assert self.unlabelled is not None
        rows, stop = self.rows
        if self.small:
            paid = max(1, int(np.median([sister.steps for sister in self.sister])))
            plan = replace(plan, every=min(plan.every, paid), until=paid)
        with self.progress.training("the network of the file from unlabelled examples too") as say:
            found = self_training.student(
                teacher.network, self.learnt, (rows, stop if len(stop) else None), self.unlabelled.columns, self.sizes,
                plan, self.folder / "checkpoint", self.resume, say,
            )  # fmt: skip
        self.ran += WIDER * found.history[-1][0]
        if not self.small:
            both = [self_training.probabilities(one.network, self.learnt.fed, stop) for one in (teacher, found)]
            self._try(both, stop, teaching.STOP)
        return found if self.taught else teacher

    def export(self) -> None:
        """One file: traced once, constants filled in by running it, compared with the network, not yet measured."""
        assert self.network is not None
        assert self.learnt is not None
        self.say("Writing the file and comparing it with the network.")
        network, splits = self.network, self.collected.splits
        maps = deletion.choose(network, self.learnt.examples, splits.calibrate)
        try:
            self._compared(maps)
        except LearntError:
            if not network.traced:
                raise
            network.traced.clear()
            self._compared({name: {**found, "of": deletion.PLACES} for name, found in maps.items()})

    def _compared(self, maps: Mapping[str, Any]) -> None:
        """The file with these maps. Raises LearntError where it does not say what the network says."""
        assert self.network is not None
        assert self.learnt is not None
        splits, known = self.collected.splits, self.learnt
        truths = known.examples.targets
        bank = filling.bank_rows(truths, self.rows[0], self.recipe["seed"])
        neutral = export.neutral(self.network, len(bank))
        self.model = export.to_onnx(self.network, neutral)
        self.described = self._description()
        for name, found in maps.items():
            self.described["inputs"][name]["map"] = found
        fed = {name: self._fed(name, values) for name, values in known.raw.items()}

        def run(rows: Rows, constants: Arrays) -> Arrays:
            return self._open(constants).run(take_each(fed, rows))

        def unfed(rows: Rows, constants: Arrays) -> Arrays:
            return self._open(constants).run(take_each(known.raw, rows))

        groups = take_each({**self.collected.groups, **self._groups()}, splits.calibrate)
        constants = filling.constants(
            tasks_of(known.targets), truths, neutral, run, unfed, bank, splits.calibrate, groups, self.wishes,
            self.collected.weight,
        )  # fmt: skip
        self.opened = self._open(constants)
        self._policies()
        self.described["usual"] = usual(self.opened, take_each(known.raw, splits.calibrate))
        self.opened = self._open(constants)
        export.parity(self.network, constants, self.opened.bytes)
        inputs = manifest.golden_inputs(self.network)
        names = [output.name for output in self.opened.session.get_outputs()]
        outputs = dict(zip(names, self.opened.session.run(names, inputs), strict=True))
        self.described["goldens"] = manifest.goldens(inputs, outputs, export.tolerances(self.network))

    def finish(self, measured: Mapping[str, Any]) -> None:
        """The figures into the manifest, and the file to its place."""
        assert self.model is not None
        self.described["measured"] = measured
        manifest.write(self.model, self.described)
        graph.check(self.model)
        self.opened = Artifact.open(graph.to_bytes(self.model))
        self.opened.save(self.folder / "model.onnx")

    def retraining(self, name: str) -> Retraining:
        """Trains sisters for a question about a target."""
        assert self.plan is not None
        assert self.learnt is not None
        recipe = Recipe(
            collected=self.collected,
            asked=self.asked,
            inputs=self.learnt.inputs,
            sizes=self.sizes,
            plan=self.plan,
            rows=len(self.collected.splits.folds[0][0] if self.small else self.rows[0]),
            wishes=self.wishes,
            extra=self.shared,
            folder=self.folder / "checkpoint",
            shown=self.ran * self.plan.batch,
            sisters=self.sister,
            unlabelled=self.unlabelled.columns if self.unlabelled is not None and self.taught else None,
        )
        return Retraining(recipe, self.judges[name], self.progress, self.say)

    def _emphasis(self, rows: Rows) -> NDArray[np.float64] | None:
        """What the loss of each example is multiplied with where these are learnt from."""
        return self.collected.emphasis(rows, self.collected.roles.reweigh)

    def _horizons(self, name: str, rows: Rows) -> Settings:
        """The settings of a target that has horizons: those asked for, or guessed aloud."""
        task, asked = registry.task(self.asked.targets[name]), self.recipe["horizons"]
        if not isinstance(task, Timed):
            return {}
        settings = task.at(asked or (), take(self.collected.columns[name], rows))
        if not asked:
            sentence = f"{name!r} is foretold for {', '.join(settings['codes'])}, in the unit of the durations."
            self.say(f"{sentence} (--horizons)")
            self.collected.roles.guesses.append({"sentence": sentence, "option": "--horizons A,B,..."})
        return settings

    def _refuse_unreadable(self) -> None:
        """Cells that could not be read are listed; rows with one above 1 % stop the run."""
        assert self.learnt is not None
        doubted: list[tuple[int, str]] = []
        for given in self.learnt.inputs:
            modality = registry.modality(given.modality)
            if isinstance(modality, Doubts):
                cells = {name: self.collected.columns[name] for name in given.columns}
                doubted += modality.unreadable(cells, given.settings)
        self.unreadable = self.collected.placed(doubted)
        if self.unreadable:
            listed = "; ".join(f"{where}: {why}" for where, why in self.unreadable[:5])
            self.say(f"{len(self.unreadable):,} cells could not be read and count as missing: {listed}")

    def _open(self, constants: Arrays) -> Artifact:
        assert self.model is not None
        graph.fill(self.model, {f"constants.{name}": value for name, value in constants.items()})
        manifest.write(self.model, self.described)
        return Artifact.open(graph.to_bytes(self.model))

    def _description(self) -> dict[str, Any]:
        assert self.network is not None
        assert self.plan is not None
        splits, roles = self.collected.splits, self.collected.roles
        return (
            manifest.describe(
                self.network,
                coverage=self.recipe["coverage"] if len(splits.calibrate) >= conformal.FEWEST else None,
                calibrated_on=len(splits.calibrate),
                data={
                    "fingerprint": self.collected.fingerprint,
                    "rows": len(splits.final if self.plan.again and not self.taught else self.rows[0]),
                    "fit": len(self.rows[0]),
                },
                recipe={name: value for name, value in self.recipe.items() if name != "budget"},
                ids=roles.ids,
            )
            | {"members": self.network.fuse.members, "sensitive": list(roles.sensitive)}
            | self._unlabelled()
        )

    def _unlabelled(self) -> dict[str, Any]:
        return {} if self.tried is None else {"unlabelled": self.tried.document}

    def _policies(self) -> None:
        """What policies come to on the rows they were chosen on: into the manifest, and said."""
        assert self.learnt is not None
        rows = self.collected.splits.calibrate
        found = deciding.policies(self.artifact, self.learnt, self.collected, rows)
        for name, policy in found.items():
            held = self.described["targets"][name]
            held["settings"] = {**held["settings"], "policy": policy}
            for sentence in policy["sentences"]:
                self.say(sentence)

    def _groups(self) -> dict[str, NDArray[Any]]:
        """As text, the columns that a decision tells groups apart by."""
        assert self.learnt is not None
        return {column: cells.texts(self.collected.columns[column]) for column in groups_of(self.learnt.targets)}

    def _fed(self, name: str, values: Any) -> Any:
        """Raw tensors of the file, with what only training sees appended."""
        assert self.learnt is not None
        if self.learnt.fed is self.learnt.examples:
            return values
        given, tensor = name.rsplit(".", 1)
        found = self.learnt.fed.raw.get(given, {}).get(tensor)
        return values if found is None or isinstance(values, np.ndarray) else found


def _told_apart(collected: Collected, unlabelled: Unlabelled | None) -> str:
    return collected.fingerprint + ("" if unlabelled is None else f"+{unlabelled.fingerprint}")


def _stem(data: Any) -> str:
    return Path(str(data)).stem or "data" if isinstance(data, str | Path) and str(data) != "-" else "data"
