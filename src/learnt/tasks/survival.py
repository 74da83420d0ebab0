"""How long until an event that many have not had yet: the risk by chosen horizons, from right-censored times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells
from learnt.contracts import (
    Arrays,
    Cells,
    Column,
    Evidence,
    Part,
    Prediction,
    Raw,
    Settings,
    Shape,
    Tensors,
    Verdicts,
)
from learnt.errors import DataError, RequestError
from learnt.stats import cox, hazards, survival

if TYPE_CHECKING:
    from torch import Tensor, nn

Floats = NDArray[np.float64]
HAPPENED = frozenset({"1", "yes", "y", "true", "t", "event", "dead", "died", "deceased", "death"})
NOT_YET = frozenset({"0", "no", "n", "false", "f", "none", "alive", "censored", "survived"})
FEW_ROWS = 2000
USABLE = 0.99
"""Share of the cells that must be a time and an event, for a target to be taken for one."""
MOST_INTERVALS = 20
EVENTS_AN_INTERVAL = 10
QUANTILES = (0.25, 0.5, 0.75)
"""Of the times of events: the horizons where none are asked for."""
FEW = 10
"""A column of the baseline with so few different values is one of kinds, each with a risk of its own."""
RIDGE = 1.0
"""Weight of a normal prior on the slopes of the baseline, whose columns have spread 1."""


class Survival:
    """Settings: `edges` [J], the ends of the intervals, the horizons among them; `horizons` [H]; `codes`, the interval
    at whose end each horizon lies, by its name; `start` [J], log hazards of all examples together; `event`, words.
    """

    name: ClassVar[str] = "survival"
    title: ClassVar[str] = "the time until an event"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    named: ClassVar[bool] = False

    def claims(self, target: Column) -> float:
        if not all(isinstance(cell, tuple) and len(cell) == 2 for cell in target.cells):
            return 0.0
        there = [cell for cell in target.cells if not cells.is_missing(cell)]
        times = cells.numbers([cell[0] for cell in there])[0]
        if not len(there) or np.isfinite(times).sum() < USABLE * len(there):
            return 0.0
        if np.isnan(_parsed(there)[0]).sum() > (1 - USABLE) * len(there):
            return 0.02
        return 0.9 if len(np.unique(times)) > 2 else 0.05

    def guesses(self, target: Column) -> list[dict[str, str]]:
        """Which word means that it happened."""
        happened, not_yet = ("/".join(sorted(_words(target.cells) & known)) for known in (HAPPENED, NOT_YET))
        duration, event = (part.strip() for part in target.name.rsplit(",", 1))
        otherwise = f"{not_yet} that it had not by then" if not_yet else "and it happened to all"
        sentence = f"{event!r} = {happened or '?'} means that it happened after {duration!r}, {otherwise}."
        return [{"sentence": sentence, "option": "--target DURATION,EVENT"}]

    def strata(self, labels: Cells) -> Cells:
        return ["happened" if happened else "not yet" for happened in _parsed(labels)[1]]

    def unusable(self, labels: Cells) -> list[tuple[int, str]]:
        time, _ = _parsed(labels)
        return [
            (
                row,
                ""
                if cells.is_missing(labels[row])
                else f"{labels[row][0]!r}, {labels[row][1]!r} is no time and event (1, yes, true or dead; 0, no, false "
                "or alive)",
            )
            for row in np.flatnonzero(np.isnan(time)).tolist()
        ]

    def refuse(self, labels: Cells) -> None:
        """Raises DataError for a duration below 0, and where no event was seen."""
        time, event = _parsed(labels)
        known = ~np.isnan(time)
        _refuse_negative(time[known])
        if not event[known].any():
            raise DataError(
                f"In none of {int(known.sum()):,} rows was the event seen, so no risk can be judged by them. Is the "
                "event column right? It says 1, yes, true or dead where the event happened."
            )

    def suggest(self, rows: int) -> Settings:
        """A smaller network that learns for longer where there are few rows, some of whom never had the event.

        Chosen on folds of GBSG2 and whas500, drawn with another seed than those of the benchmark.
        """
        few = {"width": 64, "depth": 1, "dropout": 0.3, "epochs": 90, "rate": 1e-3, "decay": 0.1}
        return few if rows < FEW_ROWS else {}

    def learn(self, labels: Cells) -> Settings:
        return self.at((), labels)

    def at(self, horizons: Sequence[float], labels: Cells) -> Settings:
        time, event = _parsed(labels)
        known = ~np.isnan(time)
        time, event = time[known], event[known]
        _refuse_negative(time)
        late = time[event & (time > 0)]
        if len(late) < 2:
            raise DataError(
                f"{int(event.sum())} events after a duration above 0 were seen, too few to learn when they come. "
                "Is the event column right? It says 1, yes, true or dead where the event happened."
            )
        asked = _horizons(horizons, late, float(time.max()))
        number = int(np.clip(event.sum() // EVENTS_AN_INTERVAL, 3, MOST_INTERVALS))
        inner = np.quantile(late, np.arange(1, number) / number)
        edges = np.unique(np.concatenate([inner, asked, [time.max()]]))
        exposure, interval = _lived(time, event, edges)
        events = np.bincount(interval[interval >= 0], minlength=len(edges))
        start = np.log((events + 0.5) / (exposure.sum(0) + 1.0))
        return {
            "edges": edges.tolist(),
            "horizons": asked,
            "codes": {_text(at): int(np.searchsorted(edges, at)) for at in asked},
            "start": start.tolist(),
        }

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        """`exposure` [N, J], the share of each interval that was lived; `interval` of the event, -1 without; the times.

        An event after the last edge was not seen by then.
        """
        time, event = _parsed(labels)
        exposure, interval = _lived(np.nan_to_num(time), event, np.array(settings["edges"]))
        return {
            "exposure": exposure.astype(np.float32),
            "interval": interval,
            "time": time,
            "event": event,
        }

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:
        from learnt.nets.hazards import HazardHead

        return HazardHead(width[Shape.VECTOR], members, settings["start"])

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        """Negative log likelihood of the piecewise exponential model, in the time scale of the intervals."""
        import torch

        from learnt.nets.hazards import MOST

        log, interval = outputs["log_hazard"].clamp(max=MOST), targets["interval"]
        said = log.gather(1, interval.clamp(min=0).unsqueeze(1)).squeeze(1)
        return (torch.exp(log) * targets["exposure"]).sum(1) - torch.where(interval >= 0, said, 0.0)

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        from learnt.nets.hazards import merged

        return {"log_hazard": merged(outputs["log_hazard"])}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:
        """Log of the hazard until the end of interval `about` (-1: of all): where proportional hazards add up."""
        import torch

        log = merged["log_hazard"]
        last = torch.where(about < 0, log.shape[1] - 1, about).unsqueeze(1)
        inside = torch.arange(log.shape[1], device=log.device) <= last
        return torch.logsumexp(torch.where(inside, log, torch.full_like(log, -1e9)), 1)

    def constants(self, settings: Settings) -> Arrays:
        return hazards.neutral(len(settings["edges"]))

    def deploy(self, settings: Settings) -> nn.Module:
        from learnt.nets.hazards import Risks

        return Risks(list(settings["codes"].values()))

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,  # noqa: ARG002 no set is written: censored truths do not tell whether one covers them
        settings: Settings,
    ) -> Arrays:
        segments = np.searchsorted(list(settings["codes"].values()), np.arange(len(settings["edges"])))
        return hazards.fit(
            outputs["hazard"].astype(np.float64),
            np.asarray(targets["exposure"], np.float64),
            np.asarray(targets["interval"]),
            segments.astype(np.int64),
            None if "weight" not in targets else np.asarray(targets["weight"], np.float64),
        )

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        """`value` is the risk by the last horizon; `parts` the risk by each."""
        names = list(settings["codes"])
        unfamiliar, confidences = outputs["unfamiliar"].tolist(), outputs["confidence"].tolist()
        return [
            Prediction(
                value=risks[-1],
                confidence=confidences[row],
                decision=f"{'event' if risks[-1] >= 0.5 else 'no event'} by {names[-1]}",
                probability=dict(zip(names, risks, strict=True)),
                parts=tuple(
                    Part(f"by {name}", risk, (float(at),))
                    for name, risk, at in zip(names, risks, settings["horizons"], strict=True)
                ),
                unfamiliar=unfamiliar[row],
            )
            for row, risks in enumerate(outputs["risk"].tolist())
        ]

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        """An atom for each example and horizon; it weighs nothing where the truth is not known, and as much more where
        others like it were lost from sight before (inverse probability of censoring).
        """
        time, event = _parsed(truth)
        known = ~np.isnan(time)
        horizons = np.array(settings["horizons"], np.float64)
        risk = np.array([list(prediction.probability.values()) for prediction in predictions]).reshape(
            -1, len(horizons)
        )
        early = event[:, None] & (time[:, None] <= horizons)
        weight = np.zeros(risk.shape)
        for place, horizon in enumerate(horizons):
            weight[known, place] = survival.weights(time[known], event[known], float(horizon))
        said = (risk >= 0.5).astype(np.int64)
        told = np.where(weight > 0, early, -1).astype(np.int64)
        nothing = np.full(risk.size, np.nan)
        wide = {"time": time, "event": event.astype(np.float64)}
        return Verdicts(
            example=np.repeat(np.arange(len(risk)), len(horizons)),
            confidence=np.maximum(risk, 1 - risk).ravel(),
            correct=(said == told).ravel().astype(np.float64),
            said=said.ravel(),
            truth=told.ravel(),
            given=np.where(told == 1, risk, 1 - risk).ravel(),
            covered=nothing,
            size=nothing,
            weight=weight.ravel(),
            measures={name: np.repeat(values, len(horizons)) for name, values in wide.items()}
            | {"horizon": np.tile(horizons, len(risk)), "risk": risk.ravel()},
        )

    def right(self, settings: Settings) -> str:  # noqa: ARG002
        return "of happening and not happening by a horizon, it held for likelier what came"

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:
        """How risks rank, how far they are from what happened, and from Kaplan-Meier by fifths; over all horizons."""
        horizons = np.array(settings["horizons"], np.float64)
        measures = {name: values.reshape(-1, len(horizons)) for name, values in evidence.verdicts.measures.items()}
        known = ~np.isnan(measures["time"][:, 0])
        time, event = measures["time"][known, 0], measures["event"][known, 0] > 0
        risk = measures["risk"][known]
        weight = measures["weight"][known, 0] if "weight" in measures else None
        off = [
            abs(fifth.said - fifth.happened)
            for place, horizon in enumerate(horizons)
            for fifth in survival.fifths(time, event, risk[:, place], float(horizon), weight=weight)
        ]
        return {
            "concordance_index": survival.concordance(
                time, event, -np.log1p(-np.minimum(risk, 1 - 1e-7)).sum(1), weight
            ),
            "integrated_brier_score": survival.integrated_brier(time, event, risk, horizons, weight),
            "risk_error": float(np.mean(off)),
        }

    def baseline(
        self,
        plain: Floats,
        targets: Raw,
        asked: Floats,
        settings: Settings,
        seed: int,  # noqa: ARG002 nothing is drawn
    ) -> tuple[str, Arrays] | None:
        time, event = np.asarray(targets["time"]), np.asarray(targets["event"])
        weight = np.asarray(targets.get("weight", np.ones(len(time))), np.float64)
        known = ~np.isnan(time) & (weight > 0)
        if plain.shape[1] == 0 or not event[known].any():
            return None
        fitted, answered = _spread(plain[known], asked)
        model = cox.fit(fitted, time[known], event[known], RIDGE, weight[known])
        cumulative = model.hazard(answered, np.array(settings["edges"]))
        curve = -np.expm1(-cumulative)
        risk = curve[:, list(settings["codes"].values())]
        return "Cox regression", {
            "risk": risk,
            "curve": curve,
            "hazard": np.diff(cumulative, prepend=0.0, axis=1),
            "confidence": np.maximum(risk[:, -1], 1 - risk[:, -1]),
            "unfamiliar": np.full(len(asked), np.nan, np.float32),
        }


def _words(labels: Cells) -> set[str]:
    return {word.lower() for word in cells.texts([cell[1] for cell in labels]) if word}


def _refuse_negative(time: Floats) -> None:
    if (time < 0).any():
        raise DataError(
            f"A duration of {time.min():g} is below 0. Durations count from when one began to look: mend it, or take "
            "its row out."
        )


def _parsed(labels: Cells) -> tuple[Floats, NDArray[np.bool_]]:
    """Times [n], nan where they or the event are not known; and whether the event was seen then."""
    time, _ = cells.numbers([cell[0] if isinstance(cell, tuple) else None for cell in labels])
    words = [word.lower() for word in cells.texts([cell[1] if isinstance(cell, tuple) else "" for cell in labels])]
    event = np.array([word in HAPPENED for word in words], bool)
    told = event | np.array([word in NOT_YET for word in words], bool)
    time = np.where(told & np.isfinite(time), time, np.nan)
    return time, event & ~np.isnan(time)


def _lived(time: Floats, event: NDArray[np.bool_], edges: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Share of each interval that was lived [n, J], and the interval of the event [n], -1 without one in sight."""
    begin = np.concatenate([[0.0], edges[:-1]])
    exposure = np.clip((time[:, None] - begin) / (edges - begin), 0.0, 1.0)
    return exposure, np.where(event & (time <= edges[-1]), np.searchsorted(edges, time), -1).astype(np.int64)


def _horizons(asked: Sequence[float], late: Floats, longest: float) -> list[float]:
    """Those asked for, or quantiles of the times of events to three digits."""
    for at in asked:
        if not 0 < at <= longest:
            raise RequestError(
                f"--horizons {_text(at)}: durations go up to {longest:g}, in the same unit. "
                f"Write for example --horizons {_text(float(np.median(late)))}"
            )
    if asked:
        return sorted({float(at) for at in asked})
    return sorted({min(float(f"{at:.3g}"), longest) for at in np.quantile(late, QUANTILES)})


def _text(horizon: float) -> str:
    return str(cells.texts([float(horizon)])[0])


def _spread(plain: Floats, asked: Floats) -> tuple[Floats, Floats]:
    """Columns for a linear model: what is missing at the mean, spread 1, and for few kinds a column each."""
    made: list[tuple[Floats, Floats]] = []
    for column, other in zip(plain.T, asked.T, strict=True):
        kinds = np.unique(column[~np.isnan(column)])
        if 2 < len(kinds) <= FEW:
            made += [((column == kind).astype(np.float64), (other == kind).astype(np.float64)) for kind in kinds]
            continue
        mean = float(np.nanmean(column)) if len(kinds) else 0.0
        made.append((np.where(np.isnan(column), mean, column), np.where(np.isnan(other), mean, other)))
        if np.isnan(column).any():
            made.append((np.isnan(column).astype(np.float64), np.isnan(other).astype(np.float64)))
    first, second = (np.stack([pair[side] for pair in made], 1) for side in (0, 1))
    spread = np.maximum(first.std(0), 1e-9)
    return (first - first.mean(0)) / spread, np.clip((second - first.mean(0)) / spread, -10, 10)
