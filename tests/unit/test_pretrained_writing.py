"""Texts written by a causal network of transformers: its own chances, from its own cache, in the same one graph."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import learnt
from learnt.codecs import borrowed, subwords
from learnt.codecs.tokens import coder
from learnt.errors import RequestError
from learnt.train import pretrain
from learnt.train.learning import Asked, learn
from learnt.train.network import build

transformers = pytest.importorskip("transformers", reason='needs pip install "learnt[pretrained]"')
tokenizers = pytest.importorskip("tokenizers")

SIZES = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 1, "rate": 1e-3, "decay": 1e-2}
SENTENCES = [
    "red cat",
    "blue dog",
    "red dog",
    "a blue cat sees a red dog",
    "빨간 고양이",
    "파란 개가 빨간 고양이를 본다",
]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:::transformers\\..*"),
]


def tokenizer():
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(SENTENCES, trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|endoftext|>")


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory):
    root = tmp_path_factory.mktemp("hidden-place")
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        n_embd=32, n_layer=2, n_head=2, vocab_size=330, n_positions=600, eos_token_id=0, bos_token_id=0
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(root / "gpt2")
    tokenizer().save_pretrained(root / "gpt2")
    return root


@pytest.fixture(scope="module", name="started")
def _started(place):
    table = {"given": ["red cat", "blue dog"] * 20, "answer": ["빨간 고양이", "파란 개"] * 20}
    start = pretrain.opened(place / "gpt2", {"prompt"})
    known = learn(table, Asked({"given": ("prompt", ["given"])}, {"answer": "generate"}, start=start), np.arange(40))
    return build(known.inputs, known.targets, SIZES, 0).eval(), known


def test_the_tokens_are_those_of_the_tokenizer_under_other_numbers(place):
    document = json.loads((place / "gpt2/tokenizer.json").read_text(encoding="utf-8"))
    merges, numbers = borrowed.merges(document)
    own, known = tokenizer(), coder(merges)
    assert len(numbers) == len(known.texts) - 1
    for text in [*SENTENCES, "blue cats", "\U0001f600 é", "본다 red"]:
        said = [numbers[token - 1] for piece in subwords.pieces(text) for token in known.encode(piece)]
        assert said == own(text)["input_ids"]


def test_it_says_what_the_causal_network_of_transformers_says(place, started):
    network, known = started
    assert network.notes == []
    own = transformers.GPT2LMHeadModel.from_pretrained(place / "gpt2").eval()
    numbers = borrowed.merges(json.loads((place / "gpt2/tokenizer.json").read_text(encoding="utf-8")))[1]
    (tokens,) = known.raw["given.tokens"][:1]
    mark = coder(known.inputs[0].settings["merges"]).mark
    assert tokens[-1] == mark
    theirs = torch.tensor([[0 if token == mark else numbers[token - 1] for token in tokens]])
    raw = {"given.tokens": torch.from_numpy(tokens)[None], "given.length": torch.tensor([len(tokens)])}
    raw["given.present"] = torch.ones(1, dtype=torch.bool)
    with torch.no_grad():
        (outputs,), _, _ = network(raw, network.start(1))
        logits = own(input_ids=theirs).logits[0, -1]
    order = torch.tensor([*numbers, 0])
    torch.testing.assert_close(outputs["last"][0, 0, 1:], logits[order], atol=1e-4, rtol=1e-4)


@pytest.fixture(scope="module", name="run")
def _run(place, tmp_path_factory):
    random = np.random.default_rng(0)
    words = {"red": "빨간", "blue": "파란", "cat": "고양이", "dog": "개"}
    given = [f"{random.choice(['red', 'blue'])} {random.choice(['cat', 'dog'])}" for _ in range(120)]
    table = {"given": given, "answer": [" ".join(words[word] for word in text.split()) for text in given]}
    folder = tmp_path_factory.mktemp("run")
    learnt.train(
        table, target="answer", task="generate", out=folder / "run", ask="calibration", pretrained=place / "gpt2",
        recipe={"sizes": {**SIZES, "epochs": 60, "rate": 1e-2, "slower": 0.5}},
    )  # fmt: skip
    return folder / "run"


def test_a_file_that_starts_from_it_writes(run):
    model = learnt.load(run)
    assert model.manifest["recipe"]["pretrained"]["class"] == "GPT2Model"
    assert model.predict("red cat").value == "빨간 고양이"
    assert b"hidden-place" not in (run / "model.onnx").read_bytes()


def test_one_graph_says_the_same_step_by_step(run):
    model = learnt.load(run)
    known = coder(model.manifest["inputs"]["given"]["settings"]["merges"])
    tokens = [*known.encode_text("red cat"), known.mark, *known.encode_text("빨간")]
    names = [output.name for output in model.session.get_outputs()]

    def called(codes, state):
        feed = {"given.tokens": np.array([codes], np.int64), "given.length": np.array([len(codes)])}
        said = dict(zip(names, model.call({**feed, **state}), strict=True))
        return said["answer.chances"], {f"state.{name[5:]}": said[name] for name in names if name.startswith("next.")}

    state = {}
    for place, token in enumerate(tokens):
        stepped, state = called([token], state)
        np.testing.assert_allclose(stepped, called(tokens[: place + 1], {})[0], atol=1e-4)


def test_what_cannot_write_is_refused(place, tmp_path):
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    transformers.BertModel(transformers.BertConfig(**small, vocab_size=330)).save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    with pytest.raises(RequestError, match="cannot write texts"):
        pretrain.opened(tmp_path, {"prompt"})
    other = json.loads((place / "gpt2/tokenizer.json").read_text(encoding="utf-8"))
    with pytest.raises(ValueError, match="not over bytes"):
        borrowed.merges({**other, "pre_tokenizer": {"type": "Whitespace"}})
