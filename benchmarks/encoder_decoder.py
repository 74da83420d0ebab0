"""A plain encoder-decoder that translates: what ours is compared with, given as many weights and minutes.

Vaswani et al., "Attention is all you need", 2017, with norms before each layer, one table of subwords for both
languages and the output, label smoothing, and a rate that falls to zero with the time that is given. Beams of 4,
finished ones compared by log-probability over length to the power of .6.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional

WIDTH, HEADS, SUBWORDS, BATCH, LONGEST = 256, 4, 8000, 128, 80
RATE, WARM, DROPOUT, SMOOTHING = 1e-3, 0.05, 0.2, 0.1
BEAM, LONGER = 4, 0.6
NOTHING, START, END = 0, 1, 2


class EncoderDecoder(nn.Module):
    def __init__(self, tokens: int, layers: int) -> None:
        super().__init__()
        self.table = nn.Embedding(tokens, WIDTH, padding_idx=NOTHING)
        nn.init.normal_(self.table.weight, std=WIDTH**-0.5)
        shape: dict[str, Any] = {
            "dim_feedforward": 4 * WIDTH,
            "dropout": DROPOUT,
            "batch_first": True,
            "norm_first": True,
        }
        encoder, decoder = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
        norm, other = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.encoder = nn.TransformerEncoder(encoder(WIDTH, HEADS, **shape), layers, norm, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder(WIDTH, HEADS, **shape), layers, other)
        self.dropout = nn.Dropout(DROPOUT)

    def placed(self, codes: Tensor) -> Tensor:
        rate = 10_000.0 ** (-torch.arange(0, WIDTH, 2) / WIDTH)
        angle = torch.arange(codes.shape[1]).unsqueeze(1) * rate
        places = torch.stack([angle.sin(), angle.cos()], 2).flatten(1)
        found: Tensor = self.dropout(self.table(codes) * WIDTH**0.5 + places)
        return found

    def read(self, source: Tensor) -> Tensor:
        found: Tensor = self.encoder(self.placed(source), src_key_padding_mask=source == NOTHING)
        return found

    def say(self, read: Tensor, source: Tensor, said: Tensor) -> Tensor:
        ahead = torch.ones(said.shape[1], said.shape[1], dtype=torch.bool).triu(1)
        found = self.decoder(
            self.placed(said), read, tgt_mask=ahead, tgt_is_causal=True, memory_key_padding_mask=source == NOTHING
        )
        logits: Tensor = found @ self.table.weight.T
        return logits


def translated(
    source: Sequence[str], target: Sequence[str], asked: Sequence[str], weights: int, seconds: float
) -> tuple[list[str], int, int]:
    """What it says of `asked` after so many seconds of training, its weights and its steps."""
    torch.manual_seed(0)
    tokenizer = subwords([*source, *target])
    pairs = [(_coded(tokenizer, one), _coded(tokenizer, other)) for one, other in zip(source, target, strict=True)]
    model = min(
        (EncoderDecoder(tokenizer.get_vocab_size(), layers) for layers in range(1, 7)),
        key=lambda one: abs(size(one) - weights),
    )
    steps = trained(model, pairs, seconds)
    said = [
        answer for start in range(0, len(asked), 50) for answer in beam(model, tokenizer, asked[start : start + 50])
    ]
    return said, size(model), steps


def size(model: nn.Module) -> int:
    return sum(weight.numel() for weight in model.parameters())


def subwords(texts: Sequence[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    marks = ["<nothing>", "<start>", "<end>"]
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=SUBWORDS, special_tokens=marks, initial_alphabet=alphabet)
    )
    return tokenizer


def trained(model: EncoderDecoder, pairs: Sequence[tuple[list[int], list[int]]], seconds: float) -> int:
    """Batches of like length in an order of chance until the time is over; how many they were."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    rng = np.random.default_rng(0)
    began, steps = time.perf_counter(), 0
    model.train()
    while True:
        near = np.array([len(one) + len(other) for one, other in pairs]) + rng.uniform(0, 4, len(pairs))
        batches = np.array_split(np.argsort(near), -(-len(pairs) // BATCH))
        for place in rng.permutation(len(batches)):
            spent = (time.perf_counter() - began) / seconds
            if spent >= 1:
                model.eval()
                return steps
            optimiser.param_groups[0]["lr"] = RATE * min(spent / WARM, 0.5 + 0.5 * float(np.cos(np.pi * spent)))
            source, target = (_padded([pairs[row][side] for row in batches[place]]) for side in (0, 1))
            with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported()):
                logits = model.say(model.read(source), source, target[:, :-1])
            loss = functional.cross_entropy(
                logits.float().flatten(0, 1), target[:, 1:].flatten(), ignore_index=NOTHING, label_smoothing=SMOOTHING
            )
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            steps += 1


def _coded(tokenizer: Tokenizer, text: str) -> list[int]:
    return [START, *tokenizer.encode(text).ids[:LONGEST], END]


def _padded(rows: Sequence[Sequence[int]]) -> Tensor:
    width = max(map(len, rows))
    return torch.tensor([[*row, *[NOTHING] * (width - len(row))] for row in rows])


@torch.no_grad()
def beam(model: EncoderDecoder, tokenizer: Tokenizer, texts: Sequence[str]) -> list[str]:
    source = _padded([_coded(tokenizer, text) for text in texts]).repeat_interleave(BEAM, 0)
    read = model.read(source)
    said = torch.full((len(source), 1), START)
    scores = torch.full((len(texts), BEAM), -1e9)
    scores[:, 0] = 0.0
    best = [(-1e9, [END])] * len(texts)
    for length in range(1, LONGEST):
        chances = model.say(read, source, said)[:, -1].log_softmax(-1).view(len(texts), BEAM, -1)
        chances[:, :, :END] = -1e9
        among, choice = (scores.unsqueeze(2) + chances).flatten(1).topk(2 * BEAM)
        rows: list[int] = []
        words: list[int] = []
        for text in range(len(texts)):
            going = 0
            for score, place in zip(among[text].tolist(), choice[text].tolist(), strict=True):
                origin, word = text * BEAM + place // chances.shape[2], place % chances.shape[2]
                if word == END:
                    best[text] = max(best[text], (score / length**LONGER, said[origin].tolist()))
                elif going < BEAM:
                    scores[text, going] = score
                    rows.append(origin)
                    words.append(word)
                    going += 1
        said = torch.cat([said[rows], torch.tensor(words).unsqueeze(1)], 1)
        if all(best[text][0] > float(scores[text].max()) / (length + 1) ** LONGER for text in range(len(texts))):
            break
    return [tokenizer.decode(found[1:]).strip() for _, found in best]
