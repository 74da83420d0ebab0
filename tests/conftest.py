"""What all tests share: no network, and the real data sets when they are there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_LEFT_OUT = pytest.StashKey[int]()


def _folder_of_data() -> Path | None:
    """`LEARNT_DATA`, or `shared/data` beside the checkout."""
    given = os.environ.get("LEARNT_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if _folder_of_data() is not None:
        return
    left_out = [item for item in items if item.get_closest_marker("systems")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("systems")]
        config.hook.pytest_deselected(items=left_out)
        config.stash[_LEFT_OUT] = len(left_out)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    count = config.stash.get(_LEFT_OUT, 0)
    if count:
        which = "1 test on real data was" if count == 1 else f"{count} tests on real data were"
        terminalreporter.write_line(f"{which} left out: there is no ../shared/data, and LEARNT_DATA names no folder.")


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real data sets; only tests marked `systems` may ask for it."""
    folder = _folder_of_data()
    assert folder is not None, "mark this test with @pytest.mark.systems"
    return folder


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """A test that calls out fails; two processes on this machine may talk."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in _LOCAL:
            self.close()
            raise RuntimeError(f"a test tried to reach {address}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield
