"""Words in pieces that recur: byte-pair encoding over letters (Sennrich, Haddow, Birch, ACL 2016, section 3.2).

Its table is the list of pieces, the most urgent first: two neighbours that are one of them together become it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from learnt.codecs import subwords


def learn(words: Iterable[str], letters: Sequence[str], most: int) -> list[str]:
    """At most so many pieces of several letters that are frequent in these words; the same for them in any order.

    Raises MissingExtra without the package tokenizers.
    """
    merges = subwords.merged(words, letters, len(letters) + most) if most else []
    return list(dict.fromkeys(left + right for left, right in merges))


def cut(word: str, known: Mapping[str, int]) -> list[str]:
    """The pieces of a word, of these and single letters. The lower the number of a piece, the more urgent it is."""
    found = list(word)
    while len(found) > 1:
        urgent = min((known.get(one + other, len(known) + 1), at) for at, (one, other) in enumerate(pairwise(found)))
        if urgent[0] > len(known):
            break
        place = urgent[1]
        found[place : place + 2] = [found[place] + found[place + 1]]
    return found
