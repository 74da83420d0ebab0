from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from learnt import registry
from learnt.cli import main
from learnt.cli.completion import SHELLS, script
from learnt.cli.options import parsers

ASKED = [
    (["tr"], {"train"}),
    (["predict", "m.onnx", "--to"], {"--top", "--top-p"}),
    (["train", "t.csv", "--ask", "cal"], {"calibration"}),
    (["train", "t.csv", "--size", ""], {"small", "medium", "large"}),
    (["train", "t.csv", "--header", "n"], {"none"}),
    (["demo", "tu"], {"tumour"}),
    (["completion", "b"], {"bash"}),
    (["show", "--c"], {"--card"}),
]


def ran(shell: str, code: str, folder: Path) -> list[str]:
    path = folder / f"learnt.{shell}"
    path.write_text(script(shell, parsers()[1]), encoding="utf-8")
    done = subprocess.run(
        [shell, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60, env={"HOME": str(folder)}
    )
    assert not done.stderr, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(("words", "offered"), ASKED, ids=[" ".join(words) for words, _ in ASKED])
def test_bash_offers_what_can_follow(tmp_path: Path, words: list[str], offered: set[str]) -> None:
    typed = " ".join(f"'{word}'" for word in ["learnt", *words])
    code = f'source learnt.bash; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _learnt; echo "${{COMPREPLY[@]}}"'
    assert set(ran("bash", code, tmp_path)) == offered


@pytest.mark.parametrize("words", [["train", "t"], ["train", "t.csv", "--out", "t"], ["predict", "t"]], ids=" ".join)
def test_bash_is_left_to_complete_files(tmp_path: Path, words: list[str]) -> None:
    typed = " ".join(["learnt", *words])
    code = f'source learnt.bash; COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _learnt; echo "${{COMPREPLY[@]}}"'
    assert ran("bash", code, tmp_path) == []
    assert "complete -o bashdefault -o default" in (tmp_path / "learnt.bash").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed; its script is not run")
@pytest.mark.parametrize(("words", "offered"), ASKED, ids=[" ".join(words) for words, _ in ASKED])
def test_fish_offers_what_can_follow(tmp_path: Path, words: list[str], offered: set[str]) -> None:
    code = f"source learnt.fish; complete -C 'learnt {' '.join(words)}' | string split -f1 \\t"
    assert set(ran("fish", code, tmp_path)) == offered


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed; its script is not run")
@pytest.mark.parametrize(("words", "offered"), ASKED, ids=[" ".join(words) for words, _ in ASKED])
def test_zsh_offers_what_can_follow(tmp_path: Path, words: list[str], offered: set[str]) -> None:
    typed = " ".join(f"'{word}'" for word in ["learnt", *words])
    stage = "compdef() { }; compadd() { shift; print -l -- $@ }; _files() { print FILES }"
    code = f"{stage}; source ./learnt.zsh; words=({typed}); CURRENT=$#words; _learnt"
    assert {word for word in ran("zsh", code, tmp_path) if word.startswith(words[-1])} == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_in_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    text = capsys.readouterr().out
    for name, parser in parsers()[1].items():
        assert name in text
        for action in parser._actions:
            for option in action.option_strings:
                assert not option.startswith("--") or option.lstrip("-") in text
    assert all(question in text for question in registry.names("trust"))


def test_another_shell_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "bash" in capsys.readouterr().err
