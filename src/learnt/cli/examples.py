"""What to type: the lines that the help of each command ends with. The first stands in messages, too."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "train": (
        "learnt train transactions.csv --target fraud",
        "learnt train scans/ --group patient --budget 10m",
        "learnt train visits.csv --target years,relapse --sensitive sex --out runs/relapse",
        "learnt train transactions.csv --target fraud --time date --decide 'recall>=.9' --ask all",
    ),
    "audit": (
        "learnt audit runs/fraud new.csv --target fraud",
        "learnt audit runs/fraud --ask label_errors --out suspects.csv",
        "learnt audit fraud.onnx unlabelled.csv --ask shift,unfamiliar",
    ),
    "recalibrate": (
        "learnt recalibrate fraud.onnx site.csv --out site.onnx",
        "learnt recalibrate fraud.onnx site.csv --prevalence .02 --out site.onnx",
    ),
    "walk": ("learnt walk transactions.csv --target fraud",),
    "demo": ("learnt demo tumour", "learnt demo"),
    "predict": (
        "learnt predict fraud.onnx new.csv --out out.csv",
        "learnt predict fraud.onnx new.csv --top 3 --json",
        "learnt predict mails.onnx --live",
    ),
    "explain": (
        "learnt explain fraud.onnx new.csv --about yes",
        "learnt explain scan.onnx new.png --out map.png",
    ),
    "show": ("learnt show fraud.onnx", "learnt show fraud.onnx --card"),
    "verify": ("learnt verify fraud.onnx",),
    "completion": ("learnt completion bash", "learnt completion fish"),
}
