"""What to type: the next commands, and those that stand in what a finding says to do."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePath

from learnt.report.figures import Document, targets

VERBS = ("train", "predict", "explain", "audit", "show", "verify", "walk", "demo")
_COMMAND = re.compile(rf"(?<!\w)(`?)(learnt (?:{'|'.join(VERBS)})\b.*?)(?:`|[,;:.]?$|[,;:.](?=\s))", re.MULTILINE)
_DATA = {"image": "new_images/", "audio": "new_recordings/", "video": "new_videos/"}


def commands(document: Document, model: str) -> list[tuple[str, str]]:
    """(What for, the line to type), three of them; one more where the file goes on with what is being typed."""
    data = new_data(document)
    named = " ".join(shlex.quote(name) for name in targets(document) if name)
    path = shlex.quote(model)
    live = [("go on with what is typed", f"learnt predict {path} --live")] if _goes_on(document) else []
    return [
        *live,
        ("predict", f"learnt predict {path} {data} --out predictions.csv"),
        ("ask why", f"learnt explain {path} {data}"),
        ("judge it on your data", f"learnt audit {path} {data}{f' --target {named}' if named else ''}"),
    ]


def _goes_on(document: Document) -> bool:
    """Whether what is read is the beginning of what is said."""
    read = {column for given in (document.get("inputs") or {}).values() for column in given.get("columns", ())}
    return bool(read) and read <= set(targets(document))


def new_data(document: Document) -> str:
    """A name for data to predict, of the kind that the file takes."""
    kinds = {given.get("modality") for given in (document.get("inputs") or {}).values()}
    return _DATA.get(kinds.pop(), "new.csv") if len(kinds) == 1 else "new.csv"


def split_act(act: str, document: Document, model: str) -> tuple[str, str, str]:
    """What to do, taken apart: the words before a command, the command, the words after it.

    `MODEL`, `RUN` and `COLUMN` become the real ones; `model` is the path as it is to be written.
    """
    found = _COMMAND.search(act)
    if not found:
        return act.strip(), "", ""
    named = [name for name in targets(document) if name]
    real = {
        "MODEL": shlex.quote(model),
        "RUN": shlex.quote(str(PurePath(model).parent)),
        "COLUMN": " ".join(map(shlex.quote, named)) or "COLUMN",
    }
    command = " ".join(real.get(word, word) for word in found[2].strip().split(" "))
    before = act[: found.start()].rstrip(" :\n")
    after = act[found.end() :].strip(" ,;:.\n")
    return f"{before}:" if before else "", command, f"{after[0].upper()}{after[1:]}." if after else ""
