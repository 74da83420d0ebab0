"""One export of a trained network as a file of standard operators, and the proof that the two say the same.

The constants that `calibrate` and the bank of familiar examples fill in later are inputs of the traced graph and become
initialisers with names, so the file is exported once and never traced again.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from learnt import registry
from learnt.codecs import ragged
from learnt.contracts import Arrays, Raw, Spec
from learnt.errors import LearntError
from learnt.nets.unfamiliar import Unfamiliar
from learnt.train import graph, pairs
from learnt.train.attribution import Attribution, is_code, part_counts
from learnt.train.batches import Examples, Rows
from learnt.train.network import Network, grouped, groups_of, of_input

TOLERANCE = 1e-5
PERCENTILE = {"unfamiliar": 1e-3}
"""A percentile jumps where many calibration examples are nearly alike; a thousandth of it means nothing."""
TRACED = 1e-4
"""A map that is traced back adds up shares that are many times larger than their sum; a score has a unit of its own, in
which so little means nothing."""
CACHED = 1e-4
"""What the next step is told by this one has no unit: its rounding errors are what chances are after them."""
ABOUT = ("about", "about.target")
LOOSE = {"bank": (0, 1), "projection": (1,), "cost": (0, 1)}
"""Axes of constants that may change after the trace: the bank is as large as the data deserve, a decision may be
between other actions or for more groups."""


class Deployed(nn.Module):
    """What the file computes: raw tensors, state and constants in, every named output out."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.tasks = [registry.task(target.task) for target in network.targets]
        self.deploy = nn.ModuleList(
            task.deploy(target.settings) for task, target in zip(self.tasks, network.targets, strict=True)
        )
        self.unfamiliar = Unfamiliar()
        self.attribution = Attribution(network, self.tasks, part_counts(network))

    def forward(self, given: dict[str, Tensor]) -> dict[str, Tensor]:
        """All inputs by the file's names; raw tensors are those that are none of state, constants and `about`."""
        network = self.network
        state, constants = of_input(given, "state"), of_input(given, "constants")
        about = {name: value for name, value in given.items() if name in ABOUT}
        raw = {name: value for name, value in given.items() if name not in ABOUT}
        prepared, present, groups = network.ready(raw), network.present(raw), of_input(raw, "groups")
        outputs, vector, following = network.think(prepared, present, state)
        said: dict[str, Tensor] = {}
        doubts, codes = [], []
        for task, deploy, target, given in zip(self.tasks, self.deploy, network.targets, outputs, strict=True):
            named = deploy(grouped(task.merge(given), target, groups), of_input(constants, target.name))
            doubts.append(named.get("doubt", 1 - named["confidence"]))
            codes.append(named["value"] if is_code(named.get("value")) else named.get("decision"))
            said |= {f"{target.name}.{name}": value for name, value in named.items()}
        said["vector"] = vector
        said["unfamiliar"] = self.unfamiliar(vector, torch.stack(doubts).amax(0), of_input(constants, "unfamiliar"))
        asked, which = about["about"], about.get("about.target")
        said_codes = [one if is_code(one) else torch.full_like(asked, -1) for one in codes]
        resolved = [
            torch.where((asked < 0) | ((place != which) if which is not None else False), own, asked)
            for place, own in enumerate(said_codes)
        ]
        reasons = self.attribution(prepared, present, state, resolved, which)
        said |= {f"reasons.{given.name}": value for given, value in zip(network.inputs, reasons, strict=True)}
        return said | {f"next.{name}": value for name, value in following.items()}


def freeze(network: Network, examples: Examples | None = None, rows: Rows | None = None) -> Network:
    """Ready to export: evaluation mode, no gradients, what can be worked out once worked out. `rows` of the examples
    are those learnt from."""
    network.eval().requires_grad_(False)
    pairs.remember(network, examples, rows)
    for module in network.modules():
        if callable(settle := getattr(module, "freeze", None)):
            settle()
    return network


def tolerances(network: Network) -> dict[str, float]:
    """By output, where it is not `tolerance`."""
    cached = {f"next.{name}": CACHED for name in network.start(1)}
    return PERCENTILE | cached | {f"reasons.{name}": TRACED for name in network.traced}


def tolerance(network: Network) -> float:
    """Of every other output: an encoder may state a `tolerance` above `TOLERANCE`."""
    return max([TOLERANCE, *(getattr(encoder, "tolerance", 0.0) for encoder in network.encoders)])


def specs_of(network: Network) -> dict[str, dict[str, Spec]]:
    """The raw tensors of each input, strings as the file sees them."""
    return {given.name: dict(registry.modality(given.modality).inputs(given.settings)) for given in network.inputs}


@dataclass(frozen=True)
class Trial:
    """Made-up inputs to run file and network on; nothing of the owner's examples is among them."""

    raw: Mapping[str, Raw]
    present: Mapping[str, NDArray[np.bool_]]
    rows: int


def trial(network: Network, rows: int, seed: int, longest: int | None = None, absent: bool = False) -> Trial:
    """`rows` examples that agree in size (fewer where those sampled do not): every sequence `longest` long, or of any
    length; `absent`: every other example lacks the inputs that may be absent."""
    made: dict[str, Raw] = {}
    chosen = np.arange(rows)
    for given in network.inputs:
        modality = registry.modality(given.modality)
        specs = modality.inputs(given.settings)
        raw = modality.sample(given.settings, rows, seed)
        if longest is not None:
            raw = {
                name: [np.resize(one, (longest, *one.shape[1:])) for one in raw[name]]
                if "T" in spec.axes
                else raw[name]
                for name, spec in specs.items()
            }
        made[given.name] = raw
        chosen = max(ragged.by_size(raw, specs, chosen), key=len)
    here = np.ones(len(chosen), bool)
    if absent:
        here[1::2] = False
    raw_of = {name: ragged.take_each(held, chosen) for name, held in made.items()}
    return Trial(raw_of, {given.name: here for given in network.inputs if given.optional}, len(chosen))


def _tensors(network: Network, made: Trial) -> dict[str, Tensor]:
    specs = specs_of(network)
    coded = {name: Examples.coded(raw, specs[name]) for name, raw in made.raw.items()}
    examples = Examples(
        raw={name: one for name, (one, _) in coded.items()},
        specs={name: two for name, (_, two) in coded.items()},
        present=made.present,
        targets={},
        rows=made.rows,
    )
    return examples.inputs(np.arange(made.rows))


def to_onnx(network: Network, constants: Arrays) -> onnx.ModelProto:
    """Trace once and shape the graph: names, words, constants, switch, nothing private. Axes stay dynamic."""
    deployed = Deployed(network).eval()
    given = _given(network, _traced(constants), trial(network, 3, seed=1, longest=5), grown=3)
    with torch.no_grad():
        outputs = list(deployed(given))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            deployed,
            kwargs={"given": given},
            dynamo=True,
            dynamic_shapes={"given": {name: _axes(network, name, value) for name, value in given.items()}},
            input_names=list(given),
            output_names=outputs,
            opset_version=graph.OPSET,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    found = [one.name for one in model.graph.input]
    if found != list(given):
        raise LearntError(f"The exporter renamed the inputs: {found} instead of {list(given)}.")
    graph.name_constants(model, {f"constants.{name}": np.asarray(value) for name, value in constants.items()})
    for owner, specs in specs_of(network).items():
        for name, spec in specs.items():
            if spec.dtype == "string":
                graph.look_up_words(model, f"{owner}.{name}", spec.words)
    for column, groups in groups_of(network.targets).items():
        graph.look_up_groups(model, f"groups.{column}", groups)
    graph.gate(model, [f"reasons.{one.name}" for one in network.inputs], "explain")
    graph.clean(model)
    graph.check(model)
    return model


def _given(network: Network, constants: Arrays, made: Trial, grown: int = 0) -> dict[str, Tensor]:
    """All inputs of `Deployed`; axes of the state that grow have `grown` already."""
    tensors = _tensors(network, made)
    batch = made.rows
    state = {
        f"state.{name}": value.new_zeros([size or grown for size in value.shape])
        for name, value in network.start(batch).items()
    }
    held = {f"constants.{name}": torch.from_numpy(np.asarray(value)) for name, value in constants.items()}
    groups = {
        f"groups.{column}": torch.arange(batch) % (len(names) + 1)
        for column, names in groups_of(network.targets).items()
    }
    about = {"about": torch.full((batch,), -1)}
    if len(network.targets) > 1:
        about["about.target"] = torch.zeros((), dtype=torch.int64)
    return tensors | groups | state | held | about


def _traced(constants: Arrays) -> dict[str, NDArray[Any]]:
    """Constants to trace with: an axis of size 1 would be taken for one that never changes."""
    return {
        name: np.zeros([3, value.shape[1] + 2, value.shape[2]], value.dtype) if name.endswith(".cost") else value
        for name, value in constants.items()
    }


def _axes(network: Network, name: str, value: Tensor) -> dict[int, Any]:
    """Which axes may differ from call to call."""
    dynamic = torch.export.Dim.DYNAMIC
    axes: dict[int, Any] = {0: dynamic}
    specs = {f"{given}.{tensor}": spec for given, held in specs_of(network).items() for tensor, spec in held.items()}
    if name in specs:  # first: an input may be called "state", too
        return axes | {place + 1: dynamic for place, axis in enumerate(specs[name].axes) if isinstance(axis, str)}
    own = {f"{given.name}.{tensor}" for given in network.inputs for tensor in ("length", "present")}
    if name.startswith("constants.") and name not in own:
        return dict.fromkeys(LOOSE.get(name.rsplit(".", 1)[1], ()), dynamic)
    if not value.dim():
        return {}
    start = network.start(1)
    if (state := name.removeprefix("state.")) != name and state in start:
        return axes | {place: dynamic for place, size in enumerate(start[state].shape) if place and size == 0}
    return axes


def expected(network: Network, constants: Arrays, made: Trial) -> dict[str, NDArray[Any]]:
    """What torch says of made-up inputs, under the names of the file."""
    with torch.no_grad():
        outputs = Deployed(network).eval()(_given(network, constants, made))
    return {name: value.numpy() for name, value in outputs.items()}


def feed(network: Network, made: Trial, explain: bool) -> dict[str, NDArray[Any]]:
    """The same inputs as a session takes them: strings as strings, the switch, an empty state."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, specs in specs_of(network).items():
        batch = ragged.collate(made.raw[name], specs, np.arange(made.rows))
        arrays |= {f"{name}.{tensor}": value for tensor, value in batch.items()}
    arrays |= {f"{name}.present": here for name, here in made.present.items()}
    arrays |= {f"state.{name}": value.numpy() for name, value in network.start(made.rows).items()}
    for column, names in groups_of(network.targets).items():
        arrays[f"groups.{column}"] = np.array(["", *names], object)[np.arange(made.rows) % (len(names) + 1)]
    arrays |= {"explain": np.array(explain), "about": np.full(made.rows, -1, np.int64)}
    if len(network.targets) > 1:
        arrays["about.target"] = np.array(0, np.int64)
    return arrays


def disagreement(torch_says: Arrays, file_says: Arrays) -> dict[str, float]:
    """Largest difference of each output: 1 for every set or code that differs, else absolute up to 1 and relative
    beyond. What has a unit of its own (float64) is relative to the largest of its values, however small they are."""
    found: dict[str, float] = {}
    for name, value in torch_says.items():
        other = file_says[name]
        if value.shape != other.shape:
            found[name] = float("inf")
        elif value.dtype.kind in "biu":
            found[name] = float((value != other).any())
        else:
            own = value.dtype == np.float64
            size = np.abs(value).max(initial=1e-300) if own else np.maximum(1.0, np.abs(value))
            apart = np.abs(value.astype(np.float64) - other) / size
            found[name] = float(apart.max(initial=0.0))
    return found


def parity(network: Network, constants: Arrays, content: bytes, seed: int = 2) -> dict[str, float]:
    """The largest disagreement of network and file over several batch sizes and lengths.

    Raises LearntError when an output is off by more than `tolerance` (`tolerances`): such a file must not be written.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    worst: dict[str, float] = {}
    for rows, longest, absent in ((1, 7, False), (9, None, False), (17, 3, True)):
        made = trial(network, rows, seed + rows, longest, absent)
        said = dict(zip(names, session.run(names, feed(network, made, True)), strict=True))
        for name, apart in disagreement(expected(network, constants, made), said).items():
            worst[name] = max(apart, worst.get(name, 0.0))
    loose, most = tolerances(network), tolerance(network)
    off = {name: apart for name, apart in worst.items() if not apart <= loose.get(name, most)}
    if off:
        raise LearntError(
            "The exported file does not say what the trained network says, so it was not written: "
            + ", ".join(f"{name} is off by {apart:.2g}" for name, apart in sorted(off.items()))
            + f" (at most {most:.0e} is allowed). Please report this with the recipe."
        )
    return worst


def parts_of(network: Network) -> dict[str, int]:
    """P of each input by name."""
    return dict(zip((given.name for given in network.inputs), part_counts(network), strict=True))


def neutral(network: Network, bank_rows: int) -> dict[str, NDArray[Any]]:
    """All constants of the file with values that change nothing."""
    from learnt.stats import familiarity

    found: dict[str, NDArray[Any]] = {}
    for target in network.targets:
        constants = registry.task(target.task).constants(target.settings)
        found |= {f"{target.name}.{name}": value for name, value in constants.items()}
    with torch.no_grad():
        made = trial(network, 2, seed=1)
        _, vector, _ = network(_tensors(network, made), network.start(made.rows))
    blank: Sequence[tuple[str, NDArray[Any]]] = list(familiarity.neutral(vector.shape[1], bank_rows).items())
    return found | {f"unfamiliar.{name}": value for name, value in blank}
