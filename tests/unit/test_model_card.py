from __future__ import annotations

from typing import Any

import yaml

from learnt.artifact.model_card import model_card
from small import file


def metadata(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return found


def test_its_metadata_are_those_a_hub_reads() -> None:
    card = model_card(file.manifest(), "colours")
    held = metadata(card)
    assert held["library_name"] == "onnx"
    assert held["pipeline_tag"].endswith("-classification")
    result = held["model-index"][0]["results"][0]
    assert {"type", "name", "value"} <= set(result["metrics"][0])
    for section in ("Uses", "Bias, risks, and limitations", "How to get started", "Training details", "Evaluation"):
        assert f"## {section}" in card


def test_figures_stand_with_interval_and_source() -> None:
    assert "0.85 to 0.94 | 400 | this file" in model_card(file.manifest(), "colours")


def test_a_thin_manifest_has_a_model_card_without_figures() -> None:
    thin = {name: file.manifest()[name] for name in ("format", "inputs", "targets")}
    card = model_card(thin, "thin")
    assert "model-index" not in metadata(card)
    assert "Nothing was measured" in card


def test_names_of_a_stranger_are_only_names() -> None:
    strange = file.manifest() | {"use": "<script>alert(1)</script>\n---\nlicense: mit", "licence": "a: [b\n\x1b[31m"}
    card = model_card(strange, 'x"\n---')
    assert "<script>" not in card
    assert "\x1b" not in card
    assert metadata(card)["license"] == "other"
    assert metadata(card)["license_name"] == "a: [b\n\x1b[31m"


def test_figures_of_another_site_are_not_called_those_of_the_training_data() -> None:
    def dataset(manifest: dict[str, Any]) -> str:
        return str(metadata(model_card(manifest, "it"))["model-index"][0]["results"][0]["dataset"]["name"])

    assert "the data it was made from" in dataset(file.manifest())
    assert dataset(file.manifest() | {"recalibrated": {"rows": 200}}).endswith("the site it was recalibrated for")


def test_a_card_of_risks_names_their_horizons() -> None:
    held = file.manifest()
    target = next(iter(held["targets"]))
    risks = {**held["targets"][target], "task": "survival", "settings": {"codes": {"1": 0, "5": 3}}}
    assert "the risk by 1, 5, in the unit of the durations" in model_card(held | {"targets": {target: risks}}, "it")
    assert "the risk by" not in model_card(held, "it")
