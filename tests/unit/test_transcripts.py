"""Recordings with what is said in them, as such sets lie on disk, and who speaks in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from learnt.codecs import files, waves
from learnt.codecs.files import Excerpt
from learnt.data import sources
from learnt.data.collecting import Collected, collect
from learnt.data.folders import Folder
from learnt.errors import DataError, UnreadableError
from small.recordings import wav

pytest.importorskip("soundfile")
TONE = wav(np.sin(np.arange(800) / 3) / 2)
"""No two files that it is written into hold the same: the last sample is another."""
WORDS = ("one two", "two three", "three one", "four")


def written(root: Path, content: Mapping[str, bytes | str]) -> Path:
    for place, (name, what) in enumerate(content.items()):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = what if isinstance(what, bytes) else what.encode()
        path.write_bytes(whole[:-2] + place.to_bytes(2, "little") if what is TONE else whole)
    return root


def tree(parts: Mapping[str, int]) -> dict[str, bytes | str]:
    """Part -> its speakers, each with two chapters of two sentences, in lines `1-10-0 ONE TWO`."""
    found: dict[str, bytes | str] = {}
    for part, speakers in parts.items():
        for speaker in range(speakers):
            for chapter in (10, 11):
                stems = [f"{len(part)}{speaker}-{chapter}-{place:04}" for place in range(2)]
                folder = f"{part}{len(part)}{speaker}/{chapter}"
                found |= {f"{folder}/{stem}.wav": TONE for stem in stems}
                lines = [f"{stem} {WORDS[(speaker + chapter + place) % 4]}" for place, stem in enumerate(stems)]
                found[f"{folder}/{len(part)}{speaker}-{chapter}.trans.txt"] = "\n".join(lines) + "\n"
    return found


def together(found: Collected) -> list[str]:
    assert found.together is not None
    return [str(cell) for cell in found.together]


def said(found: Folder) -> dict[str, str]:
    return {str(name): text for name, text in zip(found.columns["audio"], found.columns["text"], strict=True)}


def test_a_tree_of_speakers_and_chapters_is_read_with_its_texts(tmp_path: Path) -> None:
    found = sources.opened(written(tmp_path / "speech", {**tree({"": 12}), "README.txt": "A set.\nOf speech."}))
    assert found.target == "text"
    assert len(said(found)) == 48
    assert said(found)["03/11/03-11-0001.wav"] == WORDS[(3 + 11 + 1) % 4]
    assert any("'README.txt'" in note for note in found.notes)
    assert not any("trans" in note for note in found.notes)


def test_speakers_of_a_tree_stay_together_aloud_and_may_be_parted(tmp_path: Path) -> None:
    root = written(tmp_path / "speech", tree({"": 12}))
    found = collect(root, target=["text"], task="classify", group=None, time=None, seed=0)
    speakers = [name.split("/")[0] for name in found.ids]
    assert together(found) == speakers
    (guess,) = [one for one in found.roles.guesses if "speaker" in one["sentence"]]
    assert guess["option"] == "--group none"
    parted = collect(root, target=["text"], task="classify", group="none", time=None, seed=0)
    assert parted.together is None


def test_few_speakers_are_named_and_kept_together_on_request(tmp_path: Path) -> None:
    root = written(tmp_path / "speech", tree({"": 4}))
    found = collect(root, target=["text"], task="classify", group=None, time=None, seed=0)
    assert found.together is None
    assert any("4 folders" in note and "--group folder" in note for note in found.notes)
    asked = collect(root, target=["text"], task="classify", group="folder", time=None, seed=0)
    assert set(together(asked)) == {f"0{place}" for place in range(4)}


def test_parts_of_a_tree_that_say_so_only_measure(tmp_path: Path) -> None:
    found = sources.opened(written(tmp_path / "speech", tree({"train-clean/": 3, "dev-clean/": 2, "test-clean/": 2})))
    assert found.tested == 8
    assert all(str(name).startswith("test-clean/") for name in found.columns["audio"][-8:])
    assert found.within is not None
    assert not any("clean" in speaker for speaker in found.within)


@pytest.mark.parametrize("opened", ["folder", "table"])
def test_lines_with_bars_name_sounds_in_a_folder_beside_them(opened: str, tmp_path: Path) -> None:
    lines = "\n".join(f'LJ-{place}|Nr. {place}, "no quote|number {place}' for place in range(12))
    sounds = {f"wavs/LJ-{place}.wav": TONE for place in range(12)}
    root = written(tmp_path / "reader", {"metadata.csv": lines, **sounds})
    found = sources.opened(root if opened == "folder" else root / "metadata.csv")
    assert said(found) == {f"wavs/LJ-{place}.wav": f"number {place}" for place in range(12)}


def test_a_text_of_the_same_name_as_a_sound_says_what_is_said_in_it(tmp_path: Path) -> None:
    content: dict[str, bytes | str] = {f"wav/p{who}/p{who}_{one}.wav": TONE for who in range(3) for one in range(4)}
    content |= {f"txt/p{who}/p{who}_{one}.txt": f"{WORDS[one]}\n" for who in range(3) for one in range(4)}
    found = sources.opened(written(tmp_path / "accents", content))
    assert said(found)["wav/p2/p2_3.wav"] == "four"
    assert found.within == [f"p{who}" for who in range(3) for _ in range(4)]


def test_lists_of_files_and_texts_of_other_things_say_nothing(tmp_path: Path) -> None:
    content: dict[str, bytes | str] = {f"{word}/{place}.wav": TONE for word in ("yes", "no") for place in range(4)}
    content |= {"list.txt": "yes/0.wav\nno/0.wav\n", "notes.txt": "yes is a word\nand so is no\n"}
    found = sources.opened(written(tmp_path / "words", content))
    assert set(found.columns) == {"audio", "label"}
    assert any("'list.txt', 'notes.txt'" in note for note in found.notes)


def test_sounds_without_a_text_are_left_out_aloud(tmp_path: Path) -> None:
    content = {**{f"{place}.wav": TONE for place in range(11)}, "said.txt": "\n".join(f"{n} hm" for n in range(10))}
    found = sources.opened(written(tmp_path / "some", content))
    assert len(said(found)) == 10
    assert any("1 sound that no text names is left out: '10.wav'." in note for note in found.notes)


def manifest(root: Path, rows: int = 60, speakers: int = 12) -> Path:
    """clips/ beside a .tsv that names them without their folder, and says who speaks."""
    head = "client_id\tpath\tsentence\tup_votes"
    lines = [f"{place % speakers:04x}\tclip_{place}.wav\t{WORDS[place % 4]}\t{place % 3}" for place in range(rows)]
    clips = {f"clips/clip_{place}.wav": TONE for place in range(rows)}
    return written(root, {"train.tsv": "\n".join([head, *lines]), **clips}) / "train.tsv"


def test_a_table_names_clips_in_a_folder_beside_it(tmp_path: Path) -> None:
    found = sources.opened(manifest(tmp_path))
    assert files.are_files(found.columns["path"])
    assert len(waves.decode(found.columns["path"][7], 8000)) == 800
    assert any("clips" in note for note in found.notes)


@pytest.mark.parametrize("group", [None, "none", "client_id"])
def test_who_speaks_is_guessed_by_the_column_said_and_no_input(group: str | None, tmp_path: Path) -> None:
    found = collect(manifest(tmp_path), target=["sentence"], task="classify", group=group, time=None, seed=0)
    assert all("client_id" not in columns for _, columns in found.roles.inputs.values())
    said = [one for one in found.roles.guesses if "'client_id' says who speaks" in one["sentence"]]
    assert [one["option"] for one in said] == (["--group none"] if group is None else [])
    if group == "none":
        assert found.together is None
    else:
        assert len(set(together(found))) == 12


def test_a_few_speakers_of_a_column_are_parted_aloud(tmp_path: Path) -> None:
    table = manifest(tmp_path, speakers=3)
    found = collect(table, target=["sentence"], task="classify", group=None, time=None, seed=0)
    assert found.together is None
    assert any("one of 3" in note and "--group client_id" in note for note in found.notes)


def test_a_speaker_may_be_the_target_and_named_as_an_input(tmp_path: Path) -> None:
    table = manifest(tmp_path)
    found = collect(table, target=["client_id"], inputs=["path"], group=None, time=None, seed=0)
    assert found.together is None
    named = collect(
        table, target=["sentence"], task="classify", inputs=["path", "client_id"], group=None, time=None, seed=0
    )
    assert any("client_id" in columns for _, columns in named.roles.inputs.values())


def test_a_manifest_of_lines_names_excerpts(tmp_path: Path) -> None:
    whole = np.concatenate([np.full(8000, level) for level in (0.1, 0.2, 0.3, 0.4)])
    rows = [{"audio_filepath": "talk.wav", "offset": n / 2, "duration": 0.5, "text": WORDS[n % 4]} for n in range(8)]
    lines = "\n".join(map(json.dumps, rows))
    found = sources.opened(written(tmp_path, {"talk.wav": wav(whole), "train.jsonl": lines}) / "train.jsonl")
    assert set(found.columns) == {"audio_filepath", "text"}
    heard = [waves.decode(cell, 8000) for cell in found.columns["audio_filepath"]]
    assert [len(one) for one in heard] == [4000] * 8
    assert np.allclose([one.mean() for one in heard], np.repeat([0.1, 0.2, 0.3, 0.4], 2), atol=1e-3)
    assert found.together == ["talk.wav"] * 8
    assert len({cell.digest for cell in found.columns["audio_filepath"]}) == 8


def test_an_excerpt_beyond_the_end_is_listed(tmp_path: Path) -> None:
    written(tmp_path, {"a.wav": TONE})
    found = Excerpt(files.File("a.wav", tmp_path), 5.0, 1.0)
    assert str(found) == "a@5-6.wav"
    with pytest.raises(DataError, match=r"'a@5-6\.wav'"):
        waves.decode(found, 8000)


def test_how_long_sounds_are_is_no_input_unless_named(tmp_path: Path) -> None:
    lines = "\n".join(
        json.dumps({"audio_filepath": f"{n}.wav", "duration": n / 10, "text": WORDS[n % 2]}) for n in range(40)
    )
    table = written(tmp_path, {**{f"{n}.wav": TONE for n in range(40)}, "train.jsonl": lines}) / "train.jsonl"
    found = collect(table, target=["text"], group=None, time=None, seed=0)
    assert list(found.roles.inputs) == ["audio_filepath"]
    assert any("'duration'" in one["sentence"] for one in found.roles.guesses)
    named = collect(table, target=["text"], inputs=["audio_filepath", "duration"], group=None, time=None, seed=0)
    assert len(named.roles.inputs) == 2
    told = collect(table, target=["duration"], inputs=["audio_filepath"], group=None, time=None, seed=0)
    assert list(told.roles.targets) == ["duration"]


def test_sounds_stand_beside_numbers_and_texts_in_a_table(tmp_path: Path) -> None:
    lines = ["sound,age,note,label"]
    lines += [
        f"{n}.wav,{20 + n % 30},call {n} of the day was about {WORDS[n % 4]} again,{'ab'[n % 2]}" for n in range(40)
    ]
    table = written(tmp_path, {**{f"{n}.wav": TONE for n in range(40)}, "calls.csv": "\n".join(lines)}) / "calls.csv"
    kinds = {name: kind for name, (kind, _) in collect(
        table, target=["label"], group=None, time=None, seed=0
    ).roles.inputs.items()}  # fmt: skip
    assert kinds == {"sound": "audio", "note": "text", "table": "table"}


def test_files_that_are_not_there_are_listed_and_more_than_one_in_a_hundred_stop_the_run(tmp_path: Path) -> None:
    lines = ["sound,label", *(f"{n}.wav,{'ab'[n % 2]}" for n in range(200))]
    sounds = {f"{n}.wav": TONE for n in range(200)}
    table = written(tmp_path, {**sounds, "calls.csv": "\n".join(lines)}) / "calls.csv"
    (tmp_path / "17.wav").unlink()
    (tmp_path / "40.wav").write_bytes(b"")
    found = collect(table, target=["label"], group=None, time=None, seed=0)
    assert [where for where, _ in found.problems] == ["row 18", "row 41"]
    assert "There is no file '17.wav'" in found.problems[0][1]
    assert "is empty" in found.problems[1][1]
    (tmp_path / "50.wav").write_bytes(TONE[:300])
    with pytest.raises(UnreadableError, match=r"3 of 200 rows .* more than 1 %") as stopped:
        collect(table, target=["label"], group=None, time=None, seed=0)
    assert len(stopped.value.problems) == 3
