"""Torch modules by shape of data; they know no modality and no task."""
