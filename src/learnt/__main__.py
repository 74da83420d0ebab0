"""`python -m learnt` is `learnt`."""

from __future__ import annotations

from learnt.cli import entry

entry()
