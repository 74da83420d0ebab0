"""Anything becomes a table of examples: sources, roles, splits, store."""
