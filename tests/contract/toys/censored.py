"""How long until it happens, when some were only watched for a while: a cell says "duration,event"."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from learnt.contracts import Prediction, Shape, Verdicts

from ._nets import Linears, Risk
from ._toy import ToyTask

beats = {"censored_until": ("neg_brier_score", -0.17)}


def times(labels):
    """[N, 2] of duration and event."""
    return np.array([[float(v) for v in str(label).split(",")] for label in labels]).reshape(-1, 2)


class Censored(ToyTask):
    name = "censored"

    def learn(self, labels):
        duration, event = times(labels).T
        return {"horizons": np.quantile(duration[event == 1], [0.25, 0.5, 0.75]).tolist()}

    def encode(self, labels, settings):
        """`died` and `lived` float32 [N, J]: what is known of each interval; 0 when no longer watched."""
        duration, event = times(labels).T[..., None]
        ends = np.array(settings["horizons"])
        starts = np.append(0, ends[:-1])
        died = (event == 1) & (starts < duration) & (duration <= ends)
        return {"died": died.astype(np.float32), "lived": (duration > ends).astype(np.float32)}

    def head(self, settings, width, members):
        return Linears(width[Shape.VECTOR], len(settings["horizons"]), members)

    def loss(self, outputs, targets):
        """Likelihood of discrete hazards: Gensheimer and Narasimhan, PeerJ 2019, equation 3."""
        log = nn.functional.logsigmoid
        return -(targets["died"] * log(outputs["logit"]) + targets["lived"] * log(-outputs["logit"])).sum(1)

    def merge(self, outputs):
        return {"logit": outputs["logit"].mean(1)}

    def score(self, merged, about):
        cumulative = nn.functional.softplus(merged["logit"]).cumsum(1)
        return cumulative.gather(1, torch.where(about < 0, cumulative.shape[1] - 1, about)[:, None])[:, 0]

    def constants(self, settings):
        return {"shift": np.zeros(len(settings["horizons"]), np.float32)}

    def deploy(self, settings):
        return Risk()

    def calibrate(self, outputs, targets, groups, wishes, settings):
        """Each horizon's hazard moved until as many died of those at risk as were said to."""
        survival = np.concatenate([np.ones((len(outputs["risk"]), 1)), 1 - outputs["risk"]], 1).clip(1e-6)
        hazard, died = 1 - survival[:, 1:] / survival[:, :-1], np.asarray(targets["died"])
        at_risk = died + np.asarray(targets["lived"])
        said, was = [((v * at_risk).sum(0) + 1) / (at_risk.sum(0) + 2) for v in (hazard, died)]
        return {"shift": (np.log(was / (1 - was)) - np.log(said / (1 - said))).astype(np.float32)}

    def decode(self, outputs, settings):
        names = [f"{h:.3g}" for h in settings["horizons"]]
        said = zip(*(outputs[n].tolist() for n in ("risk", "confidence", "unfamiliar")), strict=True)
        return [Prediction(r, c, f"{r[-1]:.2f}", dict(zip(names, r, strict=True)), unfamiliar=u) for r, c, u in said]

    def judge(self, predictions, truth, settings):
        """One atom for each example and horizon; of weight 0 where the watching ended before."""
        (duration, event), risk = times(truth).T[..., None], np.array([p.value for p in predictions])
        ends = np.array(settings["horizons"])
        happened = (event == 1) & (duration <= ends)
        given = np.where(happened, risk, 1 - risk).ravel()
        none = np.full(risk.size, np.nan)
        return Verdicts(
            np.repeat(np.arange(len(risk)), len(ends)), np.maximum(risk, 1 - risk).ravel(),
            (given > 0.5).astype(float), np.full(risk.size, -1), np.full(risk.size, -1), given, none, none,
            weight=(happened | (duration > ends)).astype(float).ravel(),
        )  # fmt: skip

    def metrics(self, evidence, settings):
        verdicts = evidence.verdicts
        return {"neg_brier_score": -float(np.average((1 - verdicts.given) ** 2, weights=verdicts.weight))}


def data(rows: int, seed: int):
    random = np.random.default_rng(seed)
    dose = random.normal(size=rows)
    death, watched = random.exponential(np.exp(-2 * dose)), random.exponential(4, rows)
    cells = [f"{min(d, w):.4f},{int(d <= w)}" for d, w in zip(death, watched, strict=True)]
    columns = {"dose": dose.tolist(), "noise": random.normal(size=rows).tolist(), "censored_until": cells}
    return columns, ["censored_until"]


def informative(columns):
    """The dose, where it is far from the middle."""
    return [("table", 0) if abs(dose) > 1 else None for dose in columns["dose"]]
