"""Sentences with marked parts -> columns `text`, `slots` and `intent`: CoNLL and BIO files, SNIPS folders, Rasa."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from learnt.codecs import encodings
from learnt.codecs.notation import of_json, of_yaml
from learnt.codecs.spans import Span
from learnt.data import streams
from learnt.data.damage import UNREADABLE
from learnt.data.folders import Folder
from learnt.errors import DataError

TEXT, SLOTS, INTENT = "text", "slots", "intent"
BIO = {".conll", ".conllu", ".bio", ".iob", ".iob2", ".bioes", ".tags"}
MAYBE_BIO = {".txt", ".tsv"}
LOOKED_AT = 50
"""Lines, each of which must end in a tag, that tell a BIO file from a table."""
LISTED = 5
RASA = "nlu: [{intent: play, examples: '- play [Adele](artist)'}]"
VIOLATIONS = 0.01
"""Share of the tagged tokens above which tags that cannot follow each other stop the run."""
LOST = "\ufffd"
"""What stands where bytes were that could not be read."""
_TAG = re.compile(r"O|([BIESLU])-(\S.*)")
_MARKED = re.compile(r"\[([^\]]*)\](?:\(([^)]*)\)|(\{[^}]*\}))")
_KEY = re.compile(r"#\s*\w+\s*[:=]")
_INTENT = re.compile(r"#\s*intent\s*[:=]\s*(\S.*)", re.IGNORECASE)


@dataclass
class Sentence:
    """One text, the parts of it that bear a name, and what it wants."""

    text: str = ""
    slots: list[Span] = field(default_factory=list)
    intent: str | None = None

    def add(self, text: str, label: str | None = None) -> None:
        """More of the text, which bears this name."""
        text = unicodedata.normalize("NFC", text)
        if label and text.strip():
            lead = len(text) - len(text.lstrip())
            start = len(self.text) + lead
            self.slots.append((start, start + len(text.strip()), label))
        self.text += text


def read(path: Path) -> Folder | None:
    """The sentences of a file or a folder; None where it holds none of these formats.

    Raises DataError, with the line, for what is wrong inside.
    """
    if path.is_dir():
        return _snips_folder(path)
    if not path.is_file():
        return None
    suffix = path.suffix.lower()
    if suffix in BIO or (suffix in MAYBE_BIO and _looks_tagged(path)):
        return _bio(path)
    if suffix == ".json":
        return _json(path)
    if suffix in (".yml", ".yaml"):
        return _rasa_yaml(path)
    return _rasa_markdown(path) if suffix == ".md" else None


def _folder(sentences: Sequence[Sentence], tested: int = 0, notes: Iterable[str] = (), target: str = "") -> Folder:
    columns: dict[str, Any] = {TEXT: [one.text for one in sentences]}
    if any(one.intent is not None for one in sentences):
        columns[INTENT] = [one.intent for one in sentences]
    if target == SLOTS or any(one.slots for one in sentences):
        columns[SLOTS] = [[list(span) for span in one.slots] for one in sentences]
    return Folder(columns, tested, target, [], list(notes))


def _decoded(path: Path) -> tuple[str, list[str]]:
    """The text of a file, and a note where it is not UTF-8.

    Raises DataError where more than 1 % of its words hold bytes that are in no encoding known here.
    """
    content = path.read_bytes()
    if encoding := encodings.guess(io.BytesIO(content)):
        said = [] if encoding == encodings.UTF8 else [f"{path.name} is read as {encoding}."]
        return content.decode(encoding), said
    found = encodings.faults(io.BytesIO(content), encodings.UTF8)
    text = content.decode(encodings.UTF8, "replace")
    words = text.split()
    lost = sum(LOST in word for word in words)
    where = f"{path.name}, line {found.first}, is not UTF-8 (byte 0x{found.byte:02x})"
    if lost > UNREADABLE * len(words):
        raise DataError(
            f"{where}, and {lost:,} of {len(words):,} words are not. Save it as UTF-8; of a Cyrillic one: "
            f"iconv -f cp1251 -t utf-8 {path.name} > utf8-{path.name}"
        )
    are = "word is" if lost == 1 else "words are"
    return text, [f"{where}. What cannot be read there is read as U+FFFD; {lost:,} {are} concerned."]


# CoNLL: a token and its tag a line, a blank line between sentences.


def _looks_tagged(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        some = [line for _, line in zip(range(LOOKED_AT), file, strict=False)]
    fields = [_fields(line) for line in some if line.strip() and not _is_comment(line)]
    return bool(fields) and all(len(one) > 1 and _TAG.fullmatch(one[-1]) for one in fields)


def _fields(line: str) -> list[str]:
    line = line.rstrip("\r\n")
    return line.split("\t") if "\t" in line else [field for field in line.split(" ") if field]


def _is_comment(line: str) -> bool:
    """A line of `#` is one where it is no token with its tag; `# text = ...` and `# intent: ...` never are."""
    if not line.startswith("#"):
        return line.startswith("-DOCSTART-")
    fields = _fields(line)
    tagged = len(fields) > 1 and _TAG.fullmatch(fields[-1])
    return not tagged or ("\t" not in line and bool(_KEY.match(line)))


def _bio(path: Path) -> Folder:
    content, notes = _decoded(path)
    blocks = list(_blocks(content, path.name))
    tokens = [token for block, _ in blocks for _, token, _ in block]
    between = "" if tokens and all(len(token) == 1 for token in tokens) else " "
    wrong: list[tuple[int, str]] = []
    sentences = [_sentence(block, intent, between, wrong) for block, intent in blocks]
    if not sentences:
        raise DataError(f"{path.name} is empty. Expected: a token, a tab and its tag a line, such as: Seoul\tB-city")
    if wrong and _begins_inside(blocks):
        notes.append(f"{path.name} begins a span with I- unless one of its label ends before: it is read so.")
    elif wrong:
        listed = "; ".join(f"line {line}: {why}" for line, why in wrong[:LISTED])
        many = f"{len(wrong):,} tag{'s' * (len(wrong) > 1)} of {path.name} cannot follow the tag before"
        if len(wrong) > VIOLATIONS * len(tokens):
            raise DataError(f"{many}, more than 1 %. First ones: {listed}. A span begins with B- (or S- alone).")
        notes.append(f"{many}, and a span of its own begins there: {listed}.")
    if not between:
        notes.append(f"{path.name} has a character a line: they are joined without blanks.")
    return _folder(sentences, notes=notes, target=SLOTS)


Block = list[tuple[int, str, str]]
"""(line from 1, token, tag) of each token of a sentence."""


def _blocks(content: str, name: str) -> Iterator[tuple[Block, str | None]]:
    """Sentences, each with the intent that a comment says."""
    block: Block = []
    intent: str | None = None
    for number, line in enumerate([*content.split("\n"), ""], 1):
        if not line.strip() or _is_comment(line):
            if block:
                yield block, intent
                block, intent = [], None
            said = _INTENT.fullmatch(line.strip())
            intent = said[1].strip() if said else intent
            continue
        fields = _fields(line)
        if len(fields) < 2:
            raise DataError(f"{name}, line {number} has no tag: {line[:60]!r}. Expected: a token, a tab and its tag.")
        if not _TAG.fullmatch(fields[-1]):
            raise DataError(
                f"{name}, line {number}: {fields[-1][:60]!r} is no tag. Expected: O, B-label or I-label (or E-, S-)."
            )
        block.append((number, fields[0], fields[-1]))


def _sentence(block: Block, intent: str | None, between: str, wrong: list[tuple[int, str]]) -> Sentence:
    """A sentence of its tokens; what no tag can follow goes to `wrong`."""
    found = Sentence(intent=intent)
    open_ = ""
    for place, (line, token, tag) in enumerate(block):
        found.text += between if place else ""
        kind, label = tag[:1], tag[2:]
        goes_on = kind in "IEL" and label == open_ and bool(open_)
        if kind in "IEL" and not goes_on:
            wrong.append((line, f"{tag} goes on with no {label!r}"))
        start = len(found.text)
        found.add(token, None if tag == "O" or goes_on else label)
        if goes_on and found.slots and len(found.text) > start:
            found.slots[-1] = (found.slots[-1][0], len(found.text.rstrip()), label)
        open_ = label if kind in "BI" else ""
    return found


def _begins_inside(blocks: Sequence[tuple[Block, str | None]]) -> bool:
    """Whether B- stands only where a span of its label ended just before: then I- begins the others."""
    for block, _ in blocks:
        before = "O"
        for _, _, tag in block:
            if tag[:1] not in "OIB" or (tag[:1] == "B" and before[2:] != tag[2:]):
                return False
            before = tag
    return True


# SNIPS and Rasa.


def _snips_folder(path: Path) -> Folder | None:
    """`INTENT/train_INTENT_full.json` and `INTENT/validate_INTENT.json`, the latter as a test set."""
    found = sorted(path.glob("*/*.json")) + sorted(path.glob("*.json"))
    full = {one.name.removesuffix("_full.json") for one in found if one.name.endswith("_full.json")}
    used = [one for one in found if one.stem not in full]
    tests = [one for one in used if one.name.startswith(("validate", "test"))]
    learnt = [one for one in used if one not in tests]
    if not learnt:
        learnt, tests = tests, []
    parts: list[list[Sentence]] = [[], []]
    notes: list[str] = []
    for place, names in enumerate((learnt, tests)):
        for name in names:
            try:
                sentences, said = _snips(name)
            except DataError:
                if any(parts):
                    raise
                return None
            if sentences is None:
                return None
            parts[place] += sentences
            notes += said
    if not any(parts):
        return None
    if left := [one.name for one in found if one.stem in full]:
        notes.append(f"{len(left):,} files are left out for their `_full` ones: {', '.join(left[:LISTED])}.")
    if tests:
        notes.append(
            f"{len(parts[1]):,} sentences of the validation files only measure; {len(parts[0]):,} are learnt from."
        )
    return _folder([*parts[0], *parts[1]], len(parts[1]), notes)


def _snips(path: Path) -> tuple[list[Sentence] | None, list[str]]:
    """{intent: [{"data": [{"text", "entity"?}]}]}, or None."""
    content, notes = _decoded(path)
    document = _document(content, path)
    if isinstance(document, Mapping) and isinstance(document.get("intents"), Mapping):
        document = {
            name: one.get("utterances") for name, one in document["intents"].items() if isinstance(one, Mapping)
        }
    if not isinstance(document, Mapping) or not document:
        return None, notes
    found = []
    for intent, utterances in document.items():
        if not isinstance(utterances, list) or not all(
            isinstance(one, Mapping) and "data" in one for one in utterances
        ):
            return None, notes
        for one in utterances:
            sentence = Sentence(intent=str(intent))
            for piece in one["data"]:
                sentence.add(str(piece.get("text", "")), piece.get("slot_name") or piece.get("entity"))
            found.append(sentence)
    return found, notes


def _json(path: Path) -> Folder | None:
    content, notes = _decoded(path)
    try:
        document = of_json(content)
    except json.JSONDecodeError:
        return None
    if isinstance(document, Mapping) and isinstance(rasa := document.get("rasa_nlu_data"), Mapping):
        examples = rasa.get("common_examples", [])
        return _folder([_rasa_example(one, place, path.name) for place, one in enumerate(examples, 1)], notes=notes)
    sentences, notes = _snips(path)
    return _folder(sentences, notes=notes) if sentences else None


def _document(content: str, path: Path) -> Any:
    try:
        return of_json(content)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path.name}, line {error.lineno} is no JSON: {error.msg} at column {error.colno}. Mend it; this shows "
            f"the line: {streams.showing(path, error.lineno)}"
        ) from None


def _rasa_example(given: Mapping[str, Any], place: int, name: str) -> Sentence:
    from learnt.codecs import spans

    text = str(given.get("text", ""))
    try:
        found = spans.composed(text, spans.read(list(given.get("entities") or [])))
    except ValueError as error:
        raise DataError(f"{name}, example {place} ({text[:60]!r}): {error}.") from None
    return Sentence(unicodedata.normalize("NFC", text), found, given.get("intent"))


def _rasa_yaml(path: Path) -> Folder:
    content, notes = _decoded(path)
    try:
        document = of_yaml(content)
    except ValueError as error:
        raise DataError(f"{path.name} cannot be read as YAML: {error}.") from None
    if not isinstance(document, Mapping) or not isinstance(document.get("nlu"), list):
        raise DataError(f"{path.name} holds no list 'nlu'. Expected a file of Rasa's: {RASA}")
    found: list[Sentence] = []
    others: list[str] = []
    for entry in document["nlu"]:
        if isinstance(entry, Mapping) and "intent" in entry:
            given = entry.get("examples") or ""
            lines = given.split("\n") if isinstance(given, str) else [_line(one) for one in given]
            found += [_marked(line.strip()[1:], str(entry["intent"]), path.name) for line in lines if _is_item(line)]
        elif isinstance(entry, Mapping):
            others.append(str(next(iter(entry), "")))
    kinds = {kind: len(list(same)) for kind, same in groupby(sorted(others))}
    notes += [
        f"{count:,} {'entry' if count == 1 else 'entries'} of {kind!r} left out: no examples of an intent."
        for kind, count in kinds.items()
    ]
    return _folder(found, notes=notes)


def _line(given: Any) -> str:
    return f"- {given.get('text', '') if isinstance(given, Mapping) else given}"


def _rasa_markdown(path: Path) -> Folder | None:
    content, notes = _decoded(path)
    found: list[Sentence] = []
    intent: str | None = None
    for line in content.split("\n"):
        if line.startswith("#"):
            heading = line.strip("# ").strip()
            intent = heading.removeprefix("intent:").strip() if heading.startswith("intent:") else None
        elif intent and _is_item(line):
            found.append(_marked(line.strip()[1:], intent, path.name))
    return _folder(found, notes=notes) if found else None


def _is_item(line: str) -> bool:
    return line.strip().startswith(("-", "*", "+")) and bool(line.strip()[1:].strip())


def _marked(line: str, intent: str, name: str) -> Sentence:
    """`- play [Adele](artist)`, or `[Adele]{"entity": "artist"}`."""
    sentence, place = Sentence(intent=intent), 0
    line = line.strip()
    for match in _MARKED.finditer(line):
        label = match[2]
        if match[3] is not None:
            try:
                label = of_json(match[3])["entity"]
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f'{name}: {match[0][:60]!r} names no slot. Expected: [Adele]{{"entity": "artist"}}'
                ) from None
        sentence.add(line[place : match.start()])
        sentence.add(match[1], label.split(":")[0].strip())
        place = match.end()
    sentence.add(line[place:])
    return sentence
