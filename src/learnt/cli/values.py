"""What is written behind an option, as what it means. A mistake ends with what to write."""

from __future__ import annotations

import argparse
import sys

MOST_ANSWERS = 100


def columns(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number; write 3") from None


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number; write .8") from None


def numbers(text: str) -> list[float]:
    try:
        found = [float(piece) for piece in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < number < float("inf") for number in found):
        raise argparse.ArgumentTypeError(f"{text!r} are no numbers above 0; write 1,2,5")
    return found


def rows(text: str) -> int:
    if text == "all":
        return sys.maxsize
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows; write 200000")
    return int(text)


def count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_ANSWERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MOST_ANSWERS}; write 3")
    return int(text)


def share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share between 0 and 1; write .9")
    return share
