"""A file small enough to be read by eye, and the modalities and tasks that it knows."""
