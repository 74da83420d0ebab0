"""Where nothing can be written: a file in the way, no permission, no room. What was there stays as it was."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostile.conftest import ENVIRONMENT, RECIPE, Command, rows, table
from learnt.codecs import whole
from learnt.errors import WriteError
from learnt.running.holding import Hold


@contextmanager
def no_room(left: int) -> Iterator[None]:
    """No file can grow above `left` bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(autouse=True)
def _table(command: Command, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table(rows()))


def test_a_run_that_has_no_place(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for place in ("file", "file/below", "/dev/full", "/dev/null/below"):
        said = command("train", "t.csv", "--target", "fraud", "--out", place)
        said.refused("is a file; a run is written into a folder. Write: --out")
        assert said.status == 2
    assert (tmp_path / "file").read_text() == "kept"


def test_a_place_where_one_may_not_write(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).resolve() != tmp_path)
    command("train", "t.csv", "--target", "fraud", "--out", "run").refused("You may not write into", "--out")


def test_predictions_that_have_no_place(command: Command, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "kept.csv").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    model = trained / "model.onnx"
    command("predict", model, "t.csv", "--out", "folder.csv").refused("'folder.csv' cannot be written", "--out")
    command("predict", model, "t.csv", "--out", "none/p.csv").refused("There is no folder 'none'")
    command("predict", model, "t.csv", "--out", "t.csv").refused("would be lost. Write to another file: --out")
    command("predict", model, "t.csv", "--out", "p.png").refused("must end in .csv", "--out p.csv")
    command("predict", model, "t.csv", "--out", "a/p.json").refused("must end in .csv", "--out a/p.jsonl")
    command("predict", model, "t.csv", "--out", "/proc/p.csv").refused("'/proc/p.csv' cannot be written")
    for suffix in (".csv", ".jsonl", ".parquet"):
        (tmp_path / f"kept{suffix}").write_text("kept")
        with no_room(100):
            command("predict", model, "t.csv", "--out", f"kept{suffix}").refused("cannot be written", "Make room")
        assert (tmp_path / f"kept{suffix}").read_text() == "kept"
        (tmp_path / f"kept{suffix}").unlink()
    (tmp_path / "kept.csv").touch()
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("left", [10, 4_000])
def test_a_training_for_which_there_is_no_room(command: Command, tmp_path: Path, left: int) -> None:
    """Room for nothing; room for what is small, and not for the weights."""
    (tmp_path / "r.yaml").write_text(RECIPE)
    with no_room(left):
        said = command("train", "t.csv", "--target", "fraud", "--recipe", "r.yaml", "--out", "run")
    said.refused("cannot be written", "Make room")
    assert not list((tmp_path / "run").rglob(".*"))
    assert not (tmp_path / "run" / "model.onnx").exists()


def test_what_is_printed_onto_a_full_disk(tmp_path: Path, trained: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "learnt", "show", trained],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("learnt: ")
    assert "Traceback" not in done.stderr


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole.replacing(path) as unfinished:
        unfinished.write_text(f"half {1 / 0}")
    with pytest.raises(WriteError, match=r"'.*a.txt' cannot be written: File too large. .*Make room"), no_room(2):
        whole.write(path, "new and long")
    assert path.read_text() == "old"
    whole.write(path, "new")
    assert path.read_text() == "new"
    assert [one.name for one in folder.iterdir()] == ["a.txt"]


def test_a_second_training_does_not_write_into_the_folder_of_the_first(command: Command, tmp_path: Path) -> None:
    line = "train", "t.csv", "--target", "fraud", "--out", "run"
    with Hold(tmp_path / "run") as first:
        first.take()
        (tmp_path / "run" / "checkpoint" / "of.json").write_text("the first one's")
        said = command(*line)
        said.refused("Another training is writing 'run'", "--out run-2")
        assert said.status == 2
        assert command(*line, "--resume").status == 2
        assert (tmp_path / "run" / "checkpoint" / "of.json").read_text() == "the first one's"
    with Hold(tmp_path / "run") as again:
        again.take()
