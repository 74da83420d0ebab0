"""What somebody expects to be said: phrases, a list of words, texts. It is searched for and nothing is learnt anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from learnt.codecs import ctc, spoken
from learnt.codecs.language_model import NgramModel
from learnt.codecs.priors import Letters, Only, Phrases, Spelled, WordList, Words
from learnt.contracts import Settings
from learnt.errors import RequestError, UnreadableError, unknown

PHRASES, WORDS, TEXTS = "phrases", "words", "texts"
KINDS = (PHRASES, WORDS, TEXTS)
OF_LETTERS, OF_WORDS = 6, 3
"""The longest n-grams."""


def learn(options: Mapping[str, Sequence[str]], settings: Settings) -> dict[str, list[str]]:
    """`options`, some of `phrases`, `words` and `texts`, as they are spoken.

    Raises RequestError for another and for one without a letter, UnreadableError that lists the phrases and words that
    cannot be said in the symbols of these settings. Of texts, words that cannot be are passed over.
    """
    found: dict[str, list[str]] = {}
    problems: list[tuple[str, str]] = []
    for kind, given in options.items():
        if kind not in KINDS:
            raise unknown("expectation", kind, KINDS)
        found[kind] = list(dict.fromkeys(filter(None, map(spoken.plain, given))))
        if kind == WORDS:
            found[kind] = sorted({word for line in found[kind] for word in line.split()})
        if not found[kind]:
            raise RequestError(f"There are no {kind} to expect: no line has a letter.")
        for one in found[kind] if kind != TEXTS else ():
            if strange := spoken.foreign(one, settings):
                problems.append((one, ", ".join(map(repr, strange))))
    if problems:
        what = "words" if settings["words"] else "letters"
        known = " ".join(spoken.letters(settings)[:60]).strip()
        raise UnreadableError(
            f"{len(problems):,} of what is expected cannot be heard by this file, for it learnt no such {what}. "
            f"It knows: {known}. Take them out, or train with recordings that have them.",
            problems,
        )
    return found


def priors(settings: Settings) -> tuple[ctc.Prior, ...]:
    """What `learn` left in the settings as `expected`, for `ctc.search`; () for nothing."""
    given = settings.get("expected", {})
    if not given:
        return ()
    known = tuple(settings["symbols"]), bool(settings["words"]), str(settings["form"])
    return _priors(*known, *(tuple(given.get(kind, ())) for kind in KINDS))


@lru_cache(4)
def _priors(
    symbols: tuple[str, ...],
    whole: bool,
    form: str,
    phrases: tuple[str, ...],
    words: tuple[str, ...],
    texts: tuple[str, ...],
) -> tuple[ctc.Prior, ...]:
    every: Settings = {"symbols": symbols, "words": whole, "form": form}
    settings: Settings = {**every, "symbols": spoken.letters(every)}
    space = None if whole else symbols.index(spoken.SPACE) + 1

    def coded(text: str) -> tuple[int, ...]:
        return tuple(spoken.codes(text, settings))

    found: list[ctc.Prior] = []
    if phrases:
        found.append(Phrases(map(coded, phrases), space))
    if words:
        found.append(
            Only(code for word in words for code in coded(word))
            if space is None
            else WordList(map(coded, words), space)
        )
    if texts:
        pieces = [piece for text in texts for piece in _known(text, settings)]
        if words and space is not None:
            found.append(Words(NgramModel([[coded(word) for word in piece] for piece in pieces], OF_WORDS), space))
        else:
            order = OF_WORDS if whole else OF_LETTERS
            found.append(Letters(NgramModel([coded(" ".join(piece)) for piece in pieces], order)))
    if spoken.unit(every) != "pieces":
        return tuple(found)
    place = {symbol: at for at, symbol in enumerate(symbols, 1)}
    spelled = [(), *(tuple(place[letter] for letter in symbol) for symbol in symbols)]
    return tuple(Spelled(prior, spelled) for prior in found)


def _known(text: str, settings: Settings) -> list[list[str]]:
    """Words that can be said, parted where some cannot."""
    found: list[list[str]] = [[]]
    for word in text.split():
        if spoken.foreign(word, settings):
            found.append([])
        else:
            found[-1].append(word)
    return [piece for piece in found if piece]
