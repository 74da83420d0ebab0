"""Host-side conversions in numpy, shared by modalities, tasks and the artifact."""
