"""What the examples of replies and of completion prepare of the files of their sets."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from learnt.data import corpora, sources
from learnt.data.collecting import collect

EXAMPLES = Path(__file__).parents[2] / "examples"


def prepared(name: str, given: Path, folder: Path) -> None:
    script = EXAMPLES / name / "prepare.py"
    subprocess.run([sys.executable, script, given], cwd=folder, check=True)


def dialogue(name: str, *said: str) -> dict[str, object]:
    turns = [{"speaker": ("USER", "SYSTEM")[place % 2], "utterance": one} for place, one in enumerate(said)]
    return {"dialogue_id": name, "turns": turns}


def test_every_answer_of_the_assistant_is_a_row_with_its_dialogue(tmp_path: Path) -> None:
    given = tmp_path / "set"
    for part in ("train", "dev"):
        (given / part).mkdir(parents=True)
        held = [dialogue("1_0", "a table for two, please", "Where?", "in Rome", "Done."), dialogue("1_1", "thanks")]
        (given / part / "dialogues_001.json").write_text(json.dumps(held), encoding="utf-8")
        (given / part / "schema.json").write_text("[]", encoding="utf-8")
    prepared("replies", given, tmp_path)
    for part in ("train", "dev"):
        with (tmp_path / f"{part}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["context"], row["reply"]) for row in rows] == [
            ("a table for two, please", "Where?"),
            ("in Rome", "Done."),
        ]
        assert {row["dialogue"] for row in rows} == {"dialogues_001 1_0"}


def test_every_mail_is_a_text_of_its_own_without_its_subject(tmp_path: Path) -> None:
    packed = tmp_path / "AESLC-master.zip"
    with ZipFile(packed, "w") as archive:
        archive.writestr("AESLC-master/README.md", "about")
        for number in range(30):
            body = f"Dear Ann,\n\nthank you for number {number}.\n\n@subject\nThanks\n"
            archive.writestr(f"AESLC-master/enron_subject_line/train/bob_{number}.subject", body)
        archive.writestr("AESLC-master/enron_subject_line/dev/eve_1.subject", "Hello\n\n@subject\nHi\n\n@ann0\nHey\n")
    prepared("completion", packed, tmp_path)
    assert (tmp_path / "mails/dev/eve_1.txt").read_text(encoding="utf-8") == "Hello"
    mails = corpora.fitting(sources.opened(tmp_path / "mails/train"), [])
    assert sorted(mails.columns["text"])[0] == "Dear Ann,\nthank you for number 0."
    found = collect(mails, target=["text"], group=None, time=None, seed=0)
    assert found.roles.targets == {"text": "generate"}
