"""Texts seen by a network of transformers with a tokenizer of its own: loaded as it is, trained on, in one file."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import learnt
from learnt import cli
from learnt.contracts import Shape
from learnt.errors import RequestError
from learnt.modalities.text import PARTS, Text
from learnt.train import export, pretrain
from learnt.train.learning import Asked, learn
from learnt.train.network import build

transformers = pytest.importorskip("transformers", reason='needs pip install "learnt[pretrained]"')
tokenizers = pytest.importorskip("tokenizers")

SIZES = {"width": 16, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 6, "rate": 1e-2, "decay": 1e-2}
SENTENCES = [
    "the dog bites the man", "the man bites the dog", "today it rains again", "perhaps slowly, here and there",
    "누가 누구를 물었나", "개가 사람을 물었다", "nothing is said of it", "who bites whom today?", "a man walks his dog",
    "it is here again",
]  # fmt: skip
FILLING = ["today", "here", "again", "perhaps", "slowly"]
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:::transformers\\..*"),
]


def texts(rows, seed):
    """Who bites whom: the same words, in another order."""
    random = np.random.default_rng(seed)
    said, labels = [], []
    for _ in range(rows):
        who = list(random.permutation(["dog", "man"]))
        said.append(" ".join([random.choice(FILLING), who[0], "bites", random.choice(FILLING), who[1]]))
        labels.append(who[0])
    return {"said": said, "who": labels}


def wordpiece():
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = tokenizers.trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False)
    made.train_from_iterator(SENTENCES, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=40, **names)


def bytelevel():
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "<pad>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(SENTENCES, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def configs():
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return {
        "BertModel": (transformers.BertConfig(**small, vocab_size=160, max_position_embeddings=64), wordpiece()),
        "RobertaModel": (
            transformers.RobertaConfig(**small, vocab_size=320, max_position_embeddings=66, pad_token_id=1), bytelevel()
        ),
        "DistilBertModel": (
            transformers.DistilBertConfig(dim=16, n_layers=2, n_heads=2, hidden_dim=32, vocab_size=160), wordpiece()
        ),
    }  # fmt: skip


@pytest.fixture(scope="module", name="place")
def _place(tmp_path_factory):
    root = tmp_path_factory.mktemp("hidden-place")
    for seed, (name, (config, tokenizer)) in enumerate(configs().items()):
        torch.manual_seed(seed)
        transformers.AutoModelForSequenceClassification.from_config(config).save_pretrained(root / name)
        tokenizer.save_pretrained(root / name)
    return root


def started(start, rows=40):
    asked = Asked({"said": ("text", ["said"])}, {"who": "classify"}, start=start)
    known = learn(texts(rows, 1), asked, np.arange(rows))
    return build(known.inputs, known.targets, SIZES, 0).eval(), known


@pytest.mark.parametrize("kind", list(configs()))
def test_the_network_reads_texts_as_transformers_does(place, kind):
    """A batch of texts of different lengths, Korean and unknown letters among them, and an empty one."""
    network, known = started(pretrain.opened(place / kind, {"text"}))
    asked = ["The man bites again, slowly", "개가 사람을 물었다 \u00e9\U0001f600", "", "dog"]
    settings = known.inputs[0].settings
    raw = Text().read({"said": asked}, settings)
    length = max(len(one) for one in raw["subwords"])
    padded = np.stack([np.pad(one, ((0, length - len(one)), (0, 0))) for one in raw["subwords"]])
    encoder = network.encoder(0)
    tokens, here = encoder.whole(torch.from_numpy(padded[:, :, 0]))
    own = transformers.AutoTokenizer.from_pretrained(place / kind)
    given = own(asked, padding=True, return_tensors="pt")
    for row in range(len(asked)):
        assert tokens[row][here[row]].tolist() == given["input_ids"][row][given["attention_mask"][row] > 0].tolist()
    model = transformers.AutoModel.from_pretrained(place / kind).eval()
    with torch.no_grad():
        said = model(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).last_hidden_state
        mask = given["attention_mask"][:, :, None]
        x = {"subwords": torch.from_numpy(padded[:, :, 0]), "grams": torch.zeros(4, 1, dtype=torch.int64)}
        x |= {"weight": torch.zeros(4, 1), "words": torch.zeros(4, 1, dtype=torch.bool)}
        vector = encoder(x, {})[0][Shape.VECTOR][:, 16:]
    torch.testing.assert_close(vector, (said * mask).sum(1) / mask.sum(1), atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_the_exported_network_says_what_torch_says(place):
    """One that counts places by itself; another is exported below."""
    network, _ = started(pretrain.opened(place / "RobertaModel", {"text"}))
    frozen = export.freeze(network)
    constants = export.neutral(frozen, 3)
    model = export.to_onnx(frozen, constants)
    worst = export.parity(frozen, constants, model.SerializeToString())
    assert max(worst.values()) <= 1e-4


@pytest.fixture(scope="module", name="run")
def _run(place, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    learnt.train(
        texts(240, 2), target="who", inputs=["said:text"], out=folder / "run", ask="attribution,robustness",
        recipe={"sizes": {**SIZES, "slower": 0.5}}, pretrained=place / "BertModel",
    )  # fmt: skip
    return folder / "run"


def test_a_file_that_starts_from_it_predicts_explains_and_is_verified(run, capsys):
    model = learnt.load(run)
    assert model.manifest["recipe"]["pretrained"]["class"] == "BertModel"
    asked = texts(60, 3)
    found = model.predict(asked["said"])
    assert np.mean([one.value == who for one, who in zip(found, asked["who"], strict=True)]) > 0.9
    text = "today dog bites again man"
    named = {piece.name: piece.where for _, piece, _ in model.explain(text).reasons}
    assert set(named) == set(text.split())
    assert all(text[int(start) : int(end)] == name for name, (start, end) in named.items())
    for name in ("model.onnx", "recipe.yaml", "report.json"):
        assert b"hidden-place" not in (run / name).read_bytes()
    assert cli.main(["verify", str(run)]) == 0
    assert "step tokenizer" in capsys.readouterr().out


def test_any_text_has_an_answer(run):
    odd = ["", " ", "\x00", "\ud800", "x" * 100_000, "dog " * 50_000, "[SEP] [CLS]", "\U0001f600"]
    assert all(one.value in ("dog", "man") for one in learnt.load(run).predict(odd))


def test_the_file_needs_tokenizers_and_says_so_but_neither_torch_nor_transformers(run):
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'onnx', 'sklearn', *sys.argv[1:]): sys.modules[name] = None\n"
        "import learnt\n"
        "from learnt.errors import MissingExtra\n"
        f"model = learnt.load({str(run)!r})\n"
        "try: print(model.predict('today dog bites again man').value)\n"
        "except MissingExtra as error: print(error)\n"
    )

    def said(*gone):
        return subprocess.run([sys.executable, "-c", code, *gone], capture_output=True, text=True, check=True).stdout

    assert said().strip() == "dog"
    assert 'pip install "learnt[text]"' in said("tokenizers")


def test_what_is_hidden_inside_is_hidden_outside(place):
    network, known = started(pretrain.opened(place / "BertModel", {"text"}))
    settings = known.inputs[0].settings
    raw = Text().read({"said": ["today dog bites again man", "man"]}, settings)
    mask = np.zeros((2, PARTS), bool)
    mask[0, [1, 4]] = True
    hidden = Text().hide(raw, mask, settings)
    assert (hidden["subwords"][0][:, 0] == 0).sum() >= 2
    assert (hidden["subwords"][1] == raw["subwords"][1]).all()

    def batch(one):
        found = {}
        for name, values in one.items():
            most = max(len(value) for value in values)
            found[name] = torch.from_numpy(np.stack([np.pad(v, ((0, most - len(v)), (0, 0))) for v in values]))
        return found | {"length": torch.tensor([len(value) for value in one["tokens"]])}

    prepare, encoder = network.prepare[0], network.encoder(0)
    inside = network.occlude[0](prepare(batch(raw)), torch.from_numpy(~mask))
    with torch.no_grad():
        one, other = (encoder(x, {})[0][Shape.VECTOR] for x in (inside, prepare(batch(hidden))))
    torch.testing.assert_close(one, other)
    with torch.no_grad():
        assert not torch.allclose(one, encoder(prepare(batch(raw)), {})[0][Shape.VECTOR])


def test_marks_of_the_tokenizer_in_a_text_are_text(place):
    _, known = started(pretrain.opened(place / "BertModel", {"text"}))
    (tokens,) = Text().read({"said": ["[SEP] dog"]}, known.inputs[0].settings)["subwords"]
    assert 3 + 1 not in tokens[:, 0]


def test_spans_are_refused(place):
    start = pretrain.opened(place / "BertModel", {"text"})
    said = ["the dog bites", "the man bites"] * 20
    spans = [[{"start": 4, "end": 7, "label": text[4:7]}] for text in said]
    asked = Asked({"said": ("text", ["said"])}, {"who": "tag"}, start=start)
    known = learn({"said": said, "who": [json.dumps(one) for one in spans]}, asked, np.arange(40))
    with pytest.raises(RequestError, match="tag needs sequence"):
        build(known.inputs, known.targets, SIZES, 0)


def test_a_network_of_texts_is_not_for_pictures(place, tmp_path):
    with pytest.raises(RequestError, match="learns from text or prompt, and the inputs here are image"):
        pretrain.opened(place / "BertModel", {"image"})
    (tmp_path / "config.json").write_bytes((place / "BertModel/config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((place / "BertModel/model.safetensors").read_bytes())
    with pytest.raises(RequestError, match=r"no tokenizer\.json"):
        pretrain.opened(tmp_path, {"text"})
    assert "hidden-place" not in json.dumps(pretrain.opened(place / "BertModel", {"text"}).foreign)
