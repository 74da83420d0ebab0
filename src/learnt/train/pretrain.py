"""Weights to start from: of an encoder that was trained before, here or elsewhere.

A path is read once and forgotten: what of it decides the bytes of a file is the class and the fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from learnt import registry
from learnt.contracts import Settings, Starts
from learnt.errors import RequestError

HUB = "hub:"
LISTED = 10
"""Names of weights that are said."""
OWN = "learnt"
FINE: Settings = {"rate": 1e-2, "slower": 0.3}
"""Of networks of ours: the head learns faster than the encoder, whose rate is about that of a training from scratch."""
PREFIXES = ("best.encoders.", "encoders.")
"""Of the weights of encoders: in a checkpoint the best on its stop split, else as a network names them."""


@dataclass(frozen=True)
class Start:
    """What an encoder starts from."""

    modality: str
    """Of the inputs whose encoders do."""
    kind: str
    """The class of the network that it is from."""
    seats: Sequence[Mapping[str, Tensor]] = field(repr=False)
    """The weights of each encoder that there was, by the names of ours."""
    foreign: Settings = field(default_factory=dict)
    """What the weights were trained on, for `Starts.started`."""
    sizes: Settings = field(default_factory=dict)
    """Sizes and rates in place of those of the modality."""
    unused: Sequence[str] = ()
    """Names of weights that were there and that no encoder has."""

    @cached_property
    def about(self) -> dict[str, str]:
        """What a recipe and a file say of it: nothing of where it was found."""
        digest = sha256(json.dumps(self.foreign, sort_keys=True).encode())
        for seat in self.seats:
            for name in sorted(seat):
                value = seat[name].detach().contiguous().cpu()
                digest.update(f"{name} {value.dtype} {list(value.shape)}\n".encode())
                digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
        return {"class": self.kind, "sha256": digest.hexdigest()}

    def fill(self, encoder: nn.Module) -> tuple[set[str], list[str]]:
        """Weights of that seat of which most fit into an encoder: the names that were filled, and what is to be said.

        Raises RequestError where none fits.
        """
        held = encoder.state_dict()
        fitting = [{name for name, value in seat.items() if name in held and held[name].shape == value.shape}
                   for seat in self.seats]  # fmt: skip
        best = max(range(len(fitting)), key=lambda place: len(fitting[place]))
        found, seat = fitting[best], self.seats[best]
        if not found:
            there, here = _listed(map(_shaped, seat.items())), _listed(map(_shaped, held.items()))
            raise RequestError(
                f"No weight of --pretrained fits the encoder of this {self.modality}. There: {there}. Here: {here}."
            )
        encoder.load_state_dict({name: seat[name] for name in found}, strict=False)
        other = [f"{_shaped((name, seat[name]))}, here {list(held[name].shape)}"
                 for name in seat if name in held and name not in found]  # fmt: skip
        gone = [name for name in held if name not in seat]
        unused = [*self.unused, *(name for name in seat if name not in held)]
        notes = [
            f"{len(names)} weights {what}: {_listed(names)}."
            for names, what in (
                (gone, "are not among the pretrained ones and start at random"),
                (other, "have another shape and start at random"),
                (unused, "of the pretrained ones are not used"),
            )
            if names
        ]
        return found, notes


def _shaped(named: tuple[str, Tensor]) -> str:
    return f"{named[0]} {list(named[1].shape)}"


def _listed(names: Any) -> str:
    every = list(names)
    return ", ".join(every[:LISTED]) + (f" and {len(every) - LISTED} more" if len(every) > LISTED else "")


def opened(given: str | Path, modalities: Collection[str]) -> Start:
    """A run of ours (its folder), a file of weights of ours (.safetensors, .pt), a folder of transformers, or, where
    `given` begins with `HUB`, the name of one on a hub: nothing is fetched for any other.

    `modalities` are those of the inputs. Raises RequestError for what is none of these or fits none of the inputs,
    MissingExtra without the package that it needs.
    """
    path, hub = Path(given), str(given).startswith(HUB)
    able = sorted(name for name in modalities if isinstance(registry.modality(name), Starts))
    if not able:
        raise RequestError("--pretrained is for pictures and texts, and none of the inputs is one. Leave it out.")
    if hub or (path / "config.json").exists():
        return _of_transformers(str(given).removeprefix(HUB), hub, able)
    if not path.exists():
        raise RequestError(
            f"There is no {str(given)!r} to start from. Expected the folder of a run, a .safetensors or .pt file, or a "
            f"folder with config.json and model.safetensors. To fetch a model of a hub, write: --pretrained {HUB}NAME"
        )
    if path.is_dir():
        return _of_run(path, able)
    return _of_weights(path, able)


def _of_transformers(name: str, hub: bool, able: Sequence[str]) -> Start:
    from learnt.train.foreign import FINE as USUAL
    from learnt.train.foreign import Foreign

    found = Foreign(name, hub)
    modality = next((name for name in found.modalities if name in able), None)
    if modality is None:
        raise RequestError(
            f"{found.kind} learns from {' or '.join(found.modalities)}, and the inputs here are {', '.join(able)}."
        )
    weights, settings = found.begun(modality)
    return Start(modality, found.kind, [weights], settings, USUAL, found.unused)


def _of_run(folder: Path, able: Sequence[str]) -> Start:
    """The network of a run as it was trained last, with the settings that its file says it was trained on."""
    from learnt.artifact.artifact import Artifact

    states = [folder / "checkpoint" / name / "state.safetensors" for name in ("again", "annealed", ".")]
    state = next((path for path in states if path.exists()), None)
    if state is None or not (folder / "model.onnx").exists():
        raise RequestError(
            f"{str(folder)!r} is neither the folder of a run (model.onnx, checkpoint/state.safetensors) nor one of "
            "transformers (config.json, model.safetensors)."
        )
    manifest = Artifact.open(folder / "model.onnx").manifest
    for given in manifest["inputs"].values():
        if given["modality"] in able:
            width = manifest["recipe"]["sizes"]["width"]
            sizes = {**FINE, "width": width}
            return Start(given["modality"], OWN, _seats(state), given["settings"], sizes)
    learnt_from = ", ".join(sorted({given["modality"] for given in manifest["inputs"].values()}))
    raise RequestError(f"{str(folder)!r} was learnt from {learnt_from}, and the inputs here are {', '.join(able)}.")


def _of_weights(path: Path, able: Sequence[str]) -> Start:
    """Weights alone: those of texts belong to tables of words, which they do not hold."""
    if "image" not in able:
        raise RequestError(
            f"{str(path)!r} holds weights without the words that they belong to. Name the folder of the run that "
            "learnt them: --pretrained RUN"
        )
    return Start("image", OWN, _seats(path), {}, FINE)


def _seats(path: Path) -> list[dict[str, Tensor]]:
    """The weights of each encoder of a file, or all as those of one. No pickle is run. Raises RequestError."""
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 not a mapping
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, OSError, RuntimeError, EOFError, ValueError, UnpicklingError) as error:
        raise RequestError(
            f"{str(path)!r} holds no weights that can be read without running code: {str(error).splitlines()[0]}"
        ) from None
    return parted(state)


def parted(state: Any) -> list[dict[str, Tensor]]:
    """A state dict by encoder. Raises RequestError for anything else."""
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise RequestError("--pretrained expects a state dict: names and tensors, and nothing else.")
    for prefix in PREFIXES:
        own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
        if own:
            places = sorted({name.split(".", 1)[0] for name in own})
            return [
                {name.split(".", 1)[1]: value for name, value in own.items() if name.split(".", 1)[0] == place}
                for place in places
            ]
    return [dict(state)]
