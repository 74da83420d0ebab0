"""Text as the tokens of a tokenizer that came with a pretrained network: its tokenizer.json, read by `tokenizers`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from learnt.codecs import subwords
from learnt.errors import MissingExtra


def merges(document: Mapping[str, Any]) -> tuple[list[list[int]], list[int]]:
    """The merges of a byte-level BPE tokenizer as `codecs.subwords` counts tokens, and of each of these from 1 on the
    number that the tokenizer gives it, -1 for none. Raises ValueError for a tokenizer of another kind.
    """
    model = document["model"]
    if model["type"] != "BPE" or "ByteLevel" not in json.dumps(document["pre_tokenizer"]):
        raise ValueError(f"a tokenizer of the kind {model['type']} that is not over bytes")
    known = {letter: byte + 1 for letter, byte in subwords.alphabet().items()}
    found = []
    for pair in model["merges"]:
        left, right = pair.split(" ") if isinstance(pair, str) else pair
        known.setdefault(left + right, len(known) + 1)
        found.append([known[left], known[right]])
    ordered = sorted(known, key=lambda letters: known[letters])
    return found, [int(model["vocab"].get(letters, -1)) for letters in ordered]


class Borrowed:
    """Encodes as the document says, without what it puts before and behind a text. Raises MissingExtra."""

    def __init__(self, document: str) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise MissingExtra("tokenizers", "text", "Reading with the tokenizer of a pretrained network") from None
        self._whole = Tokenizer.from_str(document)
        self._whole.no_padding()
        self._whole.no_truncation()
        self._whole.encode_special_tokens = True

    def encode(self, text: str) -> list[tuple[int, int, int]]:
        """(token, first character, the one behind the last); a lone surrogate is read as a question mark."""
        found = self._whole.encode(text.encode("utf-8", "replace").decode("utf-8"), add_special_tokens=False)
        return [(token, *where) for token, where in zip(found.ids, found.offsets, strict=True)]

    def around(self) -> tuple[list[int], list[int]]:
        """The tokens that stand before and behind every text."""
        found = self._whole.encode("a")
        special = found.special_tokens_mask
        first = special.index(0) if 0 in special else len(special)
        last = len(special) - special[::-1].index(0) if 0 in special else len(special)
        return found.ids[:first], found.ids[last:]
