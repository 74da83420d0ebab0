"""Data read, roles given, examples split; each guess is said, with the option that overrides it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt import recipes, registry
from learnt.contracts import Hears, Listens, Subdivides, Timed, Writes
from learnt.data import corpora, sources, targets
from learnt.data import unlabelled as reading
from learnt.data.collecting import Collected, collect
from learnt.data.unlabelled import Unlabelled
from learnt.errors import RequestError
from learnt.running.holding import Hold
from learnt.stats import policies
from learnt.train import planning, pretrain
from learnt.train.batches import Rows
from learnt.train.learning import Asked
from learnt.train.pretrain import Start
from learnt.train.progress import Progress

Tell = Callable[[str], None]
AGAIN_BELOW = 20_000
"""Rows to fit below which a tenth more of them is worth a second training."""


@dataclass(frozen=True)
class Begun:
    """A training of which nothing is learnt yet."""

    folder: Path
    recipe: dict[str, Any]
    collected: Collected
    unlabelled: Unlabelled | None
    resume: bool
    say: Tell
    progress: Progress
    hold: Hold
    asked: Asked
    wishes: Mapping[str, Any]
    name: str
    """What the data are called."""

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
    def few(self) -> bool:
        """True: the examples that ended the training are worth training once more with them, as the baseline does."""
        return not self.small and len(self.collected.splits.stop) > 0 and len(self.rows[0]) < AGAIN_BELOW

    @property
    def told_apart(self) -> str:
        """What no other data have."""
        more = "" if self.unlabelled is None else f"+{self.unlabelled.fingerprint}"
        return self.collected.fingerprint + more

    def emphasis(self, rows: Rows) -> NDArray[np.float64] | None:
        """What the loss of each example is multiplied with where these are learnt from."""
        return self.collected.emphasis(rows, self.collected.roles.reweigh)


def begin(
    data: Any,
    *,
    asked: Mapping[str, Any],
    test: Any,
    unlabelled: Any = None,
    pretrained: str | Path | None = None,
    out: str | Path | None,
    recipe: str | Path | Mapping[str, Any] | None,
    resume: bool,
    say: Tell,
) -> Begun:
    """Read, give roles, split. Nothing is written yet."""
    folder = Path(out) if out is not None else Path("runs") / sources.stem(data)
    _refuse_place(folder)
    hold = Hold(folder)
    hold.refuse()
    kept = folder / "checkpoint" / "recipe.yaml"
    source = corpora.fitting(sources.opened(data), asked["target"] or ())
    target, places = targets.placed_at(asked["target"] or (), list(source.columns))
    source = replace(source, guesses=[*source.guesses, *places])
    full = recipes.resolve(
        {**asked, "target": target}, kept if resume and kept.exists() else recipe, source.target, list(source.columns)
    )
    names = ("task", "inputs", "drop", "sensitive", "weight", "reweigh", "group", "time", "seed", "views")
    collected = collect(
        source,
        target=full["target"],
        test=test,
        by_group=policies.by_group(full["decide"]),
        **{name: full[name] for name in names},
    )
    more = None if unlabelled is None else reading.unlabelled(unlabelled, collected, full["seed"])
    start = _start(full, pretrained, {kind for kind, _ in collected.roles.inputs.values()}, say)
    if full["budget"] is None:
        kinds = [modality for modality, _ in collected.roles.inputs.values()]
        full["budget"] = planning.usual(kinds, collected.roles.targets.values())
    _refuse_options(full, collected)
    if more is not None:
        problems, notes = [*collected.problems, *more.problems], [*collected.notes, *more.notes]
        collected = replace(collected, problems=problems, notes=notes)
    begun = Begun(
        folder=folder,
        recipe=full,
        collected=collected,
        unlabelled=more,
        resume=resume,
        say=say,
        progress=Progress(folder / "log.jsonl", say, resume),
        hold=hold,
        asked=Asked(
            collected.roles.inputs,
            collected.roles.targets,
            collected.roles.views,
            recipes.side(full),
            start,
            full["subwords"],
        ),
        wishes={name: full[name] for name in ("coverage", "decide", "prevalence", "positive")}
        | {"per_day": collected.per_day},
        name=sources.stem(data),
    )
    if resume:
        recipes.refuse_other(folder / "checkpoint" / "of.json", begun.told_apart, full)
    if resume and not kept.exists():
        say(f"Nothing to resume in {folder}: training from the start.")
    elif resume and (before := recipes.not_asked(full, asked)):
        say(f"Goes on with the options of before: {before} (to choose others leave --resume out and start anew)")
    _tell(collected, say)
    return begun


def _refuse_options(recipe: Mapping[str, Any], collected: Collected) -> None:
    """Raises RequestError for what no target has a use for."""
    tasks = [registry.task(kind) for kind in collected.roles.targets.values()]
    if recipe["horizons"] and not any(isinstance(task, Timed) for task in tasks):
        raise RequestError("--horizons is for a time to an event. Write for example --target DURATION,EVENT")
    if recipe["subwords"] is not None and not any(isinstance(task, Writes | Subdivides) for task in tasks):
        raise RequestError(
            f"--subwords {recipe['subwords']} is for texts that are written; here {', '.join(collected.roles.targets)} "
            "is learnt otherwise. Leave it out, or write --task generate, or for sounds --task transcribe"
        )
    if recipe["background"]:
        _refuse_background(recipe["background"], collected)


def _refuse_background(label: str, collected: Collected) -> None:
    """Raises RequestError for what cannot listen."""
    inputs = [registry.modality(kind) for kind, _ in collected.roles.inputs.values()]
    tasks = [registry.task(kind) for kind in collected.roles.targets.values()]
    if not len(inputs) == len(tasks) == 1 or not isinstance(inputs[0], Hears) or not isinstance(tasks[0], Listens):
        raise RequestError(
            f"--background {label} is for one target of labels that is told from sound alone; here "
            f"{', '.join(collected.roles.targets)} is told from {', '.join(collected.roles.inputs)}. Leave it out."
        )


def _refuse_place(folder: Path) -> None:
    """Raises RequestError where no folder can be made: an hour later it would be too late."""
    above = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    if not above.is_dir():
        raise RequestError(f"{str(above)!r} is a file; a run is written into a folder. Write: --out {above}-run")
    if not os.access(above, os.W_OK):
        raise RequestError(f"You may not write into {str(above)!r}. Write: --out followed by a folder where you may.")


def _start(recipe: dict[str, Any], given: str | Path | None, kinds: Collection[str], say: Tell) -> Start | None:
    """What is at this path; of it the recipe says class and fingerprint. Raises RequestError where it asks for some."""
    before = recipe["pretrained"]
    if given is None:
        if before:
            raise RequestError(
                f"The recipe starts from weights of the class {before['class']} (sha256 {before['sha256'][:12]}...), "
                "and does not say where they are. Write: --pretrained PATH"
            )
        return None
    start = pretrain.opened(given, kinds)
    recipe["pretrained"] = start.about
    if before and before != start.about:
        say(f"These are not the weights that the recipe started from (sha256 {before['sha256'][:12]}...).")
    return start


def _tell(collected: Collected, say: Tell) -> None:
    for guess in collected.roles.guesses:
        say(f"{guess['sentence']} ({guess['option']})")
    for where, why in collected.problems[:10]:
        say(f"{where}: {why}")
    for note in collected.notes:
        say(note)
