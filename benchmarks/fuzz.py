"""Input that nobody meant, for half an hour: readers, manifests, models, recipes and policies answer or refuse cleanly.

Each target is given what hypothesis makes of its seeds: bytes of a sound example with pieces replaced, repeated, cut
and inserted. Anything but an answer or a LearntError within ten seconds of work is a crash; its smallest example is
printed and kept in `tests/hostile/crashes/<target>/`, where a test tries it ever after. About 30 minutes; every round
has its seed.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from learnt.artifact import card, model_card, wire
from learnt.artifact import open as opening
from learnt.behaving import read as templates
from learnt.cli.options import parse
from learnt.data import sources
from learnt.data.collecting import collect
from learnt.errors import LearntError
from learnt.recipes import resolve
from learnt.stats import policies
from results import claim, finish, options

ROOT = Path(__file__).resolve().parents[1]
CRASHES = ROOT / "tests" / "hostile" / "crashes"
LONGEST = 10
"""Seconds of work that one example may take, whatever else the machine does."""
EXAMPLES = 100
"""Examples of a round."""
MODEL = (ROOT / "tests" / "files" / "trained-format-1.onnx").read_bytes()
MANIFEST = wire.contents(MODEL).metadata[opening.KEY].encode()
Try = Callable[[bytes], None]


def table(rows: str) -> bytes:
    return rows.encode() * 3


def wave(samples: int = 40) -> bytes:
    import wave as waves

    stream = BytesIO()
    with waves.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.arange(samples, dtype="<i2").tobytes())
    return stream.getvalue()


def picture(kind: str) -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(stream, kind)
    return stream.getvalue()


def frame(kind: str) -> bytes:
    import polars

    stream = BytesIO()
    made = polars.DataFrame({"a": [1, 2, 3] * 8, "b": ["x", "y", None] * 8, "c": [1.5, None, -2.0] * 8})
    made.write_parquet(stream) if kind == "parquet" else made.write_ipc(stream)
    return stream.getvalue()


def packed(content: dict[str, bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return stream.getvalue()


def reading(suffix: str, *, learn: bool = True) -> Try:
    """Read as a source, and go on with it as a training would, up to its network."""

    def attempt(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"x{suffix}"
            path.write_bytes(data)
            found = sources.opened(path)
            if learn and found.columns:
                target = found.target or list(found.columns)[-1]
                collect(found, target=[target], group=None, time=None, seed=0)

    return attempt


def at_path(suffix: str, work: Callable[[Path], Any]) -> Try:
    def attempt(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"x{suffix}"
            path.write_bytes(data)
            work(path)

    return attempt


def described(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    found = opening.manifest(text)
    card.show(found)
    model_card.model_card(found, "x")


def decided(data: bytes) -> None:
    policies.parse(data.decode("utf-8", "replace"), ["no", "yes"], "yes", 10.0)


def optioned(data: bytes) -> None:
    words = data.decode("utf-8", "replace").split()
    if not {"-h", "--help", "--version"} & set(words):
        parse(words)


CSV = table("a,b,c\n1,x,yes\n2.5,y,no\n-3,,yes\n") + b'4,"q ""w"", e",no\n2024-01-02,\xc3\xa4,yes\n'
JSONL = b'{"a": 1, "b": "x", "c": [1, {"d": null}]}\n{"a": 2.5, "b": null, "c": "yes"}\n' * 6
CHATS = b'{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}\n' * 12
BIO = b"play\tO\nAdele\tB-artist\nnow\tI-artist\n\n# intent: play\nstop\tO\n\n" * 8
SNIPS = json.dumps({"play": [{"data": [{"text": "play "}, {"text": "Adele", "entity": "artist"}]}] * 12}).encode()
RASA = b'nlu:\n- intent: play\n  examples: |\n    - play [Adele](artist)\n    - stop [it]{"entity": "what"}\n' * 2
TMX = (
    b'<tmx version="1.4"><header srclang="en"/><body>'
    + (b'<tu><tuv xml:lang="en"><seg>Hi</seg></tuv><tuv xml:lang="de"><seg>Hallo</seg></tuv></tu>' * 12)
    + b"</body></tmx>"
)
RECIPE = b"target: [c]\nseed: 0\ncoverage: .9\ninputs: [a, 'b:text']\nsizes: {width: 8, rate: .01}\nhorizons: [1, 2]\n"
TESTS = b"- name: a\n  kind: same\n  texts: ['I {verb} it']\n  words: {verb: [like, love]}\n  change: {like: love}\n"
TARGETS: dict[str, tuple[Try, list[bytes]]] = {
    "csv": (reading(".csv"), [CSV, CSV.replace(b",", b";"), CSV.decode().encode("utf-16")]),
    "tsv": (reading(".tsv"), [CSV.replace(b",", b"\t"), b"I like it.\tIch mag es.\n" * 12]),
    "txt": (reading(".txt"), [CSV, b"Once upon a time. There was\n\na text.\n" * 30]),
    "jsonl": (reading(".jsonl"), [JSONL, CHATS]),
    "json": (reading(".json"), [b"[" + JSONL.strip().replace(b"\n", b",") + b"]", SNIPS]),
    "bio": (reading(".conll"), [BIO]),
    "yml": (reading(".yml"), [RASA]),
    "md": (reading(".md"), [b"## intent:play\n- play [Adele](artist)\n- stop\n" * 8]),
    "tmx": (reading(".tmx"), [TMX]),
    "parquet": (reading(".parquet", learn=False), [frame("parquet")]),
    "arrow": (reading(".arrow", learn=False), [frame("arrow")]),
    "xlsx": (reading(".xlsx", learn=False), [packed({"xl/workbook.xml": b"<workbook/>"})]),
    "zip": (reading(".zip"), [packed({f"{label}/{place}.txt": b"some text" for label in "ab" for place in range(8)})]),
    "gz": (reading(".csv.gz", learn=False), [__import__("gzip").compress(CSV)]),
    "png": (reading(".png", learn=False), [picture("PNG"), picture("GIF"), picture("BMP"), picture("TIFF")]),
    "pixels": (lambda data: _pixels(data), [picture("PNG"), picture("JPEG"), picture("WEBP"), picture("TIFF")]),
    "samples": (lambda data: _samples(data), [wave()]),
    "manifest": (described, [MANIFEST]),
    "model": (lambda data: void(opening.inspect(data)), [MODEL[:3000] + MODEL[-20000:], MODEL]),
    "recipe": (at_path(".yaml", lambda path: resolve({}, path)), [RECIPE]),
    "templates": (at_path(".yaml", templates), [TESTS, TESTS.replace(b"- ", b"  ")]),
    "policy": (decided, [b"recall>=.9", b"block precision>=.95, review recall>=.99 by a", b"cost=fn:9,fp:1"]),
    "options": (optioned, [b"train t.csv --target a b --coverage .9 --horizons 1", b"predict m t --top 3 --least .5"]),
}  # fmt: skip


def void(_: Any) -> None:
    return None


def _pixels(data: bytes) -> None:
    from learnt.codecs import pixels

    pixels.decode(data)


def _samples(data: bytes) -> None:
    from learnt.codecs import waves

    waves.decode(data, 16000)


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


def round_of(name: str, number: int, examples: int) -> tuple[int, bytes | None, str]:
    """How many examples were tried; the smallest that crashed, and how."""
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
        try:
            tried(attempt, data)
        except Exception:
            worst = data
            raise

    try:
        run()
    except Exception:
        return count, worst, traceback.format_exc()
    return count, None, ""


def main() -> None:
    parser = options(__doc__, seeds=0)
    parser.add_argument("--minutes", type=float, default=30.0, metavar="N", help="how long (default 30)")
    parser.add_argument("--only", metavar="TARGET", choices=list(TARGETS), help="one target")
    args = parser.parse_args()
    names = [args.only] if args.only else list(TARGETS)
    began, counts, crashes = time.monotonic(), dict.fromkeys(names, 0), 0
    broken: set[str] = set()
    for number in itertools.count():
        for name in names:
            if name in broken:
                continue
            count, worst, how = round_of(name, number, 5 if args.quick else EXAMPLES)
            counts[name] += count
            if worst is not None:
                crashes += 1
                broken.add(name)
                path = CRASHES / name / sha256(worst).hexdigest()[:12]
                print(f"{name}, round {number}: {worst[:300]!r}\n{how}\n{path}", flush=True)
                if not args.quick:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(worst)
        if args.quick or time.monotonic() - began > 60 * args.minutes:
            break
    seconds = time.monotonic() - began
    total = sum(counts.values())
    made = claim("crashes in fuzzing", "none in 30 minutes", crashes, crashes == 0 and seconds >= 1790,
                 f"of {total:,} examples", said=f"{seconds / 60:.1f} minutes, {number + 1} rounds")  # fmt: skip
    finish("fuzz", [made], {"examples": counts, "seconds": round(seconds), "rounds": number + 1}, args)
    sys.exit(crashes > 0 and args.quick)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
