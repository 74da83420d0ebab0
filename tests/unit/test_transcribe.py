"""The task of writing down sounds, without a network: what it learns, leaves out, judges and loses."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

import learnt
from learnt.contracts import Evidence, Part, Prediction
from learnt.data.collecting import collect
from learnt.errors import RequestError, UnreadableError
from learnt.nets import ctc
from learnt.tasks.transcribe import Transcribe
from small.recordings import wav

TASK = Transcribe()
SETTINGS = {"symbols": [" ", "a", "b", "c"], "words": False, "form": "NFC"}


def said(*words: str, sure: float = 0.9) -> Prediction:
    parts = tuple(Part(word, sure, (0.0, 1.0)) for word in words)
    return Prediction(" ".join(words), sure, "", parts=parts)


def figures(predictions, truth):
    verdicts = TASK.judge(predictions, truth, SETTINGS)
    count = len(predictions)
    evidence = Evidence(
        ids=[str(row) for row in range(count)], verdicts=verdicts, probability=None,
        vector=np.zeros((count, 1), np.float32), unfamiliar=np.zeros(count), groups={}, source="file",
    )  # fmt: skip
    return verdicts, TASK.metrics(evidence, SETTINGS)


def test_words_and_letters_are_counted_as_edits():
    verdicts, found = figures([said("one", "tow"), said(), said("a", "b")], ["One, two!", "six", "b"])
    assert found["word_error_rate"] == pytest.approx(3 / 4)
    assert found["character_error_rate"] == pytest.approx((2 + 3 + 2) / (7 + 3 + 1))
    assert found["exact_match"] == 0
    assert np.isnan(verdicts.confidence).sum() == 1
    assert verdicts.correct.tolist() == [1, 0, 0, 0, 1]


def test_nothing_wrong_is_no_error():
    _, found = figures([said("one", "two")], ["one two"])
    assert (found["word_error_rate"], found["character_error_rate"], found["exact_match"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("learnt", "always"),
    [(["a", "a b", "a", "b"], "a"), (["a b c", "c", "b", "a"], "")],
)
def test_doing_nothing_is_the_most_frequent_text_or_silence_whichever_errs_less(learnt, always):
    targets = TASK.encode(learnt, SETTINGS)
    _, outputs = TASK.baseline(np.zeros((4, 1)), targets, np.zeros((2, 1)), SETTINGS, 0)
    assert [one.value for one in TASK.decode(outputs, SETTINGS)] == [always, always]
    features = np.eye(4)
    _, outputs = TASK.baseline(features, targets, features[[1]], SETTINGS, 0)
    assert [one.value for one in TASK.decode(outputs, SETTINGS)] == [learnt[1]]


def free(places: int) -> torch.Tensor:
    return torch.zeros(2, places, 5, requires_grad=True)


def learnt_by_heart(places: int = 60) -> torch.Tensor:
    """Where two letters are said in logits that may be anything, and of which each place costs the same."""
    logits, wanted = free(places), torch.tensor([[2, 3], [2, -1]])
    optimiser = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        ctc.loss(logits, torch.tensor([places, places]), wanted).sum().backward()
        optimiser.step()
    return logits.detach().softmax(2)[:, :, 1:].sum(2)


def test_what_could_be_said_anywhere_is_said_early(monkeypatch):
    place = torch.arange(60.0)
    early = (learnt_by_heart() * place).sum(1) / learnt_by_heart().sum(1)
    monkeypatch.setattr(ctc, "EARLY", 0.0)
    anywhere = (learnt_by_heart() * place).sum(1) / learnt_by_heart().sum(1)
    assert (anywhere > 20).all()
    assert (early < anywhere - 3).all()


def test_which_symbols_are_said_at_all_is_learnt_though_nothing_is_said_yet():
    """Where silence is likely everywhere, the gradient tells true symbols from others, and those from nothing."""
    logits = torch.zeros(1, 20, 5)
    logits[:, :, 0] = 8.0
    logits.requires_grad_()
    ctc.loss(logits, torch.tensor([20]), torch.tensor([[2, 3]])).sum().backward()
    one, two, three, four = logits.grad[0, :, 1:].sum(0).tolist()
    assert max(two, three) < -0.1 < 0.1 < min(one, four)


def test_without_these_the_gradient_is_that_of_torch(monkeypatch):
    monkeypatch.setattr(ctc, "EARLY", 0.0)
    monkeypatch.setattr(ctc, "ALL_IN_ALL", 0.0)
    logits = torch.randn(2, 9, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    wanted, places = torch.tensor([[2, 2, 3], [1, -1, -1]]), torch.tensor([9, 4])
    ctc.loss(logits, places, wanted).sum().backward()
    own = logits.grad.clone()
    logits.grad = None
    chances = logits.log_softmax(2).transpose(0, 1)
    plain = functional.ctc_loss(chances, wanted.clamp(min=0), places, torch.tensor([3, 1]), reduction="sum")
    (plain * 2 / 4).backward()
    assert torch.allclose(own, logits.grad, atol=1e-6)
    assert not own[1, 4:].any()


def listed(folder: Path, rows: list[tuple[float, str]], columns: str = "sound,text") -> Path:
    random = np.random.default_rng(0)
    lines = [columns.split(",")]
    for row, (seconds, text) in enumerate(rows):
        (folder / f"{row}.wav").write_bytes(wav(0.1 * random.normal(size=int(8000 * seconds))))
        lines.append([f"{row}.wav", text, *(["x"] * (len(lines[0]) - 2))])
    with (folder / "sounds.csv").open("w", newline="") as file:
        csv.writer(file).writerows(lines)
    return folder / "sounds.csv"


MANY = [(0.5, f"take {one} {other}") for one in ("fish", "bread", "milk") for other in "abcdefghijklmnopqrstuvwxyz"]


def collected(path: Path, **more):
    return collect(path, target=["text"], group=None, time=None, seed=0, **more)


def test_free_text_beside_sounds_is_what_is_said_in_them(tmp_path):
    found = collected(listed(tmp_path, MANY, "sound,text,note"))
    assert found.roles.targets == {"text": "transcribe"}
    assert list(found.roles.inputs) == ["sound"]
    assert any("'note' is not heard" in guess["sentence"] for guess in found.roles.guesses)


def test_free_text_beside_numbers_must_be_told_what_it_is_for(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("number,text\n" + "\n".join(f"{row},{text}" for row, (_, text) in enumerate(MANY)))
    with pytest.raises(RequestError, match=r"--task generate .*or --task reply"):
        collected(path)


def test_what_a_sound_is_too_short_for_is_left_out_and_listed_by_file(tmp_path):
    rows = MANY * 3
    rows[7] = (0.1, "far too long a text for such a sound")
    found = collected(listed(tmp_path, rows), task="transcribe")
    assert len(found.columns["text"]) == len(rows) - 1
    ((where, why),) = found.problems
    assert "7.wav" in where
    assert "36 letters" in why


def test_a_text_in_another_writing_is_left_out_and_listed_by_file_and_letter(tmp_path):
    rows = MANY * 3
    rows[9] = (0.5, "take \u0436\u0443\u043a a")
    found = collected(listed(tmp_path, rows), task="transcribe")
    ((where, why),) = found.problems
    assert "9.wav" in where
    assert "'\u0436', '\u0443', '\u043a'" in why
    mixed = listed(tmp_path, [*MANY[:50], *[(0.5, f"\u0434\u0430 {name}") for name in "abcdefghij"]])
    assert not collected(mixed, task="transcribe").problems


def test_texts_that_a_file_can_never_say_are_told_by_letter_and_by_length():
    places = np.array([50.0, 50.0, 2.0, 0.0])
    found = dict(TASK.unsayable(["a cab", "abd", "abc", "abc"], places, SETTINGS))
    assert found.keys() == {1, 2}
    assert "'abd' has 'd'; such letters were not learnt" in found[1]
    assert "3 letters, more than so short a sound" in found[2]
    words = {"symbols": ["one", "two"], "words": True, "form": "NFC"}
    assert "has 'three'; such words" in dict(TASK.unsayable(["one three"], places[:1], words))[0]


def test_what_is_too_long_is_counted_in_the_pieces_that_are_said():
    learnt = {"symbols": [" ", "a", "b", "ab"], "words": False, "form": "NFC"}
    places = np.array([3.0, 3.0, 2.0])
    assert dict(TASK.unsayable(["abab", "bbaa", "abab"], places, learnt)).keys() == {1, 2}
    assert "2 pieces, more than so short a sound" in dict(TASK.unsayable(["abab"], np.array([2.0]), learnt))[0]
    assert dict(TASK.unfit(["abab"] * 50, np.array([3.0, *[50.0] * 49]))).keys() == {0}


def test_damaged_recordings_are_left_out_and_listed_by_file(tmp_path):
    path = listed(tmp_path, MANY * 3)
    (tmp_path / "4.wav").write_bytes(b"")
    (tmp_path / "7.wav").write_bytes((tmp_path / "8.wav").read_bytes()[:3000])
    found = collected(path, task="transcribe")
    assert [why.split(" ")[0] for _, why in found.problems] == ["'4.wav'", "'7.wav'"]
    (tmp_path / "9.wav").write_bytes(b"")
    with pytest.raises(UnreadableError, match="3 of 234 rows"):
        collected(path, task="transcribe")


def test_many_such_rows_stop_the_work(tmp_path):
    rows = MANY + [(0.1, "far too long a text for such a sound")] * 5
    with pytest.raises(UnreadableError, match="5 of 83 rows"):
        collected(listed(tmp_path, rows), task="transcribe")


def test_texts_without_a_letter_are_no_target():
    assert TASK.unusable(["a b", "", "...", None]) == [(1, ""), (2, "'...' is no text with a letter"), (3, "")]


def test_labels_can_be_said_too(tmp_path):
    rows = [(0.5, ("yes", "no")[row % 2]) for row in range(60)]
    path = listed(tmp_path, rows)
    assert collected(path).roles.targets == {"text": "classify"}
    assert collected(path, task="transcribe").roles.targets == {"text": "transcribe"}


def test_pieces_of_words_are_refused_where_no_text_is_written(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("number,label\n" + "\n".join(f"{row},{row % 2}" for row in range(60)))
    with pytest.raises(RequestError, match=r"--subwords 300 is for texts that are written; here label .*Leave it out"):
        learnt.train(path, target="label", subwords=300, out=tmp_path / "run")
