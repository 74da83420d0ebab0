"""Input that nobody meant, for half an hour: readers, manifests, models, recipes and policies answer or refuse cleanly.

Each target (`fuzzed.py`) is given what hypothesis makes of its seeds: bytes of a sound example with pieces replaced,
repeated, cut and inserted. Anything but an answer or a LearntError within ten seconds of work is a crash; its smallest
example is printed and kept in `tests/hostile/crashes/<target>/`, where a test tries it ever after. About 30 minutes;
round n has the seed n. Only a whole run is kept as a result: `--only` and fewer minutes are for a look.
"""

from __future__ import annotations

import faulthandler
import itertools
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzzed import TARGETS, Try
from learnt.errors import LearntError
from results import claim, finish, options

CRASHES = Path(__file__).resolve().parents[1] / "tests" / "hostile" / "crashes"
LONGEST = 10
"""Seconds of work that one example may take, whatever else the machine does."""
MEMORY = 8 << 30
"""Bytes of address space beyond which an example is given no more."""
EXAMPLES, MINUTES = 100, 30
"""Examples of a round, and how long rounds begin."""
NOTE = "learnt-fuzz-"
"""Begins the name of the file that holds the target and the example that a process is trying, and ends in its id: what
ends the process is found there by the next run."""


PIECES = [
    *(bytes([one]) for one in b"\0\n\r\t\xff,;\"'[]{}-0=</*&%"), b"", b"1e999", b"nan", b"-1", b"9" * 20, b"null",
    b"true", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"&a", b"*a", b"..", b"%s", b"[" * 2000, b"\x7f" * 9, b"9" * 5000,
]  # fmt: skip


def mutated(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """A seed with up to six edits, or bytes that nobody made."""
    place = st.floats(0, 1, exclude_max=True)
    edit = st.tuples(place, st.integers(0, 40), st.sampled_from(PIECES) | st.binary(max_size=8), st.integers(0, 3))

    def apply(given: tuple[bytes, list[tuple[float, int, bytes, int]]]) -> bytes:
        data, edits = given
        for share, length, piece, times in edits:
            at = int(share * len(data))
            data = data[:at] + (data[at : at + length] if times == 3 else b"") + piece * times + data[at + length :]
        return data

    whole = st.tuples(st.sampled_from(seeds), st.lists(edit, max_size=6)).map(apply)
    return whole | st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def late(*_: Any) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def tried(attempt: Try, data: bytes) -> None:
    """Raises what is no LearntError."""
    with within(LONGEST), warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            attempt(data)
        except LearntError as error:
            if not str(error).strip():
                raise ValueError("a refusal without a word") from None
        except BaseException as error:
            if isinstance(error, Exception | KeyboardInterrupt):
                raise
            raise RuntimeError("a panic") from error


def round_of(name: str, number: int, examples: int, tried_at: Path | None = None) -> tuple[int, bytes | None, str]:
    """How many examples were tried, each written down before; the smallest that crashed, and how."""
    attempt, seeds = TARGETS[name]
    count, worst = 0, None

    @seed(number)
    @settings(
        max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False,
    )  # fmt: skip
    @given(mutated(seeds))
    def run(data: bytes) -> None:
        nonlocal count, worst
        count += 1
        if tried_at is not None:
            tried_at.write_bytes(name.encode() + b"\n" + data)
        try:
            tried(attempt, data)
        except Exception:
            worst = data
            raise

    try:
        run()
    except Exception:
        if worst is None:
            raise
        return count, worst, traceback.format_exc()
    return count, None, ""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--minutes", type=float, default=MINUTES, metavar="N", help=f"how long (default {MINUTES})")
    parser.add_argument("--only", metavar="TARGET", choices=list(TARGETS), help="one target")
    args = parser.parse_args()
    note = guarded()
    names = [args.only] if args.only else list(TARGETS)
    began, examples, crashes = time.monotonic(), dict.fromkeys(names, 0), dict[str, str]()
    try:
        for number in itertools.count():
            for name in [name for name in names if name not in crashes]:
                count, worst, how = round_of(name, number, 5 if args.quick else EXAMPLES, note)
                examples[name] += count
                if worst is not None:
                    crashes[name] = f"round {number}: {how.strip().splitlines()[-1]}"
                    print(f"{name}, round {number}: {worst[:300]!r}\n{how}\n{kept(name, worst)}", flush=True)
            if args.quick or time.monotonic() - began > 60 * args.minutes:
                break
    finally:
        note.unlink(missing_ok=True)
    seconds = time.monotonic() - began
    whole = not args.quick and not args.only and args.minutes >= MINUTES
    made = claim(
        "crashes in fuzzing", "none in 30 minutes", len(crashes), not crashes and whole,
        f"of {sum(examples.values()):,} examples",
        said=f"{len(names)} targets, {seconds / 60:.1f} minutes, {number + 1} rounds with seeds from 0",
    )  # fmt: skip
    args.quick = not whole
    finish(
        "fuzz",
        [made],
        {"examples": examples, "crashes": crashes, "seconds": round(seconds), "rounds": number + 1},
        args,
    )
    sys.exit(bool(crashes) and args.quick)


def guarded() -> Path:
    """Memory has an end; what ended an earlier run is kept. Where the example that is being tried is written down."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    folder = Path(tempfile.gettempdir())
    for note in folder.glob(f"{NOTE}*"):
        if not Path("/proc", note.name.removeprefix(NOTE)).exists():
            name, _, data = note.read_bytes().partition(b"\n")
            print(f"An earlier run ended within {name.decode()}: {kept(name.decode(), data)}", flush=True)
            note.unlink()
    return folder / f"{NOTE}{os.getpid()}"


def kept(name: str, data: bytes) -> Path:
    """Where an example is written to be tried by a test."""
    path = CRASHES / name / sha256(data).hexdigest()[:12]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
