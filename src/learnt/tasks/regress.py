"""A number: a value, the range that cannot be ruled out, and how surely the value is near the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells
from learnt.contracts import Arrays, Cells, Column, Evidence, Prediction, Raw, Settings, Shape, Tensors, Verdicts
from learnt.errors import DataError
from learnt.stats import calibrators, conformal, metrics, wording

if TYPE_CHECKING:
    from torch import Tensor, nn

MANY = 20
"""With more distinct numbers than this a column is taken for an amount rather than for labels."""
STRATA = 10
COVERAGE = 0.9
"""The coverage that the quantiles aim at where none is asked for; `reach` then makes it exact."""
BEYOND = 1.0
"""How far a range may reach past the least and the greatest target learnt from, in bent units."""
NO_LIMIT = 1e6
NO_LEAST = -1e300


class Regress:
    """The network says a mean and two quantiles; calibration moves the quantiles until they cover as often as stated.

    Conformalised quantile regression: Romano, Patterson, Candes, NeurIPS 2019, algorithm 1, with the scores taken after
    z = asinh((y - middle) / scale), in which the quantiles are learnt: straight within a standard deviation, like a
    logarithm in a long tail. Settings: `center` and `scale` (mean and standard deviation), `middle` and `near` (median,
    and median distance from it), `limits` of z, `least` (0 where no target was negative, else null), `whole` (all were
    whole numbers), `coverage` that the quantiles aim at.

    An answer within `near` of the truth counts as right: always saying the median would be right half of the time.
    """

    name: ClassVar[str] = "regress"
    title: ClassVar[str] = "a number"
    needs: ClassVar[frozenset[Shape]] = frozenset({Shape.VECTOR})
    causal: ClassVar[bool] = False
    unit: ClassVar[Literal["row", "label"]] = "row"
    named: ClassVar[bool] = False
    pace: ClassVar[float] = 2.0

    def claims(self, target: Column) -> float:
        values, bad = cells.numbers(target.cells)
        values = values[np.isfinite(values)]
        distinct = len(np.unique(values))
        if distinct < 2 or len(bad) > len(values):
            return 0.0
        return 0.05 if bad else 0.95 if distinct > MANY else 0.1

    def unusable(self, labels: Cells) -> list[tuple[int, str]]:
        """Cells that are no finite number."""
        values, bad = cells.numbers(labels)
        why = {row: f"{str(labels[row])[:60]!r} is no number" for row in bad}
        why |= {
            row: f"{str(labels[row])[:60]!r} is no finite number" for row in np.flatnonzero(np.isinf(values)).tolist()
        }
        return [(row, why.get(row, "")) for row in np.flatnonzero(~np.isfinite(values)).tolist()]

    def strata(self, labels: Cells) -> Cells:
        """Tenths of the targets."""
        values = cells.numbers(labels)[0]
        place = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        return [f"tenth {tenth}" for tenth in place * min(STRATA, len(values) // 4) // len(values)]

    def learn(self, labels: Cells) -> Settings:
        values = cells.numbers(labels)[0]
        values = values[np.isfinite(values)]
        if len(np.unique(values)) < 2:
            only = f"only {values[0]:.6g}" if len(values) else "no number"
            raise DataError(f"A target to regress needs numbers that differ; the rows to learn from hold {only}.")
        if not 5e-151 <= values.max() / 2 - values.min() / 2 <= 5e149:
            raise DataError(
                f"The target lies between {values.min():.3g} and {values.max():.3g}, which is more than numbers can "
                "hold. Give it in another unit."
            )
        middle = float(np.median(values))
        away = np.abs(values - middle)
        scale = float(values.std())
        bent = np.arcsinh((values - middle) / scale)
        return {
            "center": float(values.mean()),
            "scale": scale,
            "middle": middle,
            "near": float(np.median(away)) or float(away.mean()),
            "limits": [float(bent.min()) - BEYOND, float(bent.max()) + BEYOND],
            "least": 0.0 if values.min() >= 0 else None,
            "whole": bool((values == np.rint(values)).all()),
            "coverage": COVERAGE,
        }

    def encode(self, labels: Cells, settings: Settings) -> Raw:
        values = cells.numbers(labels)[0]
        level = (1 - float(settings["coverage"])) / 2
        return {
            "value": values,
            "standard": ((values - settings["center"]) / settings["scale"]).astype(np.float32),
            "bent": np.arcsinh((values - settings["middle"]) / settings["scale"]).astype(np.float32),
            "level": np.full(len(values), level, np.float32),
        }

    def feed(self, labels: Cells, settings: Settings) -> Raw:  # noqa: ARG002 nothing is fed
        return {}

    def head(self, settings: Settings, width: Mapping[Shape, int], members: int) -> nn.Module:  # noqa: ARG002
        from learnt.nets.members import VectorHead

        return VectorHead("numbers", width[Shape.VECTOR], members, 3)

    def loss(self, outputs: Tensors, targets: Tensors) -> Tensor:
        """Squared error of the mean, and the pinball loss of each quantile (Koenker and Bassett 1978)."""
        import torch

        mean, low, high = outputs["numbers"].unbind(-1)
        under, over = targets["bent"] - low, targets["bent"] - high
        level = targets["level"]
        pinball = torch.maximum(level * under, (level - 1) * under) + torch.maximum((1 - level) * over, -level * over)
        return (targets["standard"] - mean) ** 2 + pinball

    def merge(self, outputs: Tensors) -> dict[str, Tensor]:
        return {"numbers": outputs["numbers"].mean(1)}

    def score(self, merged: Tensors, about: Tensor) -> Tensor:  # noqa: ARG002 there is one number
        """The value, in standard deviations of the target."""
        return merged["numbers"][:, 0]

    def constants(self, settings: Settings) -> Arrays:  # noqa: ARG002
        return {
            "reach": np.zeros((), np.float32),
            "least": np.array(NO_LEAST),
            "step": np.zeros((), np.float32),
            "slope": np.ones((), np.float32),
            "offset": np.zeros((), np.float32),
        }

    def deploy(self, settings: Settings) -> nn.Module:
        from learnt.nets.numbers import Ranged

        return Ranged(settings)

    def calibrate(
        self,
        outputs: Arrays,
        targets: Raw,
        groups: Mapping[str, NDArray[Any]],  # noqa: ARG002 one calibration for all
        wishes: Settings,
        settings: Settings,
    ) -> Arrays:
        truth = np.asarray(targets["value"], np.float64)
        least = np.array(NO_LEAST if settings["least"] is None else settings["least"])
        if len(truth) < conformal.FEWEST:
            return {**self.constants(settings), "least": least, "reach": np.array(NO_LIMIT, np.float32)}
        weight = None if "weight" not in targets else np.asarray(targets["weight"], np.float64)
        scores = _scores(outputs, truth, settings)
        threshold = min(conformal.threshold(scores, float(wishes["coverage"]), weight), NO_LIMIT)
        share = np.clip(outputs["confidence"].astype(np.float64), 1e-7, 1 - 1e-7)
        right = np.abs(outputs["value"] - truth) <= settings["near"]
        fitted = calibrators.fit(np.log(np.stack([1 - share, share], 1)), right.astype(np.int64), weight)
        return {
            "reach": np.array(threshold, np.float32),
            "least": least,
            "step": np.array(settings["whole"], np.float32),
            "slope": np.array(1 / fitted["temperature"], np.float32),
            "offset": np.array(fitted["bias"][1] - fitted["bias"][0], np.float32),
        }

    def decode(self, outputs: Arrays, settings: Settings) -> list[Prediction]:
        sets = settings.get("sets", True) and "low" in outputs
        ranges = zip(outputs["low"].tolist(), outputs["high"].tolist(), strict=True) if sets else None
        return [
            Prediction(
                value=value,
                confidence=confidence,
                decision=f"{value:.6g}",
                plausible=() if ranges is None else next(ranges),
                unfamiliar=unfamiliar,
            )
            for value, confidence, unfamiliar in zip(
                outputs["value"].tolist(), outputs["confidence"].tolist(), outputs["unfamiliar"].tolist(), strict=True
            )
        ]

    def judge(self, predictions: Sequence[Prediction], truth: Cells, settings: Settings) -> Verdicts:
        said, true = np.array([prediction.value for prediction in predictions], np.float64), cells.numbers(truth)[0]
        ends = np.array([prediction.plausible or (np.nan, np.nan) for prediction in predictions], np.float64)
        low, high = ends.reshape(-1, 2).T
        nothing = np.full(len(said), -1, np.int64)
        return Verdicts(
            example=np.arange(len(said)),
            confidence=np.array([prediction.confidence for prediction in predictions], np.float64),
            correct=(np.abs(said - true) <= settings["near"]).astype(np.float64),
            said=nothing,
            truth=nothing,
            given=np.full(len(said), np.nan),
            covered=np.where(np.isnan(low), np.nan, (low <= true) & (true <= high)),
            size=high - low,
            measures={"said": said, "truth": true},
        )

    def right(self, settings: Settings) -> str:
        return f"at most {wording.quantity(settings['near'])} from the truth"

    def metrics(self, evidence: Evidence, settings: Settings) -> dict[str, float]:  # noqa: ARG002
        verdicts, weight = evidence.verdicts, evidence.verdicts.weight
        said, true = verdicts.measures["said"], verdicts.measures["truth"]
        found = {
            "mean_absolute_error": metrics.mean(np.abs(said - true), weight),
            "root_mean_squared_error": metrics.mean((said - true) ** 2, weight) ** 0.5,
            "r2": metrics.r2(true, said, weight),
        }
        known = ~np.isnan(verdicts.size)
        if known.any():
            found["mean_width"] = metrics.mean(verdicts.size[known], None if weight is None else weight[known])
        return found

    def baseline(
        self, plain: NDArray[np.float64], targets: Raw, asked: NDArray[np.float64], settings: Settings, seed: int
    ) -> tuple[str, Arrays] | None:
        from sklearn.ensemble import HistGradientBoostingRegressor

        if plain.shape[1] == 0:
            return None
        model = HistGradientBoostingRegressor(random_state=seed)
        # scaled, for boosting forgets a target that is tiny or far from 0
        truth = (np.asarray(targets["value"]) - settings["center"]) / settings["scale"]
        model.fit(plain, truth, targets.get("weight"))
        value = model.predict(asked) * settings["scale"] + settings["center"]
        unknown = np.full(len(asked), np.nan, np.float32)
        return "HistGradientBoosting", {"value": value, "confidence": unknown, "unfamiliar": unknown}


def _scores(outputs: Arrays, truth: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    """[n], how far both quantiles must move until the truth is between them; inf where no range can hold it."""

    def bent(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.arcsinh((np.asarray(values, np.float64) - settings["middle"]) / settings["scale"]))

    at = bent(truth)
    score = np.maximum(bent(outputs["low"]) - at, at - bent(outputs["high"]))
    low, high = settings["limits"]
    possible = (at >= low) & (at <= high)
    if settings["least"] is not None:
        possible &= truth >= settings["least"]
    if settings["whole"]:
        possible &= truth == np.rint(truth)
    return np.asarray(np.where(possible, score, np.inf))
