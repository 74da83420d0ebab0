"""One file per kind of input, found by its name."""
