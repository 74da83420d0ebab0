"""Captions of a recording or a video, as it is heard: constant memory, however long it is. No torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from learnt.artifact.artifact import Artifact
from learnt.artifact.transcribing import AT_ONCE
from learnt.codecs import files, tracks
from learnt.codecs.cues import Cue, cues
from learnt.codecs.subtitles import FORMATS
from learnt.contracts import Follows
from learnt.data import writers
from learnt.errors import RequestError

LEAST = 0.5
"""What is more likely wrong than right is not shown."""
Progress = Callable[[float, float | None], None]
"""Told the seconds that were heard, and how many there are; None where the file does not say."""


def wanted(model: Artifact, source: object, out: str | Path) -> bool:
    """Whether that is a file of captions: as its suffix says, or since a file that writes down sound is asked about one
    recording.
    """
    suffix = Path(out).suffix.lower()
    if suffix in (".srt", ".vtt") or suffix not in FORMATS:
        return suffix in FORMATS
    one = files.kind(str(source)) == "audio" and Path(str(source)).is_file()
    return one and any(isinstance(task, Follows) for task, _ in model.tasks().values())


def captions(
    model: Artifact, track: tracks.Track, least: float = LEAST, heard: Progress | None = None
) -> Iterator[Cue]:
    """Cues of what is said in a track, as soon as they are complete; words less sure than `least` are left out.

    Raises RequestError for a file that writes down no sound as it comes, and as `Track.blocks` does.
    """
    listening = model.listening()

    def told() -> Iterator[tracks.Samples]:
        for block in track.blocks(listening.rate, AT_ONCE):
            yield block
            if heard:
                heard(track.heard, track.seconds)

    return cues(listening.words(told()), least)


def write(
    model: Artifact, source: str | Path, out: str | Path, least: float = LEAST, heard: Progress | None = None
) -> tuple[int, str]:
    """Writes captions as the suffix of `out` says: how many cues, and what of the source was lost, "" for nothing.

    A file of that name is replaced only when all is heard. Raises RequestError for another suffix, DataError for a
    source without sound.
    """
    out = Path(out)
    if Path(source).resolve() == out.resolve():
        raise RequestError(f"{str(out)!r} is the recording itself. Write to another file: --out captions.srt")
    if out.suffix.lower() not in FORMATS:
        raise RequestError(f"{out.name} must end in {', '.join(FORMATS)}. Write: --out {out.stem}.srt")
    count = 0

    def counted(found: Iterator[Cue]) -> Iterator[Cue]:
        nonlocal count
        for cue in found:
            count += 1
            yield cue

    model.listening()  # refuses a file that hears nothing before the sound is looked at
    with tracks.opened(source) as track:
        found = counted(captions(model, track, least, heard))
        writers.text(out, FORMATS[out.suffix.lower()](found))
        return count, track.lost
