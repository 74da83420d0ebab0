"""Open, verify, run and explain the file with numpy and onnxruntime only."""
