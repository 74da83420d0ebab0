"""Networks of the package transformers: their weights, a description to build them again, and what they expect."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from learnt.codecs import borrowed
from learnt.codecs.borrowed import Borrowed
from learnt.contracts import Settings
from learnt.errors import RequestError
from learnt.nets import pretrained

PRIVATE = ("_name_or_path", "transformers_version", "architectures", "dtype", "torch_dtype", "id2label", "label2id")
"""Lines of a description that say where it was, or nothing of the encoder."""
MODALITIES = {"pixel_values": ("image",), "input_ids": ("text", "prompt")}
"""By what the network wants first."""
LONGEST = 512
"""Tokens of a text that are read, where a network could take more."""
COUNTED_FROM_PAD = ("roberta", "xlm-roberta", "camembert", "longformer", "mpnet", "ibert")
"""Networks whose places are counted from the number of the padding on."""
FINE: Settings = {"rate": 1e-3, "slower": 0.1, "decay": 1e-2}
"""As such networks are usually fine-tuned: 1e-4, the head ten times as fast."""


class Foreign:
    """One network, from a folder or, where `hub` says so, by its name from a hub.

    Raises RequestError for what cannot be loaded without running its code, or without a network.
    """

    def __init__(self, name: str | Path, hub: bool) -> None:
        self.name, self.hub = str(name), hub
        package = pretrained.package()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.network, told = self._loaded(
                package.AutoModel.from_pretrained,
                output_loading_info=True,
                use_safetensors=True,
                attn_implementation="eager",
                dtype=torch.float32,
            )
        whole = set(self.network.state_dict())
        self.network = pretrained.bare(self.network.eval().requires_grad_(False))
        self.kind: str = type(self.network).__name__
        self.missing: set[str] = set(told["missing_keys"]) | {str(one[0]) for one in told["mismatched_keys"]}
        left = whole - set(self.network.state_dict()) - self.missing
        self.unused: Sequence[str] = sorted({*told["unexpected_keys"], *left})
        wanted = self.network.main_input_name
        self.modalities: tuple[str, ...] = MODALITIES.get(wanted, (wanted,))

    def _loaded(self, load: Any, **asked: Any) -> Any:
        try:
            return load(self.name, local_files_only=not self.hub, trust_remote_code=False, **asked)
        except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
            why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            if self.hub:
                raise RequestError(
                    f"{self.name!r} cannot be fetched: {why} Where there is a network, write: hf download {self.name} "
                    "--local-dir FOLDER. Then: --pretrained FOLDER"
                ) from None
            raise RequestError(
                f"{self.name!r} holds no network of transformers that can be opened: {why} Expected config.json and "
                "model.safetensors of a class that the package knows."
            ) from None

    @property
    def weights(self) -> dict[str, Tensor]:
        """By the names of our encoders; those that were not there left out."""
        state = self.network.state_dict()
        return {f"model.{name}": value for name, value in state.items() if name not in self.missing}

    @property
    def config(self) -> dict[str, Any]:
        """What `nets.pretrained.network` builds it from."""
        held = self.network.config.to_diff_dict()
        found: dict[str, Any] = json.loads(
            json.dumps({key: value for key, value in held.items() if key not in PRIVATE})
        )
        return found

    def document(self, name: str) -> dict[str, Any] | None:
        """A JSON file beside the weights; None where there is none."""
        path = pretrained.package().utils.cached_file(
            self.name, name, local_files_only=not self.hub, _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False, _raise_exceptions_for_gated_repo=False,
        )  # fmt: skip
        found: dict[str, Any] | None = json.loads(Path(path).read_text(encoding="utf-8")) if path else None
        return found

    def begun(self, modality: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The weights of an encoder of this modality, and what its inputs must be, for `Starts.started`.

        Raises RequestError for a network that cannot be one.
        """
        if modality == "image":
            return self.weights, self._pictures()
        return (self.weights, self._texts()) if modality == "text" else self._causal()

    def _pictures(self) -> dict[str, Any]:
        told = self.document("preprocessor_config.json")
        if told is None:
            raise RequestError(
                f"{self.name!r} has no preprocessor_config.json, which says how large pictures are and how their "
                "colours are scaled. Copy it from where the weights are from."
            )
        side, channels = _side(told), int(getattr(self.network.config, "num_channels", 3))
        scale = float(told.get("rescale_factor") or 1 / 255) if told.get("do_rescale", True) else 1.0
        normal = told.get("do_normalize", True)
        mean = told["image_mean"] if normal else [0.0] * channels
        spread = told["image_std"] if normal else [1.0] * channels
        said = self._said(pixel_values=torch.zeros(1, channels, side, side))
        hidden = getattr(said, "hidden_states", None) or ()
        grid = pretrained.as_grid(said.last_hidden_state)
        about = {
            "class": self.kind,
            "config": self.config,
            "width": int(grid.shape[1]),
            "side": side,
            "stages": bool(hidden) and all(one.dim() == 4 for one in hidden),
        }
        return {
            "pretrained": about,
            "side": side,
            "channels": channels,
            "dtype": "uint8",
            "mean": [value / scale for value in mean],
            "spread": [value / scale for value in spread],
        }

    def _texts(self) -> dict[str, Any]:
        tokenizer = self._tokenizer()
        document = json.dumps(tokenizer, ensure_ascii=False)
        told = self.document("tokenizer_config.json") or {}
        before, behind = Borrowed(document).around()
        config = self.network.config
        pad = int(getattr(config, "pad_token_id", None) or 0)
        places = int(getattr(config, "max_position_embeddings", LONGEST))
        longest = int(min(LONGEST, places, told.get("model_max_length", LONGEST)))
        if getattr(config, "model_type", "") in COUNTED_FROM_PAD:
            longest = min(longest, places - pad - 1)
        said = self._said(input_ids=torch.full((1, longest), pad + 1))
        about = {
            "class": self.kind,
            "config": self.config,
            "width": int(said.last_hidden_state.shape[-1]),
            "known": int(config.vocab_size),
            "before": before,
            "behind": behind,
            "pad": pad,
            "most": longest - len(before) - len(behind),
        }
        return {"pretrained": about, "tokenizer": document}

    def _tokenizer(self) -> dict[str, Any]:
        found = self.document("tokenizer.json")
        if found is None:
            raise RequestError(
                f"{self.name!r} has no tokenizer.json, without which nothing can be read. Copy it from where the "
                "weights are from, or write it: AutoTokenizer.from_pretrained(NAME).save_pretrained(FOLDER)"
            )
        return found

    def _causal(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Its embeddings in the order of our tokens: its merges are ours, and the mark is what ends its texts."""
        tokenizer, config = self._tokenizer(), self.network.config
        one, other = (self._said(input_ids=torch.tensor([[5, last]])).last_hidden_state for last in (6, 7))
        if not torch.equal(one[:, 0], other[:, 0]) or not getattr(config, "tie_word_embeddings", False):
            raise RequestError(
                f"{self.kind} cannot write texts. Expected a causal network whose last layer is its table of "
                "embeddings, such as GPT-2."
            )
        try:
            merges, numbers = borrowed.merges(tokenizer)
        except ValueError as error:
            raise RequestError(
                f"{self.kind} comes with {error}. Texts are written over bytes alone, as by GPT-2."
            ) from None
        embeddings = self.network.get_input_embeddings()
        table, end = embeddings.weight, config.eos_token_id
        mean = table.mean(0)
        rows = [torch.zeros_like(mean), *(mean if number < 0 else table[number] for number in numbers)]
        end = end[0] if isinstance(end, list) else end
        rows.append(mean if end is None else table[end])
        (name,) = (name for name, module in self.network.named_modules() if module is embeddings)
        weights = {key: value for key, value in self.weights.items() if key != f"model.{name}.weight"}
        cache = self._said(input_ids=torch.tensor([[5, 6]]), use_cache=True).past_key_values
        about = {
            "class": self.kind,
            "config": self.config,
            "width": int(table.shape[1]),
            "layers": len(cache.layers),
            "heads": int(cache.layers[0].keys.shape[1]),
            "head": int(cache.layers[0].keys.shape[3]),
        }
        return {**weights, "table": torch.stack(rows)}, {"pretrained": about, "merges": merges}

    @torch.no_grad()
    def _said(self, **inputs: Any) -> Any:
        try:
            said = self.network(**inputs, output_hidden_states=True)
            if said.last_hidden_state.dim() in (3, 4):
                return said
        except (ValueError, RuntimeError, TypeError, AttributeError, IndexError) as error:
            why = str(error).splitlines()[0]
            raise RequestError(f"{self.kind} does not take {' and '.join(inputs)} alone: {why}") from None
        raise RequestError(
            f"{self.kind} says nothing of places in its input. Expected an encoder: ResNet, ViT, BERT ..."
        )


def _side(told: Settings) -> int:
    """The side of what a network was shown, of a picture cut out where one was."""
    size = told.get("crop_size") if told.get("do_center_crop") and told.get("crop_size") else told.get("size")
    if isinstance(size, dict):
        size = size.get("height") or size.get("shortest_edge") or size.get("longest_edge")
    if not isinstance(size, int):
        raise RequestError(f"preprocessor_config.json gives no size of pictures: {told.get('size')!r}.")
    return size
