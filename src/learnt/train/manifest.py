"""What the file says of itself, in its metadata: inputs, targets, figures, limits, versions, synthetic goldens."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import onnx
from numpy.typing import NDArray

from learnt import registry
from learnt.artifact.verify import nested
from learnt.codecs import subwords
from learnt.contracts import Defines
from learnt.stats import familiarity
from learnt.train.export import feed, parts_of, specs_of, trial
from learnt.train.network import Network, Target, groups_of

FORMAT = 1
STEPS = [
    {
        "name": "numbers",
        "definition": "A cell of a number column as float64: decimal text with optional sign and exponent, inf "
        "allowed; missing (empty, NA, N/A, null, nan, ?) is nan, and so is any other text.",
        "vectors": [["12.5", 12.5], [" -3e2", -300.0], ["", None], ["NA", None], ["1,234", None], [7, 7.0]],
    },
    {
        "name": "texts",
        "definition": "A cell of a category column as text: Unicode NFC, blanks at both ends taken off, whole numbers "
        "(digits, a point and zeros too) without a decimal point, missing is the empty text.",
        "vectors": [[" Seoul ", "Seoul"], ["e\u0301", "\u00e9"], [3.0, "3"], ["3.0", "3"], [None, ""]],
    },
    {
        "name": "days",
        "definition": "An ISO 8601 date or date and time as float64 days since 1970-01-01 UTC; missing is nan.",
        "vectors": [["1970-01-02", 1.0], ["2000-02-29T12:00:00", 11016.5], ["", None]],
    },
]

OF_PICTURES = {
    "name": "pixels",
    "definition": "The bytes of a picture as uint8 or uint16 [height, width, channels]: the first frame, turned as "
    "EXIF says; one channel where it is grey, of 16 bits where it has 16; else red, green, blue of 8 bits, also of "
    "palettes and CMYK; transparent parts laid over white. Bytes are written in base64 here.",
    "vectors": [
        [
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BgYHhPycHOwAaJgMWXFb72AAAAABJRU5Erk"
            "Jggg==",
            [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 8, 7]]],
        ],
        [
            "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABEAAAAABuG5crAAAAD0lEQVR4nGNgYGBk+v8fAAMOAgLp1oruAAAAAElFTkSuQmCC",
            [[[0], [258], [65535]]],
        ],
        [
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAYAAAD0In+KAAAAEUlEQVR4nGM8kcLAwMDA8B8ACg0CLdTpGKEAAAAASUVORK5CYII=",
            [[[255, 255, 255], [200, 100, 0]]],
        ],
        [
            "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABAgMAAACJTJcZAAAADFBMVEX6ChQeyCgAAAAAAABmqvpvAAAACklEQVR4nGMQAAAAEgARpVbHTg"
            "AAAABJRU5ErkJggg==",
            [[[250, 10, 20], [30, 200, 40]]],
        ],
        [
            "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAAAAAA+i0toAAAAGmVYSWZNTQAqAAAACAABARIAAwAAAAEABgAAAAAAANZnS2kAAAAMSURBVHic"
            "Y+Ti4gIAAEQAILICLP8AAAAASUVORK5CYII=",
            [[[10]], [[20]], [[30]]],
        ],
        ["UDUgMiAxIDI1NQoD/g==", [[[3], [254]]]],
    ],
}
OF_TEXTS: list[dict[str, Any]] = [
    {
        "name": "pieces",
        "definition": "A text in NFC, its first 4,000 characters, then what follows: in one window up to 60,000 of "
        "them, else in 15 of 4,000, that begin at 4,000 + place * (rest - 4,000) / 14, rounded down. Each as the "
        "matches of this regular expression from left to right: words with the blank before them, runs of marks, "
        "runs of blanks. " + subwords.PIECE.pattern,
        "vectors": [
            ["Turn it  on, \ubd88\uc744!", ["Turn", " it", "  ", "on", ",", " \ubd88\uc744", "!"]],
            ["e\u0301\u3042\u6f22", ["\u00e9", "\u3042", "\u6f22"]],
        ],
    },
    {
        "name": "subwords",
        "definition": "A piece as tokens. At first each byte of its UTF-8 is the token of its value and one. As long "
        "as two neighbours are in `merges` the pair that is first there, its leftmost place first, "
        "becomes one token; a merge makes the next token from 257, or the one that stands for the same "
        "bytes already. Here [merges, piece].",
        "vectors": [[[[[33, 112], [257, 111]], " on on"], [258, 258]], [[[[112, 111]], "\u00e9on"], [196, 170, 257]]],
    },
    {
        "name": "ngrams",
        "definition": "A word in lower case (a piece without blanks), `<` before and `>` behind it, and every run of "
        "2 to 5 of these characters, and where Unicode NFD makes another text of them every run of 3 to 6 of its "
        "characters, once each, in any order, as numbers: kind * 2^30 + CRC-32 of the "
        "UTF-8 / 4, rounded down; kind 1 is the word, 0 a run, and 2 two words with a blank between, as "
        "they are, nothing before the first and behind the last. An n-gram is its place in `grams` from "
        "1; one more than these is any other run, two more any other of kind 1 or 2. Beside tokens (of the first "
        "4,000 characters alone) and n-grams stand the words they are of, counted from 0; of more than 32 words "
        "word * 32 / words, rounded down. Where more follows it is word 31, and 31 stands for 32 here; its n-grams, "
        "of all windows one after another, have one row each. Last is how many times each is there, else 1.",
        "vectors": [
            ["On", [2022396902, 1003079154, 647495604, 948655078, 519148127, 40733298, 565527459]],
            [
                "\ubd88",
                [
                    1410955898,
                    825837110,
                    725391545,
                    757729673,
                    469543258,
                    337214074,
                    921673506,
                    129321369,
                    915737256,
                    888448283,
                ],
            ],
        ],
    },
]
OF_TOKENIZERS: dict[str, Any] = {
    "name": "tokenizer",
    "definition": "A text in NFC, its first 4,000 characters, as tokens by the package `tokenizers` from the "
    "`tokenizer` in the settings of the input, without what it puts before and behind, marks of its own being text "
    "like any other: of each the number, its first character and the one behind the last. Here [tokenizer, text]. In "
    "`subwords` of the input stand the first `most` of them, each plus one, with the part of its last character.",
    "vectors": [
        [
            [
                '{"version":"1.0","added_tokens":[],"normalizer":{"type":"Lowercase"},"pre_tokenizer":{"type":'
                '"Whitespace"},"post_processor":null,"decoder":null,"model":{"type":"WordPiece","unk_token":"?","continuing_subword_'
                'prefix":"##","max_input_chars_per_word":99,"vocab":{"?":0,"on":1,"t":2,"##urn":3}}}',
                "Turn it on",
            ],
            [[2, 0, 1], [3, 1, 4], [0, 5, 7], [1, 8, 10]],
        ]
    ],
}
OF_PROMPTS: list[dict[str, Any]] = [
    {
        "name": "tokens",
        "definition": "A text in NFC as `pieces`, whole and not cut at 4,000 characters, each as `subwords`; of these "
        "tokens the last 256. The mark is the token after all others: 257 and as many as merges make new ones. It "
        "stands behind the text, or before it where `free` is true. Saying it ends what is said. Here "
        "[merges, free, text].",
        "vectors": [
            [[[[33, 112], [257, 111]], False, "on on"], [112, 111, 258, 259]],
            [[[], True, "on"], [257, 112, 111]],
        ],
    },
    *OF_TEXTS[:2],
]
OF_SOUNDS: list[dict[str, Any]] = [
    {
        "name": "samples",
        "definition": "The bytes of a recording as float32 from -1 to 1: whole numbers over the largest that their "
        "bits have and one, the mean of all channels, the first 30 seconds, or 600 of "
        "sounds that are written down. Bytes are written in base64 here.",
        "vectors": [
            [
                "UklGRjQAAABXQVZFZm10IBAAAAABAAIAQB8AAAB9AAAEABAAZGF0YRAAAAAAQAAAAIAAgAAgACAAAAAQ",
                [0.25, -1.0, 0.25, 0.0625],
            ],
            ["UklGRicAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQMAAACAAMA=", [0.0, -1.0, 0.5]],
        ],
    },
    {
        "name": "resampling",
        "definition": "Samples at one rate brought to another, to the stored one where they have it not, by a low-pass "
        "filter of linear phase that keeps what lies below 91 % of half the lower rate, as soxr does in its high "
        "quality. Here [samples, rate, rate wanted], and two decimals.",
        "vectors": [
            [
                [[0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0, -0.5], 8000, 16000],
                [0.0, 0.17, 0.5, 0.85, 1.0, 0.84, 0.5, 0.19, 0.0, -0.19, -0.5, -0.84, -1.0, -0.85, -0.5, -0.17],
            ]
        ],
    },
]
OF_INPUTS: dict[str, list[dict[str, Any]]] = {
    "audio": OF_SOUNDS,
    "image": [OF_PICTURES],
    "text": OF_TEXTS,
    "prompt": OF_PROMPTS,
}
"""The steps of a modality that only files with such an input need."""
KEPT = {
    "audio": "Of sounds: the rate to which they are brought, how long most are at most, mean and spread of each band.",
    "prompt": "Of texts that are gone on from, and of what was said there: readable pieces of words that came at least "
    "twice; and the weights may know passages by heart that came often.",
    "image": "Of pictures: the side to which they are brought, their depth, mean and spread of each colour.",
    "table": "Of number and date columns: quantiles of the fit split, its least and greatest value, values met at "
    "least 5 times with their counts, and means. Of category columns: the words met at least 5 times there, with "
    "counts.",
    "text": "Of texts: readable pieces of words that came at least twice, and numbers of the words, pairs of words and "
    "runs of characters that at least two texts have.",
}
"""What the settings of a modality hold."""

OF_COVERAGE = "The stated coverage is an average over all examples, not a promise for each group or each label."
OF_TARGETS = {
    "generate": "Of texts that are written: how long they are.",
    "classify": "Of labels: how frequent each is.",
    "regress": "Of a number to predict: mean, spread, median, typical distance from it, least and greatest.",
    "reply": "Of replies: word for word those that at least 5 rows say but for case, marks and blanks, and how "
    "frequent each is; the vectors of at most 300 others.",
    "transcribe": "Of what is said in sounds: its letters, and pieces of words that came at least twice where these "
    "were asked for; or, where nearly all that is said are a few words, these.",
    "survival": "Of a time to an event: quantiles of the times of events, the longest time, how frequent events are.",
}
"""What the settings of a task hold of its target."""


def versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Of everything that decides the bytes of a file, and of `more` packages; also machine kind and thread count."""
    import torch

    import learnt

    names = ("torch", "numpy", "onnx", "onnxscript", "onnxruntime", *more)
    found = {"learnt": learnt.__version__}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found | {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": str(torch.get_num_threads()),
    }


def describe(
    network: Network,
    *,
    coverage: float | None,
    calibrated_on: int,
    data: Mapping[str, Any],
    recipe: Mapping[str, Any],
    ids: list[str],
) -> dict[str, Any]:
    """The manifest before anything is measured and before the goldens."""
    parts = parts_of(network)
    specs = specs_of(network)
    state = network.start(1)
    labels = [label for target in network.targets for label in target.settings.get("labels", ())]
    kinds = dict.fromkeys(given.modality for given in network.inputs)
    more = ["transformers"] if any("pretrained" in given.settings for given in network.inputs) else []
    return {
        "format": FORMAT,
        "inputs": {
            given.name: {
                "modality": given.modality,
                "columns": list(given.columns),
                "settings": given.settings,
                "tensors": {
                    name: {"dtype": spec.dtype, "axes": list(spec.axes)} for name, spec in specs[given.name].items()
                },
                "optional": given.optional,
                "parts": parts[given.name],
            }
            for given in network.inputs
        },
        "targets": {
            target.name: {
                "task": target.task,
                "settings": target.settings,
                "causal": registry.task(target.task).causal,
                **_right(target),
            }
            for target in network.targets
        },
        "groups": groups_of(network.targets),
        "state": {
            name: {
                "dtype": str(value.numpy().dtype),
                "axes": ["B" if axis == 0 else (size or f"P{axis}") for axis, size in enumerate(value.shape)][1:],
            }
            for name, value in state.items()
        },
        "ids": ids,
        "coverage": coverage,
        "calibrated_on": calibrated_on,
        "nearest": familiarity.NEAREST,
        "measured": {},
        "data": dict(data),
        "recipe": dict(recipe),
        "versions": versions(more),
        "licence": "Yours: the file holds what was learnt from your data. The code that made it is Apache-2.0."
        + _started(recipe.get("pretrained")),
        "use": "Predicts "
        + ", ".join(target.name for target in network.targets)
        + f" from {', '.join(given.name for given in network.inputs)}"
        + (f" as one of: {', '.join(map(str, labels[:20]))}" if labels else "")
        + ". Made for data like those it was trained on.",
        "limits": [
            "Figures hold for data drawn as the test data were; another place, time or device needs a new measurement.",
            *([OF_COVERAGE] if any({"labels", "near"} & set(target.settings) for target in network.targets) else []),
            "Reasons say what moved this network's answer, not what causes what in the world.",
        ],
        "inside": inside(network.targets, kinds),
        "steps": [
            *STEPS,
            *(step for kind in kinds for step in OF_INPUTS.get(kind, ())),
            *([OF_TOKENIZERS] if any("tokenizer" in given.settings for given in network.inputs) else []),
        ],
        "goldens": {},
    }


def _right(target: Target) -> dict[str, str]:
    task = registry.task(target.task)
    return {"right": task.right(target.settings)} if isinstance(task, Defines) else {}


def _started(about: Mapping[str, str] | None) -> str:
    """Whose weights these were, for they may have a licence of their own."""
    if not about:
        return ""
    return (
        f" It started from weights of the class {about['class']} (sha256 {about['sha256']}); their licence holds too."
    )


def inside(targets: Sequence[Target], kinds: Iterable[str] = ()) -> str:
    """What of the training data the file holds; `kinds` are the modalities of its inputs."""
    tasks = dict.fromkeys(target.task for target in targets)
    said = [
        "Weights.",
        *(KEPT[kind] for kind in kinds if kind in KEPT),
        *(OF_TARGETS[task] for task in tasks if task in OF_TARGETS),
        "Of columns that a decision is by: the groups met at least 5 times." if groups_of(targets) else "",
        "The names of columns, also of those named as id or sensitive, and of labels. Projected vectors of at most "
        "2,000 examples. No row.",
    ]
    return " ".join(sentence for sentence in said if sentence)


def golden_inputs(network: Network) -> dict[str, NDArray[Any]]:
    """Made-up examples, four where they agree in size, as a session takes them, reasons asked for."""
    return feed(network, trial(network, 4, seed=4), explain=True)


def goldens(
    inputs: Mapping[str, NDArray[Any]],
    outputs: Mapping[str, NDArray[Any]],
    tolerance: float,
    tolerances: Mapping[str, float],
) -> dict[str, Any]:
    """As JSON; nan is null. `tolerances` of outputs that have one of their own."""
    return {
        "inputs": {name: nested(value) for name, value in inputs.items()},
        "outputs": {name: nested(value) for name, value in outputs.items()},
        "tolerance": tolerance,
        "tolerances": dict(tolerances),
    }


def write(model: onnx.ModelProto, manifest: Mapping[str, Any]) -> None:
    """Put the manifest into the metadata of the model, in place of the one before."""
    del model.metadata_props[:]
    text = json.dumps(manifest, ensure_ascii=False, allow_nan=False)
    onnx.helper.set_model_props(model, {"learnt": text})
