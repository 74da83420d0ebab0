"""Findings become report.json and one self-contained report.html."""

from __future__ import annotations

from learnt.report.document import Report, findings_as_rows, page, write
from learnt.report.summary import summary

__all__ = ["Report", "findings_as_rows", "page", "summary", "write"]
