"""What happens to texts on the way: each kind in five severities, a text in and out."""

from __future__ import annotations

import unicodedata

import numpy as np

SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Of characters, marks or words, how many are damaged."""
MARKS = ".,!?;:-"
_LATIN, _CYRILLIC = (
    "aceiopsxyABCEHIKMOPTX",
    (
        "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443"
        "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425"
    ),
)
LOOKS = str.maketrans(_LATIN + "01", _CYRILLIC + "Ol")
"""Latin letters as the Cyrillic ones that look like them, 0 and 1 as O and l."""

Random = np.random.Generator


def typo(text: str, severity: int, random: Random) -> str:
    """Neighbouring characters change places, one is lost, or comes twice."""
    found = list(text)
    for place in _some(len(text), severity, random):
        kind = random.integers(3)
        if kind == 0 and place + 1 < len(found):
            found[place], found[place + 1] = found[place + 1], found[place]
        else:
            found[place] = found[place] * int(kind)
    return "".join(found)


def case(text: str, severity: int, random: Random) -> str:
    """Words in capitals; of the worst all of them."""
    words = text.split(" ")
    for place in range(len(words)) if severity == 5 else _some(len(words), severity, random):
        words[place] = words[place].upper()
    return " ".join(words)


def punctuation(text: str, severity: int, random: Random) -> str:
    """Marks are lost, and others stand behind words."""
    words = ["".join(letter for letter in word if letter not in MARKS) or word for word in text.split(" ")]
    for place in _some(len(words), severity, random):
        words[place] += MARKS[random.integers(len(MARKS))]
    return " ".join(words)


def order(text: str, severity: int, random: Random) -> str:
    """Neighbouring words change places."""
    words = text.split(" ")
    for place in _some(len(words) - 1, severity, random):
        words[place], words[place + 1] = words[place + 1], words[place]
    return " ".join(words)


def jamo(text: str, severity: int, random: Random) -> str:
    """Hangul syllables fall apart into letters that stay apart, as typed on a keyboard that does not join them."""
    found = list(text)
    for place in _some(len(text), severity, random):
        if "\uac00" <= found[place] <= "\ud7a3":
            found[place] = "".join(_ALONE.get(part, part) for part in unicodedata.normalize("NFD", found[place]))
    return "".join(found)


def lookalike(text: str, severity: int, random: Random) -> str:
    """Letters give way to others that look like them."""
    found = list(text)
    for place in _some(len(text), severity, random):
        found[place] = found[place].translate(LOOKS)
    return "".join(found)


def _some(count: int, severity: int, random: Random) -> list[int]:
    """Places to damage: a share of `count`, as often as not one more."""
    many = min(count, int(count * SHARES[severity - 1] + random.random())) if count > 0 else 0
    return sorted(random.permutation(count)[:many].tolist()) if many else []


_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_TAILS = "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_ALONE = {chr(0x1100 + place): letter for place, letter in enumerate(_LEADS)}
_ALONE |= {chr(0x1161 + place): chr(0x314F + place) for place in range(21)}
_ALONE |= {chr(0x11A8 + place): letter for place, letter in enumerate(_TAILS)}
