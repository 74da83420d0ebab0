"""Texts that are written: as well as a plain language model in the same time, as quick from the file, and translations.

`shakespeare`: tinyshakespeare by character in nanoGPT's shape for a processor (4 layers, 4 heads, width 128, context
64), 1.54 million characters to learn from, beside a plain loop of the same shape and number of characters in the same
run: GPT-2's blocks, AdamW, batches of 12. The last tenth of the play is the validation split, all of it measured. With
the same network: its file against torch, step by step on 200 prompts, and tokens a second at batch 1.
`multi30k`: English to German by one command, sacreBLEU of test_2016_flickr, out of which nothing was learnt.
`beside`: the same in less time, and a plain encoder-decoder with about as many weights and the same time.

`--only NAME` runs one of them: some ten minutes, and an hour and a quarter, on two quiet cores.
"""

from __future__ import annotations

import copy
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import sets
from learnt.artifact.artifact import Artifact
from learnt.codecs import decoding
from learnt.stats import bleu, chrf
from learnt.train import export, graph, learning, loop, manifest, network
from learnt.train.learning import Asked
from results import Claim, claim, finish, kept, options

CONTEXT, BATCH, STEPS = 64, 12, 2000
RATE, DECAY = 4e-3, 0.1
PROMPTS = 200


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--only", choices=sorted(PARTS), help="one part; the others as they were kept")
    parser.add_argument("--budget", default="55m", help="of the training on multi30k, on as many cores as torch takes")
    args = parser.parse_args()
    details = kept("writing", args.only)
    for name in [args.only] if args.only else PARTS:
        details[name] = PARTS[name][0](args.quick, args.budget)
        print(name, details[name], flush=True)
    finish(
        "writing", [one for name in PARTS if name in details for one in PARTS[name][1](details[name])], details, args
    )


def shakespeare(quick: bool, _budget: str) -> dict[str, Any]:
    text = (sets.folder() / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    split = int(0.9 * len(text))
    train, held = _pieces(text[:split]), _pieces(text[split:])
    rows, stop = np.arange(len(train) - 300), np.arange(len(train) - 300, len(train))
    asked = Asked({"text": ("prompt", ["text"])}, {"text": "generate"}, subwords=0)
    known = learning.learn({"text": [*train, *held]}, asked, rows)
    steps = 20 if quick else STEPS
    plan = loop.Plan(seed=0, steps=steps, batch=BATCH, rate=RATE, decay=DECAY, every=steps // 4, patience=99)
    sizes = {"width": 128, "depth": 0, "members": 1, "dropout": 0.0}
    made = network.build(known.inputs, known.targets, sizes, 0)
    began = time.perf_counter()
    trained = loop.fit(made, known.fed, rows, stop, plan).network
    ours = time.perf_counter() - began
    places = np.arange(len(train), len(train) + len(held))
    loss = loop.evaluate(trained, known.fed, places, [loop.registry.task("generate")])
    began = time.perf_counter()
    plain = _plain_trained(text[:split], steps)
    theirs = time.perf_counter() - began
    return {
        "steps": steps,
        "characters": steps * BATCH * CONTEXT,
        "seconds": ours,
        "loss": loss,
        "plain_seconds": theirs,
        "plain_loss": _plain_loss(plain, text[split:]),
        "validation_characters": len(held) * CONTEXT,
        **_file(trained, held[: 20 if quick else PROMPTS]),
    }


def _pieces(text: str) -> list[str]:
    return [text[start : start + CONTEXT] for start in range(0, len(text) - CONTEXT + 1, CONTEXT)]


class Plain(nn.Module):
    """GPT-2's blocks in nanoGPT's shape, without dropout."""

    def __init__(self, tokens: int, width: int = 128, layers: int = 4) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, width), nn.Embedding(CONTEXT, width)
        self.blocks = nn.ModuleList(
            nn.ModuleDict(
                {
                    "before": nn.LayerNorm(width, bias=False),
                    "ask": nn.Linear(width, 3 * width, bias=False),
                    "tell": nn.Linear(width, width, bias=False),
                    "after": nn.LayerNorm(width, bias=False),
                    "up": nn.Linear(width, 4 * width, bias=False),
                    "down": nn.Linear(4 * width, width, bias=False),
                }
            )
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, bias=False)
        for weight in self.parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=0.02)

    def forward(self, codes: Tensor) -> Tensor:
        x = self.tokens(codes) + self.places.weight[: codes.shape[1]]
        for block in self.blocks:
            assert isinstance(block, nn.ModuleDict)
            three = block["ask"](block["before"](x)).unflatten(2, (3, 4, -1)).permute(2, 0, 3, 1, 4)
            found = functional.scaled_dot_product_attention(*three, is_causal=True)
            x = x + block["tell"](found.transpose(1, 2).flatten(2))
            x = x + block["down"](functional.gelu(block["up"](block["after"](x))))
        return self.norm(x) @ self.tokens.weight.T


def _plain_trained(text: str, steps: int) -> Plain:
    """nanoGPT's settings for this shape: rate 1e-3 to 1e-4, 100 steps of warm-up, betas .9 and .99, clip 1."""
    torch.manual_seed(0)
    codes = torch.tensor(list(text.encode()))
    model = Plain(256)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1, fused=True)
    for step in range(steps):
        share = max(0.0, (step - 100) / max(1, steps - 100))
        rate = 1e-3 * (step + 1) / 101 if step < 100 else 1e-4 + 4.5e-4 * (1 + np.cos(np.pi * share))
        optimiser.param_groups[0]["lr"] = float(rate)
        starts = torch.randint(len(codes) - CONTEXT - 1, (BATCH,))
        batch = torch.stack([codes[start : start + CONTEXT + 1] for start in starts])
        loss = functional.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


@torch.no_grad()
def _plain_loss(model: Plain, text: str) -> float:
    """Over all of the split in windows as ours has them, the first character of each but the first foretold from the
    one before it."""
    codes = torch.tensor(list(text.encode()))
    whole = codes[: (len(codes) - 1) // CONTEXT * CONTEXT + 1]
    asked, wanted = whole[:-1].view(-1, CONTEXT), whole[1:].reshape(-1, CONTEXT)
    losses = [
        functional.cross_entropy(model(one).flatten(0, 1), other.flatten(), reduction="sum")
        for one, other in zip(asked.split(256), wanted.split(256), strict=True)
    ]
    return float(torch.stack(losses).sum()) / wanted.numel()


def _file(trained: network.Network, prompts: list[str]) -> dict[str, Any]:
    """Chances and greedy texts of the file beside those of torch, and tokens a second of both."""
    frozen = export.freeze(copy.deepcopy(trained))
    model = export.to_onnx(frozen, export.neutral(frozen, 16))
    manifest.write(model, manifest.describe(frozen, coverage=None, calibrated_on=0, data={}, recipe={}, ids=[]))
    artifact = Artifact.open(graph.to_bytes(model))
    apart, same, near, took = 0.0, 0, 0, {"file": 0.0, "torch": 0.0}
    raw = artifact.read({"text": [prompt[: CONTEXT // 2] for prompt in prompts]})
    said = 0
    artifact.run(artifact.read({"text": prompts[:1]}))
    for row in range(len(prompts)):
        start = dict(artifact.collate(raw, np.array([row])))
        found = {}
        for way, step in (("file", _file_step(artifact)), ("torch", _torch_step(frozen))):
            began = time.perf_counter()
            found[way] = _greedy(step, start)
            took[way] += time.perf_counter() - began
        (ours, chances), (theirs, truth) = found["file"], found["torch"]
        said += len(theirs)
        agree = [one == other for one, other in zip(ours, theirs, strict=False)]
        until = agree.index(False) + 1 if False in agree else len(agree)
        apart = max(apart, *(float(np.abs(chances[at] - truth[at]).max()) for at in range(until)))
        best = np.sort(truth[until - 1])[-2:]
        same += all(agree)
        near += not all(agree) and float(best[1] - best[0]) < 1e-3
    return {
        "prompts": len(prompts), "apart": apart, "same": same, "near_ties": near, "tokens": said,
        "file_tokens_per_second": said / took["file"], "torch_tokens_per_second": said / took["torch"],
    }  # fmt: skip


def _file_step(artifact: Artifact) -> Any:
    from learnt.artifact.steps import Steps

    steps: list[Steps] = []

    def step(given: dict[str, Any]) -> Any:
        if not steps:
            steps.append(Steps(artifact, "text", given))
            return steps[0](steps[0].start)["chances"]
        return steps[0](given)["chances"]

    return step


def _torch_step(frozen: network.Network) -> Any:
    """The same network with the same cache, a token a call."""
    state = frozen.start(1)

    @torch.no_grad()
    def step(given: dict[str, Any]) -> Any:
        nonlocal state
        codes = given.get("text.tokens", given.get("tokens"))
        raw = {"text.tokens": torch.from_numpy(codes), "text.length": torch.tensor([codes.shape[1]])}
        features, state = frozen.encode(frozen.ready(raw), state)
        outputs, _ = frozen.conclude(features, frozen.present(raw))
        return outputs[0]["last"][:, 0].log_softmax(-1).numpy()

    return step


def _greedy(step: Any, start: dict[str, Any]) -> tuple[list[int], list[Any]]:
    heard = [step(start)]

    def further(_rows: Any, tokens: Any) -> Any:
        heard.append(step({"tokens": tokens[:, None]}))
        return heard[-1]

    ending = decoding.Ending(heard[0].shape[1] - 1, CONTEXT, never=(0,))
    (said,) = decoding.greedy(heard[0], further, ending)
    return list(said.tokens), [chances[0] for chances in heard]


def of_shakespeare(found: dict[str, Any]) -> list[Claim]:
    share = found["seconds"] / found["plain_seconds"]
    ratio = found["file_tokens_per_second"] / found["torch_tokens_per_second"]
    n = {"n": found["validation_characters"]}
    return [
        claim("shakespeare: wall time beside a plain loop's", "<= 1.1", share, share <= 1.1),
        claim(
            "shakespeare: loss a character, all of the validation split", "<= 1.80", found["loss"],
            found["loss"] <= 1.8, "nats", said=f"plain {found['plain_loss']:.3f}", **n,
        ),
        claim(
            "file against torch: chances after each token", "<= 1e-4", found["apart"], found["apart"] <= 1e-4,
            n=found["prompts"],
        ),
        claim(
            "file against torch: greedy texts the same but near-ties", "all", found["same"],
            found["same"] + found["near_ties"] == found["prompts"], said=f"{found['near_ties']} near-ties",
            n=found["prompts"],
        ),
        claim("tokens a second from the file at batch 1, times torch's", ">= 2", ratio, ratio >= 2, n=found["tokens"]),
    ]  # fmt: skip


def multi30k(quick: bool, budget: str) -> dict[str, Any]:
    data = sets.folder() / "multi30k_en_de"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        _learnt(
            "train", data / "train.en.gz", data / "train.de.gz", "--target", "de", "--task", "generate",
            "--inputs", "en", "--budget", "2m" if quick else budget, "--ask", "calibration", "--out", folder / "run",
        )  # fmt: skip
        seconds = time.perf_counter() - began
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = used.ru_utime + used.ru_stime
        table = folder / "asked.jsonl"
        table.write_text("".join(json.dumps({"en": text}) + "\n" for text in _lines("test_2016_flickr.en.gz")))
        _learnt("predict", folder / "run" / "model.onnx", table, "--out", folder / "said.jsonl")
        rows = [json.loads(row) for row in (folder / "said.jsonl").read_text(encoding="utf-8").splitlines()]
        report = json.loads((folder / "run" / "report.json").read_text(encoding="utf-8"))
        size = (folder / "run" / "model.onnx").stat().st_size
    return {
        "seconds": seconds, "processor_seconds": processor, "threads": torch.get_num_threads(), "budget": budget,
        **_scored([row["prediction"] for row in rows]), "bytes": size, "metrics": report["metrics"],
        "plan": report["plan"],
    }  # fmt: skip


def _lines(name: str) -> list[str]:
    return gzip.decompress((sets.folder() / "multi30k_en_de" / name).read_bytes()).decode("utf-8").splitlines()


def _scored(said: list[str]) -> dict[str, Any]:
    truth = _lines("test_2016_flickr.de.gz")
    counts, runs = bleu.counts(said, truth), chrf.counts(said, truth)
    drawn = np.random.default_rng(0).integers(0, len(truth), (1000, len(truth)))
    low, high = np.quantile([bleu.score(counts[rows]) for rows in drawn], [0.025, 0.975])
    return {
        "bleu": bleu.score(counts), "low": low, "high": high, "chrf": chrf.score(runs), "rows": len(truth),
        "signature": bleu.SIGNATURE,
    }  # fmt: skip


def beside(quick: bool, budget: str) -> dict[str, Any]:
    from encoder_decoder import translated

    ours = multi30k(quick, budget)
    learnt_from = _lines("train.en.gz"), _lines("train.de.gz")
    said, weights, steps = translated(
        *learnt_from, _lines("test_2016_flickr.en.gz"), ours["bytes"] // 4, ours["seconds"]
    )
    return {"ours": ours, "theirs": {**_scored(said), "weights": weights, "steps": steps}}


def _learnt(*words: Any) -> None:
    subprocess.run([sys.executable, "-m", "learnt", *map(str, words)], check=True)


def of_multi30k(found: dict[str, Any]) -> list[Claim]:
    minutes, ece = found["processor_seconds"] / 120, found["metrics"]["ece"]
    return [
        claim(
            "multi30k en-de: BLEU of test_2016_flickr", ">= 33", found["bleu"], found["bleu"] >= 33, n=found["rows"],
            low=found["low"], high=found["high"], said=found["signature"],
        ),
        claim(
            "multi30k en-de: minutes of two cores that the whole command takes", "<= 60", minutes, minutes <= 60, "min",
            said=f"{found['seconds'] / 60:.0f} minutes on {found['threads']} core(s)",
        ),
        claim(
            "multi30k en-de: how likely acceptable (chrF >= 50), ECE, debiased", "<= .05", ece["value"],
            ece["value"] <= 0.05, low=ece["low"], high=ece["high"], n=ece["n"],
            said=f"its own test split; {found['metrics']['acceptable']['value']:.3f} acceptable",
        ),
    ]  # fmt: skip


def of_beside(found: dict[str, Any]) -> list[Claim]:
    ours, theirs = found["ours"], found["theirs"]
    less = ours["bleu"] - theirs["bleu"]
    return [
        claim(
            "multi30k en-de: BLEU less that of an encoder-decoder in the same minutes", ">= -1", less, less >= -1,
            n=ours["rows"], said=f"{ours['bleu']:.1f} and {theirs['bleu']:.1f} (with {theirs['weights']:,} weights) in "
            f"{ours['seconds'] / 60:.0f} minutes on {ours['threads']} core(s)",
        )
    ]  # fmt: skip


PARTS = {
    "shakespeare": (shakespeare, of_shakespeare),
    "multi30k": (multi30k, of_multi30k),
    "beside": (beside, of_beside),
}

if __name__ == "__main__":
    main()
