"""The command line. Knows options and exit statuses; what the commands do is in `training` and `model`.

Exit status: 0 done, 1 the work failed, 2 the request was wrong, 130 interrupted.
"""

from __future__ import annotations

import io
import json
import logging
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress

from learnt.cli.options import parse
from learnt.errors import LearntError, MissingExtra, RequestError

_EXTRAS = {
    "PIL": "image",
    "av": "video",
    "jinja2": "report",
    "onnx": "train",
    "onnxscript": "train",
    "duckdb": "duckdb",
    "fastexcel": "excel",
    "polars": "tables",
    "psycopg": "postgresql",
    "pydicom": "dicom",
    "rich": "train",
    "safetensors": "train",
    "sklearn": "train",
    "soundfile": "audio",
    "soxr": "audio",
    "torch": "train",
    "yaml": "train",
}
"""An optional module -> the extra that brings it."""
MOST = 20
"""Problems that are listed on a terminal."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    argv = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    as_json, debug = "--json" in argv, "--debug" in argv
    logs = sys.stderr if as_json else sys.stdout
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # half a surrogate pair becomes \\ud800, as JSON writes it

    def say(text: str) -> None:
        print(_shown(text), file=logs, flush=True)

    def failed(status: int, kind: str, message: str, problems: Sequence[tuple[str, str]] = ()) -> int:
        print(f"learnt: {_shown(message)}", file=sys.stderr)
        for where, why in problems[:MOST]:
            print(f"  {_shown(where)}: {_shown(why)}", file=sys.stderr)
        if len(problems) > MOST:
            print(f"  ... {len(problems) - MOST} more; --json lists them all", file=sys.stderr)
        if as_json:
            listed = [{"where": where, "why": why} for where, why in problems]
            error = {"kind": kind, "message": message} | ({"problems": listed} if listed else {})
            print(json.dumps({"error": error}, ensure_ascii=False))
        return status

    try:
        args = parse(argv)
        args.say = say
        document = args.work(args)
        if as_json:
            from learnt.report.document import plain

            print(json.dumps(plain(document), ensure_ascii=False, indent=2, allow_nan=False))
        return 0
    except SystemExit as stop:
        return int(stop.code or 0)
    except KeyboardInterrupt:
        from learnt.data.databases import shown

        again = [shown(word) for word in argv] + ["--resume"] * ("--resume" not in argv)
        how = f" To go on: learnt {shlex.join(again)}" if argv[0] == "train" else ""
        return failed(130, "Interrupted", f"interrupted.{how}")
    except LearntError as error:
        if debug:
            raise
        status = 2 if isinstance(error, RequestError) else 1
        return failed(status, type(error).__name__, str(error), getattr(error, "problems", ()))
    except BrokenPipeError:
        raise
    except OSError as error:
        if debug:
            raise
        place = f"{error.filename!r}: " if error.filename else ""
        return failed(
            1, "WriteError", f"the system refuses: {place}{error.strerror or error}. Is there room, and may you?"
        )
    except MemoryError:
        if debug:
            raise
        return failed(
            1, "MemoryError", "the memory of this machine is not enough for that. Give fewer rows or columns."
        )
    except Exception as error:
        if debug:
            raise
        if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
            missing = MissingExtra(error.name, _EXTRAS[error.name], f"learnt {argv[0]}")
            return failed(1, "MissingExtra", str(missing))
        kind = type(error).__name__
        first = f"{kind}: {error}".splitlines()[0]
        return failed(1, kind, f"{first}. This is our mistake; run again with --debug to see where.")


def _shown(text: str) -> str:
    """Without what would move the cursor or paint the screen: names and cells are a stranger's."""
    return (
        text
        if text.isprintable()
        else "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
    )


def _silence() -> None:
    """What libraries find odd in a stranger's file is no line of ours: warnings, logs, and what C and Rust print."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    logging.getLogger().addHandler(logging.NullHandler())
    if sys.stderr is None:
        return
    with suppress(OSError, io.UnsupportedOperation):
        own = os.dup(sys.stderr.fileno())
        sys.stderr = os.fdopen(own, "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def entry() -> None:
    """The `learnt` on the command line. A reader that has seen enough, as in `| head`, is no failure."""
    if "--debug" not in sys.argv:
        _silence()
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        status = 0
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        status = 1
        print(f"learnt: what was to be printed could not be written: {error.strerror}.", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)
