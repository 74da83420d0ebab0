"""How options are read and their help is laid out."""

from __future__ import annotations

import argparse
import re
from typing import NoReturn

from learnt.errors import RequestError


class Help(argparse.RawDescriptionHelpFormatter):
    """Each example on a line of its own; wide enough that words of a column do not fall apart."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)


class Parser(argparse.ArgumentParser):
    """Mistakes are RequestErrors that end with a line to write."""

    example = "learnt train data.csv --target COLUMN"

    def error(self, message: str) -> NoReturn:
        option = re.fullmatch(r"argument (-[^:]+): (.+)", message)
        if option and "choose from" in option[2]:
            raise RequestError(f"{option[1]}: {option[2]}.")
        if option and "; write " in option[2]:
            why, cure = option[2].split("; write ")
            raise RequestError(f"{option[1]}: {why}. Write for example: {option[1]} {cure}")
        raise RequestError(f"{message[:1].upper()}{message[1:]}. Write for example: {self.example}")
