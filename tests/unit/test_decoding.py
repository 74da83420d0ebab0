from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from learnt.codecs.decoding import Ending, Said, Step, Strategy, beam, greedy, sample
from learnt.errors import RequestError

END, A, B, C = range(4)
CHAIN = np.log(
    np.array(
        [
            [1.0, 1e-9, 1e-9, 1e-9],
            [0.05, 0.05, 0.5, 0.4],
            [0.1, 0.32, 0.3, 0.28],
            [0.9, 0.03, 0.03, 0.04],
        ]
    )
)
"""What follows each token: greedy goes a b ..., the most probable sequence goes c and ends."""


class Chain:
    """A network whose state is its last token; it knows how many sequences it was asked about, call by call."""

    def __init__(self, start: list[int]) -> None:
        self.last = np.array(start)
        self.asked: list[int] = []

    @property
    def first(self) -> Any:
        return CHAIN[self.last]

    def step(self, rows: Any, tokens: Any) -> Any:
        assert rows.dtype == tokens.dtype == np.int64
        assert rows.max() < len(self.last)
        self.asked.append(len(rows))
        self.last = tokens
        return CHAIN[tokens]


def every(start: int, longest: int, chain: Any = CHAIN) -> list[tuple[float, tuple[int, ...]]]:
    """Every sequence that ends, or is as long as may be, with its log probability; the best first."""
    found = []
    for size in range(longest + 1):
        for tokens in product((A, B, C), repeat=size):
            states = [start, *tokens]
            score = sum(chain[state, token] for state, token in zip(states, tokens, strict=False))
            found.append((score + (chain[states[-1], END] if size < longest else 0.0), tokens))
    return sorted(found, reverse=True)


def test_greedy_takes_the_most_probable_token_after_each_other_and_knows_how_probable_all_is() -> None:
    network = Chain([A, C])
    one, other = greedy(network.first, network.step, Ending(END, 3))
    assert one.tokens == (B, A, B)
    assert not one.ended
    assert one.log_probability == pytest.approx(math.log(0.5 * 0.32 * 0.5))
    assert other == Said((), (pytest.approx(math.log(0.9)),), True)


def test_what_has_ended_is_not_asked_about_again() -> None:
    network = Chain([C, A, C, A])
    greedy(network.first, network.step, Ending(END, 3))
    assert network.asked == [2, 2]


@pytest.mark.parametrize("search", [greedy, beam])
def test_rows_beside_one_another_change_nothing(search: Callable[..., list[Any]]) -> None:
    together = Chain([A, B, C, A, B])
    alone = [Chain([start]) for start in (A, B, C, A, B)]
    ending = Ending(END, 4, repeat=2)
    said = search(together.first, together.step, ending)
    assert said == [search(one.first, one.step, ending)[0] for one in alone]


@pytest.mark.parametrize("start", [A, B, C])
@pytest.mark.parametrize("longest", [1, 2, 4])
def test_a_wide_beam_finds_the_best_sequences_there_are(start: int, longest: int) -> None:
    network = Chain([start])
    (found,) = beam(network.first, network.step, Ending(END, longest), width=100, alpha=0.0, best=3)
    best = every(start, longest)[:3]
    assert [one.log_probability for one in found] == pytest.approx([score for score, _ in best])
    assert found[0].tokens == best[0][1]


def test_a_beam_of_two_finds_what_greedy_does_not() -> None:
    network, other = Chain([A]), Chain([A])
    (found,) = beam(network.first, network.step, Ending(END, 6), width=2, alpha=0.0)[0]
    assert found.tokens == (C,)
    assert greedy(other.first, other.step, Ending(END, 6))[0].log_probability < found.log_probability


def test_a_beam_of_one_that_ends_nowhere_is_greedy() -> None:
    chain = CHAIN.copy()
    chain[:, END] = -30.0
    said = [search(chain[[A]], lambda rows, tokens: chain[tokens], Ending(END, 5)) for search in (greedy, beam_of_one)]
    assert said[0][0].tokens == said[1][0].tokens


def beam_of_one(first: Any, step: Step, ending: Ending) -> list[Said]:
    return [found[0] for found in beam(first, step, ending, width=1, alpha=0.0)]


def test_normalising_by_length_makes_sequences_longer_and_ranks_by_what_it_says() -> None:
    chain = np.log(np.array([[1.0, 0, 0, 0], [0.3, 0.7, 0, 0], [0.25] * 4, [0.25] * 4]) + 1e-12)

    def longest(alpha: float) -> list[Said]:
        return beam(chain[[A]], lambda rows, tokens: chain[tokens], Ending(END, 6), width=8, alpha=alpha, best=4)[0]

    assert longest(0.0)[0].tokens == ()
    assert longest(2.0)[0].tokens == (A,) * 6
    ranks = [one.normalised(0.6) for one in longest(0.6)]
    assert ranks == sorted(ranks, reverse=True)
    assert longest(0.6)[0].normalised(0.6) == pytest.approx(
        max(score / ((5 + min(len(t) + 1, 6)) / 6) ** 0.6 for score, t in every(A, 6, chain))
    )


def test_several_searches_end_each_by_itself() -> None:
    network = Chain([C, A])
    found = beam(network.first, network.step, Ending(END, 4), width=3, alpha=0.0, best=2)
    assert [len(one) for one in found] == [2, 2]
    assert found[0][0].tokens == ()
    assert found[1][0].tokens == (C,)


@pytest.mark.parametrize("search", [greedy, beam_of_one])
def test_no_run_is_said_twice_where_that_is_asked_for(search: Callable[..., list[Said]]) -> None:
    chain = np.log(np.array([[1, 1, 1, 1], [0.01, 0.01, 0.9, 0.08], [0.01, 0.9, 0.01, 0.08], [0.1, 0.6, 0.2, 0.1]]))
    free, bound = (
        search(chain[[A]], lambda rows, tokens: chain[tokens], Ending(END, 12, repeat=size))[0].tokens
        for size in (0, 2)
    )
    assert free == (B, A) * 6
    runs = list(pairwise(bound))
    assert len(runs) == len(set(runs))


def test_some_tokens_are_never_said() -> None:
    network = Chain([A])
    assert greedy(network.first, network.step, Ending(END, 3, never=(B,)))[0].tokens == (C,)


def test_samples_are_as_frequent_as_the_network_says() -> None:
    rows = 4000
    first = np.repeat(CHAIN[[A]], rows, 0)
    drawn = sample(first, lambda rows, tokens: CHAIN[tokens], Ending(END, 1), range(rows))
    said = np.array([END if one.ended else one.tokens[0] for one in drawn])
    shares = [np.mean(said == token) for token in (END, A, B, C)]
    assert shares == pytest.approx(np.exp(CHAIN[A]), abs=4 * math.sqrt(0.25 / rows))


def test_temperature_sharpens_and_a_share_leaves_out_what_is_improbable() -> None:
    rows = 2000
    first = np.repeat(CHAIN[[A]], rows, 0)

    def said(**how: float) -> Any:
        drawn = sample(first, lambda rows, tokens: CHAIN[tokens], Ending(END, 1), range(rows), **how)
        return np.bincount([END if one.ended else one.tokens[0] for one in drawn], minlength=4) / rows

    sharp = np.exp(CHAIN[A] / 0.5)
    assert said(temperature=0.5) == pytest.approx(sharp / sharp.sum(), abs=0.05)
    assert said(share=0.6) == pytest.approx([0, 0, 5 / 9, 4 / 9], abs=0.05)
    assert said(share=0.5) == pytest.approx([0, 0, 1, 0])


def test_a_seed_makes_the_same_sequence_whatever_stands_beside_it() -> None:
    network, alone, again = Chain([A, B, A]), Chain([A]), Chain([A])
    ending = Ending(END, 8)
    together = sample(network.first, network.step, ending, [5, 6, 7])
    assert sample(alone.first, alone.step, ending, [7])[0] == together[2]
    assert sample(again.first, again.step, ending, [5])[0] == together[0]
    assert len({one.tokens for one in together}) > 1


@pytest.mark.parametrize("how", [{"temperature": 0.0}, {"share": 0.0}, {"share": 1.5}])
def test_impossible_ways_to_draw_are_refused(how: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        sample(CHAIN[[A]], lambda rows, tokens: CHAIN[tokens], Ending(END, 1), [0], **how)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_logits_say_the_same_as_log_probabilities(kind: Any) -> None:
    logits = (CHAIN + np.array([[3.0], [-2.0], [50.0], [0.0]])).astype(kind)
    said = [greedy(one[[A]], lambda rows, tokens, one=one: one[tokens], Ending(END, 3))[0] for one in (CHAIN, logits)]
    assert said[0].tokens == said[1].tokens
    assert said[1].scores == pytest.approx(said[0].scores, abs=1e-5)


def chosen(prompts: list[list[int]], **options: Any) -> list[tuple[int, ...]]:
    network = Chain([prompt[-1] for prompt in prompts])
    said = Strategy.of(options).choose(network.first, network.step, Ending(END, 6), prompts)
    return [one.tokens for one in said]


def test_a_strategy_is_greedy_or_a_beam_and_says_nothing_twice_where_asked() -> None:
    assert chosen([[A]]) == [(B, A) * 3]
    assert chosen([[A]], beam=2) == [(C,)]
    assert chosen([[A]], no_repeat=2) == [(B, A, B, B, C)]


def test_what_is_drawn_depends_on_the_seed_and_the_prompt_alone() -> None:
    prompts = [[B, A], [C, A], [A, B], [B, A]]
    together = chosen(prompts, seed=1)
    assert together == [chosen([prompt], seed=1)[0] for prompt in prompts]
    assert len({chosen([[B, A]], seed=seed)[0] for seed in range(9)}) > 1
    assert chosen([[A]], top_p=0.1) == chosen([[A]], temperature=0.01) == chosen([[A]])


@pytest.mark.parametrize(
    "options",
    [{"beam": 0}, {"beam": 99}, {"temperature": 0.0}, {"top_p": 1.5}, {"seed": -1}, {"no_repeat": -1}, {"beams": 4}],
)
def test_what_cannot_be_asked_for_is_named(options: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=next(iter(options))):
        Strategy.of(options)


def test_a_beam_draws_nothing() -> None:
    with pytest.raises(RequestError, match="draws none"):
        Strategy(beam=4, seed=1)
