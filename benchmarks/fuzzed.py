"""What is fuzzed: for each target an attempt, and sound examples of what it takes."""

from __future__ import annotations

import gzip
import sqlite3
import tempfile
import wave as waves
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from learnt import live, model
from learnt.artifact import card, model_card, wire
from learnt.artifact import evidence as keeping
from learnt.artifact import open as opening
from learnt.behaving import read as templates
from learnt.cli.options import parse
from learnt.codecs import expected, pcm, pixels, tracks
from learnt.codecs import waves as sounds
from learnt.contracts import Evidence, Verdicts
from learnt.data import databases, sources
from learnt.data.collecting import collect
from learnt.recipes import resolve
from learnt.stats import policies

ROOT = Path(__file__).resolve().parents[1]
MODEL = (ROOT / "tests" / "files" / "trained-format-1.onnx").read_bytes()
MANIFEST = wire.contents(MODEL).metadata[opening.KEY].encode()
Try = Callable[[bytes], object]


def at_path(name: str, work: Callable[[Path], Any], beside: Mapping[str, bytes] | None = None) -> Try:
    """Work on a file of this name, alone in a folder but for those `beside` it."""

    def attempt(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for other, content in (beside or {}).items():
                (Path(folder) / other).write_bytes(content)
            path = Path(folder) / name
            path.write_bytes(data)
            work(path)

    return attempt


def learnt_from(source: Any) -> None:
    """Read as a source, and go on with it as a training would, up to its network."""
    found = sources.opened(source)
    if found.columns:
        target = found.target or list(found.columns)[-1]
        collect(found, target=[target], group=None, time=None, seed=0)


def reading(suffix: str, *, learn: bool = True) -> Try:
    return at_path(f"x{suffix}", learnt_from if learn else sources.opened)


def inside(archive: str, member: str, others: Mapping[str, bytes], *, learn: bool = True) -> Try:
    """What stands in one file of an archive, whose checksums are right."""

    def attempt(data: bytes) -> None:
        (reading(archive, learn=learn))(packed({**others, member: data}))

    return attempt


def translated(path: Path) -> None:
    learnt_from([path, path.with_suffix(".de")])


def named(data: bytes) -> None:
    """Names of the files of a .zip, a line each."""
    names = dict.fromkeys(data.decode("utf-8", "replace").replace("\0", "").splitlines())
    reading(".zip")(packed({name: f"text {place}".encode() for place, name in enumerate(names) if name}))


def asked_of(data: bytes) -> None:
    databases.shown(data.decode("utf-8", "replace"))
    databases.addressed(data.decode("utf-8", "replace"))


def described(data: bytes) -> None:
    found = opening.manifest(data.decode("utf-8", "replace"))
    card.show(found)
    model_card.model_card(found, "x")


def decided(data: bytes) -> None:
    policies.parse(data.decode("utf-8", "replace"), ["no", "yes"], "yes", 10.0)


def optioned(data: bytes) -> None:
    words = data.decode("utf-8", "replace").split()
    if not {"-h", "--help", "--version"} & set(words):
        parse(words)


def heard(data: bytes) -> None:
    with tracks.opened(data) as track:
        for _ in track.blocks(16_000):
            pass


def raw(data: bytes) -> None:
    """The name of a format in the first line, samples in the others."""
    name, _, samples = data.partition(b"\n")
    for _ in pcm.Pcm.parse(name.decode("utf-8", "replace")).blocks(BytesIO(samples)):
        pass


def expecting(data: bytes) -> None:
    """Lines of phrases, words and texts, whichever the first one says."""
    kind, *lines = data.decode("utf-8", "replace").splitlines() or [""]
    settings = {"symbols": [" ", *"adelnoptuy"], "words": False, "form": "NFC"}
    expected.priors({**settings, "expected": expected.learn({kind: lines}, settings)})


@cache
def opened() -> model.Model:
    return model.load(MODEL)


def predicted(path: Path) -> None:
    for _ in model.predictions(opened(), path, top=2):
        pass


def answered(data: bytes) -> None:
    for _ in live.answers(opened(), data.decode("utf-8", "replace").splitlines(keepends=True)):
        pass


def gathered(path: Path) -> None:
    keeping.kept(path.parent)


def evidence() -> dict[str, bytes]:
    """What a training keeps for audits, by its files."""
    ones, codes = np.ones(3), np.arange(3)
    verdicts = Verdicts(codes, ones, ones, codes, codes, ones, ones, ones)
    made = Evidence(list("abc"), verdicts, np.ones((3, 3)) / 3, np.zeros((3, 2), np.float32), ones, {}, "file")
    with tempfile.TemporaryDirectory() as folder:
        keeping.keep({"a": made}, Path(folder) / "evidence")
        return {path.name: path.read_bytes() for path in Path(folder, "evidence").iterdir()}


def several(pattern: str, times: int = 24, between: str = "") -> bytes:
    """The pattern so often, with a number from 0 in place of each `@` and one of three letters in place of `~`."""
    made = (pattern.replace("@", str(place)).replace("~", "abc"[place % 3]) for place in range(times))
    return between.join(made).encode()


def wave(samples: int = 40) -> bytes:
    stream = BytesIO()
    with waves.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.arange(samples, dtype="<i2").tobytes())
    return stream.getvalue()


def sound(kind: str) -> bytes:
    import soundfile

    stream = BytesIO()
    soundfile.write(stream, np.sin(np.arange(800) / 9), 8000, format=kind)
    return stream.getvalue()


def picture(kind: str) -> bytes:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(stream, kind)
    return stream.getvalue()


def scan() -> bytes:
    """A grey picture of 8 by 8 as DICOM, with a rescale, a window and where it points to."""
    from pydicom import Dataset, FileMetaDataset, uid

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID = uid.CTImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID = uid.UID("1.2.3")
    made.Rows = made.Columns = 8
    made.SamplesPerPixel, made.BitsAllocated, made.BitsStored, made.HighBit = 1, 16, 12, 11
    made.PixelRepresentation, made.PhotometricInterpretation = 0, "MONOCHROME1"
    made.RescaleSlope, made.RescaleIntercept, made.WindowCenter, made.WindowWidth = 2, -100, 40, 80
    made.ImageOrientationPatient, made.PatientOrientation = [1, 0, 0, 0, 1, 0], ["A", "F"]
    made.PixelData = np.arange(64, dtype="<u2").tobytes()
    stream = BytesIO()
    made.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def frame(kind: str) -> bytes:
    import polars

    stream = BytesIO()
    made = polars.DataFrame({"a": [1, 2, 3] * 8, "b": ["x", "y", None] * 8, "c": [1.5, None, -2.0] * 8})
    made.write_parquet(stream) if kind == "parquet" else made.write_ipc(stream)
    return stream.getvalue()


def packed(content: Mapping[str, bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return stream.getvalue()


def database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.db"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA page_size = 512")
        connection.execute("CREATE TABLE t (a INTEGER, b TEXT, c REAL)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [(row, f"text {row}", row / 2) for row in range(20)])
        connection.commit()
        connection.close()
        return path.read_bytes()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORKBOOK = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType='
    '"application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r" Type="{OFFICE}/officeDocument"'
    ' Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="s"/>'
    "</sheets></workbook>",
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="s" Type="{OFFICE}'
    '/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
WORKBOOK_FILES = {name: text.encode() for name, text in WORKBOOK.items()}
SHEET_FILE = "xl/worksheets/sheet1.xml"
CELLS = '<c t="inlineStr"><is><t>yes</t></is></c><c><v>1.5</v></c><c t="b"><v>1</v></c><c t="d"><v>2024-01-02</v></c>'
SHEET = f'<worksheet xmlns="{MAIN}"><sheetData>{f"<row>{CELLS}</row>" * 3}</sheetData></worksheet>'.encode()
CSV = b"a,b,c\n" + b"1,x,yes\n2.5,y,no\n-3,,yes\n" * 4 + b'4,"q ""w"", e",no\n2024-01-02,\xc3\xa4,yes\n'
COMMAS = b"a;b;c\n" + b"1.234,5;x|y;0,75\n2,5;y;1,5\n-3;;2,25\n17;x;,5\n" * 4
LABELS = b"a,b\n" + several("1@,x;y\n2@,y\n3@,z;x\n4@,x\n", 6)
LINES = several("Go on @ times. There was\n\na text about ~, and so on.\n")
SPANS = several('{"text": "play @ it", "spans": [[0, 4, "~"]]}\n{"text": "stop \u00e4", "spans": []}\n')
JSONL = several('{"a": @, "b": "x", "c": [], "d": "~"}\n{"a": 2.5, "b": null, "d": "a"}\n', 8)
CHATS = several('{"messages": [{"role": "user", "content": "Hi @"}, {"role": "assistant", "content": "Yes ~"}]}\n')
BIO = several("play\tO\nAdele@\tB-~\nnow\tI-~\n\n# intent: ~\nstop\tO\n\n", 12)
SNIPS = b'{"play": [%s]}' % several('{"data": [{"text": "play @"}, {"text": "Adele", "entity": "~"}]}', between=", ")
NLU = b'{"rasa_nlu_data": {"common_examples": [%s]}}' % several(
    '{"text": "play it @", "intent": "~", "entities": [{"start": 5, "end": 7, "entity": "~"}]}', between=", "
)
RASA = b"nlu:\n" + several(
    '- intent: ~\n  examples: |\n    - play [Adele@](artist)\n    - stop [it]{"entity": "what"}\n', 9
)
TMX = b'<tmx version="1.4"><header srclang="en"/><body>%s</body></tmx>' % several(
    '<tu><tuv xml:lang="en"><seg>Hi @</seg></tuv><tuv xml:lang="de"><seg>Hallo ~, @</seg></tuv></tu>'
)
RECIPE = b"target: [c]\nseed: 0\ncoverage: .9\ninputs: [a, 'b:text']\nsizes: {width: 8, rate: .01}\nhorizons: [1, 2]\n"
TESTS = (
    b"- {name: a, kind: invariance, texts: ['I {verb} it'], words: {verb: [like, love]}}\n"
    b"- name: b\n  kind: direction\n  texts: [on]\n  then: ['off']\n  label: x\n  change: falls\n"
)
ROWS = several('{"amount": @.5, "place": "Oslo", "day": "2024-03-01"}\n', 3) + b'{"amount": null, "place": "x"}\n'
CASES = b"amount,place,day\n" + several("@.5,Oslo,2024-03-01\n", 4) + b",,\n"
SOUNDS = {f"a{place}.wav": wave(9 * place + 40) for place in range(24)}
SAID = several("a@ what is said by ~\n")
CUT = b"path,offset,duration,label\n" + several("a@.wav,0.001,.003,~\n")
FILES = several("~/@.txt\n")
DATABASES = [b"postgresql://me:secret@host:5432/shop?sslmode=require&table=t", b"sqlite:///x.db?query=SELECT 1"]
EVIDENCE = evidence()
TARGETS: dict[str, tuple[Try, list[bytes]]] = {
    "csv": (reading(".csv"), [CSV, COMMAS, LABELS, CSV.replace(b",", b";"), CSV.decode().encode("utf-16")]),
    "tsv": (reading(".tsv"), [CSV.replace(b",", b"\t"), several("I like it @ times.\tIch mag es @ Mal.\n")]),
    "txt": (reading(".txt"), [CSV, LINES]),
    "no suffix": (reading(""), [CSV, JSONL, BIO]),
    "jsonl": (reading(".jsonl"), [JSONL, CHATS, SPANS]),
    "json": (reading(".json"), [b"[" + JSONL.strip().replace(b"\n", b",") + b"]", SNIPS, NLU]),
    "bio": (reading(".conll"), [BIO]),
    "yml": (reading(".yml"), [RASA]),
    "md": (reading(".md"), [several("## intent:~\n- play [Adele@](artist)\n- stop @\n", 9)]),
    "tmx": (reading(".tmx"), [TMX]),
    "parallel": (at_path("x.en", translated, {"x.de": several("Hallo @.\n")}), [several("Hi @.\n")]),
    "parquet": (reading(".parquet", learn=False), [frame("parquet")]),
    "arrow": (reading(".arrow", learn=False), [frame("arrow")]),
    "xlsx": (reading(".xlsx", learn=False), [packed({**WORKBOOK_FILES, SHEET_FILE: SHEET})]),
    "sheet": (inside(".xlsx", SHEET_FILE, WORKBOOK_FILES, learn=False), [SHEET]),
    "sqlite": (reading(".db", learn=False), [database()]),
    "address": (asked_of, DATABASES),
    "zip": (reading(".zip"), [packed({name: name.encode() for name in FILES.decode().split()})]),
    "names": (named, [FILES, FILES.replace(b".txt", b".csv"), b"train/a.txt\ntest/a.txt\n\xc3\xa4/b.txt"]),
    "gz": (reading(".csv.gz", learn=False), [gzip.compress(CSV)]),
    "transcripts": (inside(".zip", "a.trans.txt", SOUNDS), [SAID, SAID.replace(b" ", b"|", 10)]),
    "cut": (at_path("x.csv", learnt_from, SOUNDS), [CUT, CUT.replace(b"offset", b"speaker")]),
    "png": (reading(".png", learn=False), [picture("PNG"), picture("GIF"), picture("BMP"), picture("TIFF")]),
    "pixels": (pixels.decode, [picture("PNG"), picture("JPEG"), picture("WEBP"), picture("TIFF")]),
    "dicom": (pixels.decode, [scan()]),
    "samples": (lambda data: sounds.decode(data, 16_000), [wave(), sound("FLAC"), sound("OGG"), sound("AIFF")]),
    "tracks": (heard, [wave(), sound("FLAC"), sound("OGG"), sound("MP3")]),
    "pcm": (raw, [b"s16le:8000:1\n" + bytes(64), b"f32le:16000:2\n" + bytes(64)]),
    "expected": (expecting, [b"phrases\nplay adele\nopen", b"words\nlate delay", b"texts\nplay a tune\na day"]),
    "manifest": (described, [MANIFEST]),
    "model": (opening.inspect, [MODEL[:3000] + MODEL[-20000:], MODEL]),
    "predict": (at_path("x.jsonl", predicted), [ROWS]),
    "predict csv": (at_path("x.csv", predicted), [CASES]),
    "live": (answered, [ROWS]),
    "evidence": (at_path("0.json", gathered, {"0.npz": EVIDENCE["0.npz"]}), [EVIDENCE["0.json"]]),
    "verdicts": (at_path("0.npz", gathered, {"0.json": EVIDENCE["0.json"]}), [EVIDENCE["0.npz"]]),
    "recipe": (at_path("x.yaml", lambda path: resolve({}, path)), [RECIPE]),
    "templates": (at_path("x.yaml", templates), [TESTS, TESTS.replace(b"- ", b"  ")]),
    "policy": (decided, [b"recall>=.9", b"block precision>=.95, review recall>=.99 by a", b"cost=fn:9,fp:1"]),
    "options": (optioned, [b"train t.csv --target a b --coverage .9 --horizons 1", b"predict m t --top 3 --least .5"]),
}  # fmt: skip
