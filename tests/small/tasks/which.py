"""One of two labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnt.contracts import Prediction, Verdicts


class Which:
    name = "which"
    title = "which"
    needs = frozenset({"vector"})
    causal = False
    unit = "row"

    def decode(self, outputs: Any, settings: Any) -> list[Prediction]:
        labels = settings["labels"]
        return [
            Prediction(
                value=labels[code],
                confidence=confidence,
                decision=labels[code],
                probability=dict(zip(labels, probability, strict=True)),
                plausible=tuple(label for label, kept in zip(labels, plausible, strict=True) if kept),
                unfamiliar=unfamiliar,
            )
            for code, confidence, probability, plausible, unfamiliar in zip(
                *(
                    outputs[name].tolist()
                    for name in ("decision", "confidence", "probability", "plausible", "unfamiliar")
                ),
                strict=True,
            )
        ]

    def judge(self, predictions: Any, truth: Any, settings: Any) -> Verdicts:
        labels = settings["labels"]
        said = np.array([labels.index(prediction.decision) for prediction in predictions])
        true = np.array([labels.index(label) for label in truth])
        return Verdicts(
            example=np.arange(len(said)),
            confidence=np.array([prediction.confidence for prediction in predictions]),
            correct=(said == true).astype(float),
            said=said,
            truth=true,
            given=np.array([p.probability[label] for p, label in zip(predictions, truth, strict=True)]),
            covered=np.array([float(label in p.plausible) for p, label in zip(predictions, truth, strict=True)]),
            size=np.array([float(len(p.plausible)) for p in predictions]),
        )

    def _not_here(self, *given: Any) -> Any:
        raise AssertionError("predicting must not need this")

    claims = learn = encode = feed = head = loss = merge = score = constants = deploy = _not_here
    calibrate = metrics = baseline = _not_here
