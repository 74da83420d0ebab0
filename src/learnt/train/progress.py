"""What a person sees while a network trains, and log.jsonl. Reads the clock for the person only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from learnt.codecs import whole


class Progress:
    """A bar with steps, the current figure and the time left on a terminal; one line an evaluation in log.jsonl."""

    def __init__(self, log: Path, say: Callable[[str], None], resume: bool) -> None:
        self.say = say
        self._path, self._mode = log, "a" if resume else "w"
        self._log: IO[str] | None = None

    @contextmanager
    def training(self, what: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """`say` of one training loop. The first of a run begins its log."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        if self._log is None:
            with whole.said(self._path):
                self._log = self._path.open(self._mode, encoding="utf-8")
        log = self._log
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[figure]}"),
            TimeRemainingColumn(),
        )  # fmt: skip
        with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            shown = bar.add_task(f"Training {what}", total=None, figure="")
            began = time.monotonic()
            last: Mapping[str, Any] = {}

            def say(event: Mapping[str, Any]) -> None:
                nonlocal last
                bar.update(shown, total=event["steps"], completed=event["step"])
                if event["event"] == "evaluated":
                    last = event
                    loss = event["stop_loss"]
                    bar.update(shown, figure="" if loss is None else f"stop loss {loss:.4f}")
                    log.write(json.dumps({"what": what, **event}) + "\n")
                    log.flush()

            yield say
        if last:
            loss = "" if last["stop_loss"] is None else f", stop loss {last['stop_loss']:.4f}"
            self.say(f"Trained {what}: {last['step']:,} steps in {time.monotonic() - began:.0f} s{loss}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._log is not None:
            self._log.close()
