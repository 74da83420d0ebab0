"""The only home of the training loop and the exporter (torch)."""
