"""One file per kind of target, found by its name."""
