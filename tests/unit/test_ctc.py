from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest

from learnt.codecs import ctc
from learnt.codecs.language_model import NgramModel
from learnt.codecs.priors import BONUS, MOST, Letters, Only, Phrases, WordList, Words

SPACE = 1
LETTERS = ("", " ", "a", "b")


def collapsed(path: Sequence[int]) -> tuple[int, ...]:
    return tuple(one for before, one in pairwise((0, *path)) if one not in (0, before))


def every(scores: Any, priors: Sequence[ctc.Prior] = ()) -> dict[tuple[int, ...], tuple[float, float]]:
    """Of every text there can be its log probability, summed over all alignments, and that with the priors."""
    total: dict[tuple[int, ...], float] = {}
    for path in product(range(scores.shape[1]), repeat=len(scores)):
        text = collapsed(path)
        total[text] = total.get(text, 0.0) + math.exp(sum(scores[frame, one] for frame, one in enumerate(path)))
    return {text: (math.log(chance), math.log(chance) + worth(text, priors)) for text, chance in total.items()}


def worth(text: Sequence[int], priors: Sequence[ctc.Prior]) -> float:
    found = 0.0
    for prior in priors:
        state = prior.start
        for symbol in text:
            state, more = prior.step(state, symbol)
            found += more
        found += prior.end(state)
    return found


def noise(seed: int, frames: int = 5, symbols: int = 4, sharp: float = 1.0) -> Any:
    logits = sharp * np.random.default_rng(seed).normal(size=(frames, symbols))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def peaks(text: str, seed: int = 0, letters: Sequence[str] = LETTERS, doubt: float = 0.1) -> Any:
    """A symbol and a blank after each other, both fairly sure."""
    path = [code for letter in text for code in (letters.index(letter), 0)]
    chances = np.random.default_rng(seed).uniform(0.5, 1.0, (len(path), len(letters)))
    chances *= doubt / (chances.sum(1, keepdims=True) - chances[np.arange(len(path)), path][:, None])
    chances[np.arange(len(path)), path] = 1 - doubt
    return np.log(chances)


def spoken(found: Sequence[ctc.Hypothesis], letters: Sequence[str] = LETTERS) -> str:
    return "".join(letters[one] for one in found[0].symbols)


def test_greedy_takes_runs_of_the_best_symbol_with_their_frames_and_how_sure_they_are() -> None:
    chances = np.full((7, 3), 0.1)
    for frame, symbol in enumerate([0, 1, 1, 0, 1, 2, 0]):
        chances[frame, symbol] = 0.8
    chances[2] = [0.1, 0.5, 0.4]
    assert ctc.greedy(np.log(chances)) == [
        (1, 1, 2, pytest.approx(math.sqrt(0.8 * 0.5))),
        (1, 4, 4, pytest.approx(0.8)),
        (2, 5, 5, pytest.approx(0.8)),
    ]


def test_a_sound_without_frames_says_nothing() -> None:
    assert ctc.greedy(np.zeros((0, 3))) == []
    assert ctc.search(np.zeros((0, 3))) == [((), 0.0, 0.0)]
    assert ctc.aligned(np.zeros((0, 3)), []) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_wide_search_finds_the_most_probable_texts_exactly(seed: int) -> None:
    scores = noise(seed)
    expected = sorted(((one[0], text) for text, one in every(scores).items()), reverse=True)
    found = ctc.search(scores, width=10_000, best=len(expected), least=-math.inf)
    assert len(found) == len(expected)
    assert [one.log_probability for one in found] == pytest.approx([score for score, _ in expected])
    assert [one.symbols for one in found[:5]] == [text for _, text in expected[:5]]


def grams() -> NgramModel:
    return NgramModel([[2, 3, 1, 2], [2, 2, 3], [3, 1, 3]], 3)


@pytest.mark.parametrize(
    "prior",
    [
        Phrases([[2, 3], [2, 3, 1, 2]], SPACE),
        Phrases([[2, 3], [3, 2]], None),
        WordList([[2], [2, 3], [3, 3]], SPACE),
        Only([1, 3]),
        Letters(grams()),
        Words(NgramModel([[(2,), (3,)], [(2, 3)], [(2,), (2,)]], 2), SPACE),
    ],
)
def test_with_a_prior_a_wide_search_finds_what_all_texts_and_their_scores_say(prior: ctc.Prior) -> None:
    scores = noise(3)
    expected = {text: score for text, (_, score) in every(scores, [prior]).items() if score > -math.inf}
    found = ctc.search(scores, width=10_000, priors=[prior], best=10_000, least=-math.inf)
    assert {one.symbols: pytest.approx(one.score) for one in found} == expected
    assert found[0].score == max(one.score for one in found)


def test_a_search_of_one_is_greedy_where_nothing_is_in_doubt_and_adds_alignments_up_where_it_is() -> None:
    sure = peaks("ab ba")
    assert [one.symbol for one in ctc.greedy(sure)] == list(ctc.search(sure, width=1)[0].symbols)
    torn = np.log([[0.4, 0.3, 0.3]] * 2)
    assert ctc.greedy(torn) == []
    assert ctc.search(torn, width=10)[0].symbols == (1,)


@pytest.mark.parametrize("seed", range(8))
def test_a_wider_search_never_finds_anything_worse(seed: int) -> None:
    scores = noise(seed, frames=14, symbols=5, sharp=1.5)
    found = [ctc.search(scores, width=width)[0].score for width in (1, 4, 64)]
    assert found[0] <= found[2] + 1e-9
    assert found[1] <= found[2] + 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_symbols_are_aligned_as_the_best_of_all_paths_would(seed: int) -> None:
    scores = noise(seed, frames=6, symbols=3)
    for text in ((), (1,), (1, 1), (1, 2, 1), (2, 2, 2)):
        paths = [path for path in product(range(3), repeat=6) if collapsed(path) == text]
        best = max(paths, key=lambda path: sum(scores[frame, one] for frame, one in enumerate(path)))
        expected = ctc.greedy(np.log(np.eye(3)[list(best)] + 1e-9))
        found = ctc.aligned(scores, text)
        assert [one[:3] for one in found] == [one[:3] for one in expected]
        for one in found:
            frames = scores[one.first : one.last + 1, one.symbol]
            assert one.confidence == pytest.approx(math.exp(frames.mean()))


def test_of_many_symbols_only_the_likeliest_of_a_frame_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters of the likeliest ones still win where a prior forbids the first."""
    monkeypatch.setattr(ctc, "MOST", 3)
    scores = np.log(np.array([[0.1, 0.4, 0.3, 0.15, 0.05]]))
    assert ctc.search(scores)[0].symbols == (1,)
    assert ctc.search(scores, priors=[Only([2])])[0].symbols == (2,)
    assert ctc.search(scores, priors=[Only([4])])[0].symbols == ()
    monkeypatch.setattr(ctc, "MOST", 5)
    assert ctc.search(scores, priors=[Only([4])], best=2)[1].symbols == (4,)


def test_too_few_frames_are_said_to_be() -> None:
    ctc.aligned(noise(0, frames=3), [2, 2])
    with pytest.raises(ValueError, match="2 frames are too few for 2 symbols"):
        ctc.aligned(noise(0, frames=2), [2, 2])


def test_only_words_of_a_list_are_said() -> None:
    scores = peaks("ab ba", doubt=0.3)
    assert spoken(ctc.search(scores)) == "ab ba"
    only = WordList([[2, 3]], SPACE)
    assert spoken(ctc.search(scores, priors=[only], width=64)) == "ab ab"


def test_n_grams_decide_what_the_sound_leaves_open() -> None:
    scores = peaks("aa", doubt=0.02)
    scores[2, [2, 3]] = np.log([0.4, 0.38])
    assert spoken(ctc.search(scores)) == "aa"
    letters = Letters(NgramModel([[2, 3]] * 20, 2))
    assert spoken(ctc.search(scores, priors=[letters])) == "ab"
    words = Words(NgramModel([[(2, 3)]] * 20 + [[(2, 2)]], 2), SPACE)
    assert spoken(ctc.search(scores, priors=[words])) == "ab"


def test_n_grams_make_texts_neither_shorter_nor_longer() -> None:
    texts = [[2, 3], [2, 3, 1, 3, 3], [2]]
    letters = Letters(NgramModel(texts, 2))
    assert sum(worth(text, [letters]) for text in texts) == pytest.approx(0)


ALPHABET = ("", *" abcdefghijklmnopqrstuvwxyz")


def coded(phrase: str) -> list[int]:
    return [ALPHABET.index(letter) for letter in phrase]


def phrases(*written: str, space: int | None = SPACE) -> Phrases:
    return Phrases(map(coded, written), space)


@pytest.mark.parametrize(
    ("text", "phrases_said"),
    [
        ("new york", 1),
        ("in new york city", 1),
        ("new york new york", 2),
        ("new", 0),
        ("renew york", 0),
        ("new yorker", 0),
        ("new new york", 1),
        ("new york hill", 2),
        ("york hill", 1),
        ("nothing of it", 0),
        ("", 0),
    ],
)
def test_a_text_is_worth_as_much_more_as_phrases_are_said_whole_in_it(text: str, phrases_said: int) -> None:
    prior = phrases("new york", "new york city", "york hill")
    assert worth(coded(text), [prior]) == pytest.approx(MOST * phrases_said)


def test_a_short_phrase_is_worth_as_much_as_it_has_symbols() -> None:
    prior = phrases("on", "on it")
    assert worth(coded("on"), [prior]) == pytest.approx(2 * BONUS)
    assert worth(coded("on it"), [prior]) == pytest.approx(MOST)
    assert worth(coded("on i"), [prior]) == pytest.approx(2 * BONUS)


def test_without_spaces_phrases_stand_anywhere() -> None:
    prior = phrases("bc", "cde", space=None)
    assert worth(coded("abcd"), [prior]) == pytest.approx(2 * BONUS)
    assert worth(coded("abcde"), [prior]) == pytest.approx(5 * BONUS)
    assert worth(coded("acd"), [prior]) == pytest.approx(0.0)


def test_no_phrases_at_all_change_nothing() -> None:
    assert worth(coded("new york"), [phrases()]) == 0.0


def doubtful(text: str, other: str, share: float) -> Any:
    """What sounds like `text`, and where `other` differs `share` as much like that."""
    scores = peaks(text, letters=ALPHABET, doubt=0.05)
    for place, (one, another) in enumerate(zip(text, other, strict=True)):
        if one != another:
            scores[2 * place, coded(another)[0]] = scores[2 * place, coded(one)[0]] + math.log(share)
    return scores


def test_a_phrase_is_heard_where_the_sound_leaves_it_open() -> None:
    scores = doubtful("call ann now", "call anm now", 0.5)
    assert spoken(ctc.search(scores), ALPHABET) == "call ann now"
    assert spoken(ctc.search(scores, priors=[phrases("anm")]), ALPHABET) == "call anm now"


def test_phrases_do_not_disturb_what_does_not_hold_them() -> None:
    prior = phrases("anm", "call bob", "now then")
    for seed in range(10):
        random = np.random.default_rng(seed)
        text = "".join(random.choice(list("acelnow "), 12))
        text = " ".join(text.split()) or "a"
        scores = peaks(text, seed, ALPHABET, doubt=0.2)
        (plain,), (biased,) = ctc.search(scores), ctc.search(scores, priors=[prior])
        assert biased.symbols == plain.symbols


def test_a_phrase_that_is_left_unfinished_is_no_better_than_before() -> None:
    scores = doubtful("call ann", "call anm", 0.5)
    assert spoken(ctc.search(scores, priors=[phrases("anmx")]), ALPHABET) == "call ann"
