"""A text becomes the same tokens and n-grams in plain JavaScript, and gets the same answer, by the manifest alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import learnt
from learnt.artifact.verify import array

HERE = Path(__file__).parent
SIZES = {"width": 8, "depth": 0, "members": 1, "dropout": 0.0, "batch": 64, "epochs": 2, "rate": 1e-2, "decay": 1e-2}
ASKED = [
    "turn the light on please",
    "Turn it  ON, 거실 불을 켜 줘!",
    "불을 켜 줘",
    "e\u0301tude caf\u00e9 漢字とかな ΣΊΣΥΦΟΣ",
    "\ud800 half a pair \udfff",
    "a\x00b\n\n 👩‍👩‍👧",
    "word " * 2000,
    "x" * 5000,
    " ".join(f"{place} light 불을" for place in range(20_000)),
]
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")

if shutil.which("node") is None or not (HERE / "node_modules" / "onnxruntime-node").is_dir():
    pytest.skip("node or onnxruntime-node is not installed", allow_module_level=True)


@pytest.fixture(scope="module", name="model")
def _model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Learnt from what lamps and songs are told."""
    random = np.random.default_rng(0)
    words = ["turn", "the", "light", "please", "불을", "켜", "줘", "now", "again", "거실"]
    said = [" ".join([*random.choice(words, 5), what]) for what in ("on", "off") for _ in range(150)]
    data = {"text": said, "label": ["on"] * 150 + ["off"] * 150}
    folder = tmp_path_factory.mktemp("lamps")
    learnt.train(data, target="label", inputs=["text:text"], out=folder, ask="unfamiliar", recipe={"sizes": SIZES})
    return folder / "model.onnx"


def in_node(model: Path, texts: list[str]) -> list[dict[str, Any]]:
    asked = model.with_name("asked.json")
    asked.write_text(json.dumps(texts), encoding="utf-8")
    done = subprocess.run(
        ["node", str(HERE / "predict_texts.mjs"), str(model), str(asked)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_tokens_ngrams_and_answers_are_the_same_in_node(model: Path) -> None:
    artifact = learnt.load(model)
    raw = artifact.read({"text": ASKED})
    here = artifact.run(raw)
    for row, there in enumerate(in_node(model, ASKED)):
        assert there["tokens"] == np.asarray(raw["text.tokens"][row]).tolist(), ASKED[row][:20]
        assert sorted(there["grams"]) == sorted(np.asarray(raw["text.grams"][row]).tolist()), ASKED[row][:20]
        for name in ("label.probability", "unfamiliar", "vector"):
            got = array(there[name]["data"], "tensor(float)").reshape(there[name]["dims"])[0]
            np.testing.assert_allclose(got, here[name][row], rtol=1e-5, atol=1e-4 if name == "unfamiliar" else 1e-5)
