from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from learnt.data import sources
from learnt.data.collecting import collect
from learnt.errors import DataError

TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": [{"type": "text", "text": "How "}, {"type": "text", "text": "are you?"}]},
    {"role": "assistant", "content": "Fine."},
]
ASKED = [{"role": "user", "content": "Anyone?"}]


def saved(folder: Path, *rows: Any) -> Path:
    path = folder / "chat.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_each_turn_of_the_assistant_is_an_answer_to_all_before_it(tmp_path: Path) -> None:
    found = sources.opened(saved(tmp_path, {"messages": TALK, "shop": "a"}))
    assert found.columns == {
        "context": [
            "system: Be kind.\nuser: Hi",
            "system: Be kind.\nuser: Hi\nassistant: Hello!\nuser: How are you?",
        ],
        "answer": ["Hello!", "Fine."],
        "shop": ["a", "a"],
    }
    assert (found.target, found.together) == ("answer", ["1", "1"])


def test_what_has_no_answer_is_left_out_of_training_and_counted_and_is_asked_in_prediction(tmp_path: Path) -> None:
    path = saved(tmp_path, {"messages": TALK}, {"messages": ASKED}, {"messages": []})
    found = sources.opened(path)
    assert found.columns["answer"] == ["Hello!", "Fine."]
    assert found.notes == ["1 talk ends without an answer; what was asked last is left out."]
    (asked,) = sources.batches(path)
    assert asked["context"][-1] == "user: Anyone?"
    assert asked["answer"] == ["Hello!", "Fine.", None]


def test_turns_that_say_nothing_are_no_answers(tmp_path: Path) -> None:
    tool = [*TALK[:2], {"role": "assistant", "content": None}, {"role": "tool", "content": "7"}, TALK[2]]
    found = sources.opened(saved(tmp_path, {"messages": tool}))
    assert found.columns["context"] == ["system: Be kind.\nuser: Hi\ntool: 7"]


def test_an_assistant_that_begins_answers_nobody(tmp_path: Path) -> None:
    found = sources.opened([{"messages": [{"role": "assistant", "content": "Welcome"}, *TALK[1:3]]}])
    assert found.columns == {"context": ["assistant: Welcome\nuser: Hi"], "answer": ["Hello!"]}


def test_a_talk_stays_on_one_side_of_the_split(tmp_path: Path) -> None:
    talks = []
    for place in range(60):
        turns = [{"role": "user", "content": f"what is number {place} please now"}]
        for more in range(3):
            turns += [
                {"role": "assistant", "content": "yes" if more % 2 else "no"},
                {"role": "user", "content": f"and {more} then"},
            ]
        talks.append({"messages": turns[:-1]})
    path = saved(tmp_path, *talks)

    def parted(group: str | None) -> bool:
        """Whether some talk is on both sides."""
        found = collect(path, target=["answer"], task="classify", group=group, time=None, seed=0)
        sides = [{row // 3 for row in rows.tolist()} for rows in (found.splits.final, found.splits.calibrate)]
        assert found.rows == 180
        return bool(sides[0] & sides[1])

    assert not parted(None)
    assert parted("none")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": [{"role": "user", "content": 7}]}, "Talk 2: the content of message 1 is int"),
        ({"messages": [{"role": "user", "content": "a"}, {"content": "b"}]}, "Talk 2: message 2 has no role"),
        ({"messages": "hi"}, "Talk 2: 'messages' is str.*Expected: "),
    ],
)
def test_what_is_no_talk_is_named(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        sources.opened(saved(tmp_path, {"messages": TALK}, row))


def test_a_column_that_is_called_as_a_turn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="another name"):
        sources.opened([{"messages": TALK, "answer": 1}])


def test_broken_json_is_named_with_its_line(tmp_path: Path) -> None:
    path = saved(tmp_path, {"messages": TALK})
    path.write_text(path.read_text(encoding="utf-8") + '{"messages": [\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"chat\.jsonl, line 2 is no JSON"):
        sources.opened(path)


def test_a_column_called_messages_that_holds_no_talks_is_a_column() -> None:
    assert sources.read([{"messages": "12"}, {"messages": "3"}]) == {"messages": ["12", "3"]}


def test_halves_of_pairs_and_nul_bytes_in_json_are_text(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_text(
        '{"messages": [{"role": "user", "content": "\\ud800 \\u0000"}, {"role": "assistant", "content": "ok"}]}\n',
        encoding="utf-8",
    )
    found = sources.opened(path)
    assert found.columns["context"] == ["user: \ud800 \0"]
    assert len(sources.fingerprint(found.columns)) == 64
