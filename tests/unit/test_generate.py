"""Texts that are written: trained, exported as one graph, unrolled, judged."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from learnt import load, registry, training
from learnt.codecs.tokens import coder
from learnt.contracts import Prediction
from learnt.errors import DataError, RequestError
from learnt.modalities import prompt
from learnt.nets.causal import CausalEncoder
from learnt.train.learning import Asked, learn
from learnt.train.network import build
from learnt.train.unrolling import unrolled

ENGLISH = ["red", "blue", "cat", "dog", "tree", "house", "river", "stone", "cloud", "bird"]
GERMAN = ["rot", "blau", "Katze", "Hund", "Baum", "Haus", "Fluss", "Stein", "Wolke", "Vogel"]
SIZES = {"width": 64, "depth": 0, "members": 1, "dropout": 0.0, "batch": 32, "epochs": 40, "rate": 4e-3, "decay": 0.01}
pytestmark = pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")


def pairs(rows, seed):
    draw = random.Random(seed)
    places = [[draw.randrange(10) for _ in range(draw.randint(2, 4))] for _ in range(rows)]
    return {
        "source": [" ".join(ENGLISH[place] for place in row) for row in places],
        "answer": [" ".join(GERMAN[place] for place in row) for row in places],
    }


@pytest.fixture(scope="module")
def translated(tmp_path_factory):
    """Word by word, from 600 pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prompt, "LAYERS", 2)
        patch.setattr(prompt, "DROPOUT", 0.0)
        run = training.train(
            pairs(600, 1), target="answer", task="generate", out=tmp_path_factory.mktemp("pairs"), budget="10m",
            recipe={"sizes": SIZES}, ask="calibration",
        )  # fmt: skip
    return SimpleNamespace(run=run, model=load(run.folder / "model.onnx"))


def test_made_up_pairs_are_learnt_and_answered_from_the_file(translated):
    new = pairs(60, 2)
    said = translated.model.predict({"source": new["source"]})
    assert np.mean([one.value == answer for one, answer in zip(said, new["answer"], strict=True)]) > 0.5
    assert all(0 <= one.confidence <= 1 and 0 <= one.unfamiliar <= 1 for one in said)
    assert translated.run.metrics["exact_match"]["value"] > 0.4


def test_one_graph_step_by_step_says_what_it_says_in_one_call(translated):
    """Teacher-forced: the chances after a text and each token of its answer, from the cache and from nothing."""
    model = translated.model
    (name,) = model.inputs
    known = coder(model.manifest["inputs"][name]["settings"]["merges"])
    asked, answer = [*known.encode_text("red cat"), known.mark], known.encode_text("rot Katze")
    names = [output.name for output in model.session.get_outputs()]

    def run(codes, state):
        feed = {f"{name}.tokens": np.array([codes], np.int64), f"{name}.length": np.array([len(codes)])}
        said = dict(zip(names, model.call({**feed, **state}), strict=True))
        return said["answer.chances"], {f"state.{key[5:]}": said[key] for key in names if key.startswith("next.")}

    _, state = run(asked, {})
    for place, token in enumerate(answer):
        stepped, state = run([token], state)
        assert np.allclose(stepped, run([*asked, *answer[: place + 1]], {})[0], atol=1e-4)


def test_an_answer_does_not_depend_on_what_is_written_beside_it(translated):
    new = pairs(9, 3)["source"]
    together = translated.model.predict(new)
    for text, one in zip(new, together, strict=True):
        alone = translated.model.predict(text)
        assert alone.value == one.value
        assert alone.confidence == pytest.approx(one.confidence, abs=1e-4)


def test_nothing_to_go_on_from_is_a_prompt_too(translated):
    assert isinstance(translated.model.predict({"source": ""}).value, str)
    assert isinstance(translated.model.predict({"source": None}).value, str)


def test_what_is_written_is_chosen_as_it_is_asked_for(translated, tmp_path):
    from learnt.cli import main

    model, new = translated.model, pairs(9, 4)["source"]

    def said(model):
        return [one.value for one in model.predict(new)]

    plain, drawn = said(model), said(model.writing(temperature=9.0, seed=1))
    assert drawn == said(model.writing(temperature=9.0, seed=1)) != plain
    assert drawn != said(model.writing(temperature=9.0, seed=2))
    assert said(model) == plain
    assert model.writing(beam=4).predict(new)[0].confidence > 0
    (tmp_path / "new.csv").write_text("source\n" + "\n".join(new))
    out = tmp_path / "out.jsonl"
    words = [str(translated.run.folder / "model.onnx"), str(tmp_path / "new.csv"), "--out", str(out)]
    assert main(["predict", *words, "--temperature", "9", "--seed", "1"]) == 0
    assert [json.loads(line)["prediction"] for line in out.read_text().splitlines()] == drawn


def test_confidence_is_calibrated_on_what_was_unrolled():
    """Acceptable answers had likelier tokens: confidence follows the share of acceptable ones."""
    task = registry.task("generate")
    settings = task.learn_in(["yes", "no", "maybe so"], {"merges": [], "free": False})
    draw = np.random.default_rng(0)
    right = draw.random(400) < 0.7
    sure = np.clip(np.where(right, 0.8, 0.5) + draw.normal(0, 0.1, 400), 0.05, 0.95)
    said = np.array(
        [Prediction("maybe so" if ok else "perhaps?", s, "") for ok, s in zip(right, sure, strict=True)], object
    )
    truth = task.encode(["maybe so"] * 400, settings)
    weights = task.calibrate({"predictions": said}, truth, {}, {}, settings)["weights"]
    few = task.calibrate({"predictions": said[:20]}, {"next": list(truth["next"])[:20]}, {}, {}, settings)["weights"]
    assert few.tolist() == task.constants(settings)["weights"].tolist()
    assert weights[1] > 1
    assert weights[-1] == 0


def test_a_text_goes_on_from_itself_where_it_is_the_only_column():
    from learnt.data import roles

    texts = [f"the {word} sees the {other} again" for word in ENGLISH for other in ENGLISH]
    given = roles.assign({"text": texts}, target=["text"], task="generate")
    assert given.inputs == {"text": ("prompt", ["text"])}
    with pytest.raises(DataError):
        roles.assign({"text": [str(i % 2) for i in range(40)]}, target=["text"])


def test_several_texts_to_go_on_from_are_asked_about():
    from learnt.data import roles

    columns = {"a": pairs(40, 1)["source"], "b": pairs(40, 2)["source"], "answer": pairs(40, 1)["answer"]}
    with pytest.raises(RequestError, match="--inputs a"):
        roles.assign(columns, target=["answer"], task="generate")
    assert roles.assign(columns, target=["answer"], task="generate", inputs=["b"]).inputs == {"b": ("prompt", ["b"])}


def test_of_several_texts_the_line_to_write_names_the_first_of_sentences():
    from learnt.data import roles

    people = [["ann", "bob", "eve"][place % 3] for place in range(40)]
    bodies = [f"please find report {place} for Monday" for place in range(40)]
    columns = {"from": people, "the body": bodies, "note": bodies[::-1], "subject": [f"report {n}" for n in range(40)]}
    with pytest.raises(RequestError, match=r"Name one: --inputs 'the body'$"):
        roles.assign(columns, target=["subject"], task="generate")


def test_free_text_as_a_target_asks_which_task():
    from learnt.data import roles

    texts = [f"number {place} is written in a sentence of its own" for place in range(300)]
    with pytest.raises(
        RequestError, match=r"--task generate \(a text that is written\) or --task reply \(the"
    ) as refused:
        roles.assign({"x": [str(place % 7) for place in range(300)], "said": texts}, target=["said"])
    assert "transcribe" not in str(refused.value)
    for task in ("classify", "tag", "regress"):
        with pytest.raises(RequestError, match=r"'said'.*--task generate .* or --task reply"):
            roles.assign({"x": [str(place % 7) for place in range(300)], "said": texts}, target=["said"], task=task)


def test_files_of_text_as_a_target_ask_which_task(tmp_path):
    from learnt.codecs.files import File
    from learnt.data import roles

    for place in range(30):
        (tmp_path / f"{place}.txt").write_text(f"text {place} in a file")
    columns = {
        "x": [str(place % 7) for place in range(30)],
        "text": [File(f"{one}.txt", tmp_path) for one in range(30)],
    }
    with pytest.raises(RequestError, match=r"'text'.*--task generate .* or --task reply"):
        roles.assign(columns, target=["text"])


def causal_encoder(whole=False):
    """One whose every weight matters, as after some training."""
    torch.manual_seed(0)
    encoder = CausalEncoder(40, 64, 2, 0.0, whole)
    for weight in (encoder.mix, *(one for layer in encoder.layers for one in (layer.tell.weight, layer.down.weight))):
        torch.nn.init.normal_(weight, std=0.1)
    return encoder


@pytest.mark.parametrize("whole", [False, True])
def test_in_training_and_in_use_the_encoder_says_the_same(whole):
    encoder = causal_encoder(whole)
    here = torch.arange(9)[None] < torch.tensor([[9], [5]])
    x = {"tokens": torch.randint(1, 39, (2, 9)) * here, "here": here}
    x["tokens"][0, 6] = x["tokens"][1, 2] = 39
    fast, after = encoder.train()(x, encoder.start(2))
    slow, state = encoder.eval()(x, encoder.start(2))
    assert after == {}
    assert torch.allclose(fast["sequence"][here], slow["sequence"][here], atol=1e-5)
    assert state["keys"].shape == (2, 2, 2, 9, 32)


@pytest.mark.parametrize("whole", [False, True])
def test_a_text_that_is_answered_is_known_whole_at_each_of_its_places_and_an_answer_as_far_as_it_goes(whole):
    encoder = causal_encoder(whole).eval()
    texts = torch.tensor([[5, 6, 7, 39, 8, 9], [5, 6, 17, 39, 8, 9], [5, 6, 7, 39, 8, 19]])
    said = encoder({"tokens": texts, "here": texts > 0}, encoder.start(3))[0]["sequence"]
    assert torch.allclose(said[0, :2], said[1, :2], atol=1e-5) != whole
    assert torch.allclose(said[0, :5], said[2, :5], atol=1e-5)
    assert not torch.allclose(said[0, 5], said[2, 5], atol=1e-3)


def test_a_sister_writes_whole_answers_as_if_every_beginning_were_read_anew():
    """With the cache, in batches of texts of different length, some of which end sooner."""
    known = learn(pairs(30, 1), Asked({"source": ("prompt", ["source"])}, {"answer": "generate"}), np.arange(30))
    network = build(known.inputs, known.targets, SIZES, 0).eval()
    for name, weight in network.named_parameters():
        if name.endswith(("tell.weight", "down.weight", "table")):
            torch.nn.init.normal_(weight, std=0.3)
    settings, rows = known.targets[0].settings, np.arange(3, 30)
    constants = {f"answer.{name}": value for name, value in registry.task("generate").constants(settings).items()}
    said = unrolled(network, known.examples, rows, constants)["answer.predictions"]
    tokens, mark = known.examples.raw["source"]["tokens"], coder(settings["merges"]).mark
    for row, one in zip(rows.tolist(), said, strict=True):
        answer: list[int] = []
        while len(answer) < settings["most"] and mark not in answer:
            read = torch.tensor([[*tokens[row], *answer]])
            raw = {"source.tokens": read, "source.length": torch.tensor([read.shape[1]])}
            with torch.no_grad():
                chances = network(raw, network.start(1))[0][0]["last"][0, 0]
            chances[0] = -torch.inf
            answer.append(int(chances.argmax()))
        assert one.value == coder(settings["merges"]).decode_text([code for code in answer if code != mark])
    assert len({one.value for one in said}) > 5


def test_what_comes_before_a_token_is_what_was_read_before_it_however_long_others_are():
    encoder = causal_encoder().eval()
    texts = [torch.randint(1, 40, (9,)), torch.randint(1, 40, (5,))]
    alone = [encoder({"tokens": one[None], "here": one[None] > 0}, encoder.start(1))[0]["sequence"][0] for one in texts]
    first = torch.nn.utils.rnn.pad_sequence([texts[0][:6], texts[1][:2]], batch_first=True)
    _, state = encoder({"tokens": first, "here": first > 0}, encoder.start(2))
    then = torch.stack([texts[0][6:], texts[1][2:]])
    said, _ = encoder({"tokens": then, "here": then > 0}, state)
    assert torch.allclose(said["sequence"][0], alone[0][6:], atol=1e-5)
    assert torch.allclose(said["sequence"][1], alone[1][2:], atol=1e-5)


def test_a_text_that_goes_on_is_judged_by_its_second_half():
    task = registry.task("generate")
    settings = task.learn_in(["one two three", "four five six seven"], {"merges": [], "free": True})
    modality = registry.modality("prompt")
    read = modality.read({"text": ["abcdef"]}, {"merges": [], "free": True})
    (shown,) = task.begun(read, settings)["tokens"]
    assert coder([]).decode_text(shown.tolist()) == "abc"
    assert task.feed(["abcdef"], settings) == {}
    (right, wrong) = task.judge(
        [Prediction("def", 0.5, ""), Prediction("xyz", 0.5, "")], ["abcdef"] * 2, settings
    ).correct
    assert (right, wrong) == (1, 0)
    pairs_of = task.learn_in(["one", "two"], {"merges": [], "free": False})
    assert task.begun(read, pairs_of) == read


@pytest.mark.parametrize("text", ["one two three four " * 40, "가나다라마바사" * 30])
def test_of_a_long_text_that_goes_on_what_is_learnt_is_what_follows_what_is_read(text):
    task, settings = registry.task("generate"), {"merges": [], "free": True}
    read = registry.modality("prompt").read({"text": [text]}, settings)["tokens"][0]
    told = task.encode([text], {**settings, "cut": False})["next"][0]
    assert len(told) == 257
    assert np.array_equal(read[1:], told[:-1])
    assert told[-1] == coder([]).mark


def test_of_long_texts_and_answers_it_is_said_how_much_is_read():
    from types import SimpleNamespace

    from learnt.running.preparing import _shortened

    free, pair = ({"merges": [], "free": one} for one in (True, False))
    columns = {"source": ["a" * 257, "b" * 256], "answer": ["c", "d" * 300]}
    said, roles = [], SimpleNamespace(guesses=[])
    collected = SimpleNamespace(columns=columns, rows=2, roles=roles, where=lambda row: f"row {row + 1}")
    known = SimpleNamespace(
        inputs=[SimpleNamespace(modality="prompt", columns=["source"], settings=pair)],
        targets=[SimpleNamespace(name="answer", task="generate", settings=pair)],
    )
    _shortened(SimpleNamespace(collected=collected, say=said.append), known)
    assert said == [
        "2 of 2 rows are not read as a whole: row 1: Of 257 tokens only the last 256 are read; "
        "row 2: Of 300 tokens of an answer only the first 256 are learnt."
    ]
    assert registry.task("generate").shortened(["d" * 300], free) == []


def test_pieces_of_one_length_do_not_end():
    task = registry.task("generate")
    cut = task.learn_in(["abcd", "efgh", "ijkl"], {"merges": [], "free": True})
    whole = task.learn_in(["abcd", "efg", "ij", "k"], {"merges": [], "free": True})
    assert [task.encode(["abcd"], one)["next"][0][-1] for one in (cut, whole)] == [-1, coder([]).mark]


def test_bytes_and_subwords_are_for_the_user_to_choose():
    modality = registry.modality("prompt")
    texts = {"text": ["the river and the stone"] * 40}
    counts = [len(modality.learn_with(texts, None, most)["merges"]) for most in (0, 5, None)]
    assert counts == [0, 5, max(counts)]
    (tokens,) = modality.read({"text": ["Rhein"]}, modality.learn_with(texts, None, 0))["tokens"]
    assert len(tokens) == 6


@pytest.mark.parametrize("width", [16, 64, 96, 100])
def test_any_even_width_has_heads(width):
    encoder = CausalEncoder(40, width, 1, 0.0).eval()
    x = {"tokens": torch.ones(1, 3, dtype=torch.int64), "here": torch.ones(1, 3, dtype=torch.bool)}
    assert encoder(x, encoder.start(1))[0]["sequence"].shape == (1, 3, width)


def test_what_a_caller_does_with_a_prompt_stands_in_the_manifest():
    from learnt.artifact.verify import _steps
    from learnt.train.manifest import OF_PROMPTS

    assert [check.ok for check in _steps(OF_PROMPTS)] == [True] * 3
    wrong = [{**OF_PROMPTS[0], "vectors": [[given, said[:-1]] for given, said in OF_PROMPTS[0]["vectors"]]}]
    assert [check.ok for check in _steps(wrong)] == [False]


def test_it_is_silent_below_a_stated_share_of_acceptable_answers():
    task = registry.task("generate")
    settings = task.learn_in(["yes", "no", "maybe so"], {"merges": [], "free": False})
    quiet = task.settle(settings, {}, None, {"decide": "precision>=.9"})
    draw = np.random.default_rng(0)
    sure = draw.uniform(0.05, 0.95, 2000)
    right = draw.random(2000) < sure
    said = np.empty(2000, object)
    said[:] = [Prediction("maybe so" if ok else "perhaps?", s, "") for ok, s in zip(right, sure, strict=True)]
    truth = task.encode(["maybe so"] * 2000, settings)
    silence = task.calibrate({"predictions": said}, truth, {}, {}, quiet)["weights"][-1]
    assert 0.6 < silence < 0.95
    assert task.calibrate({"predictions": said}, truth, {}, {}, settings)["weights"][-1] == 0
    with pytest.raises(RequestError, match="precision"):
        task.settle(settings, {}, None, {"decide": "a if p>.5 if q>.1"})


@pytest.mark.parametrize("free", [True, False])
def test_answers_are_learnt_smoothed_and_running_text_as_it_is(free):
    task = registry.task("generate")
    settings = {"merges": [], "free": free}
    head = task.head(settings, {"sequence": 8}, 1)
    here = torch.ones(2, 3, dtype=torch.bool)
    features = {"sequence": torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0)), "mask": here}
    outputs = {name: value[:, 0] for name, value in head(features).items()}
    targets = {"next": torch.tensor([[5, 6, 7], [8, 9, -1]])}
    learnt = task.loss(outputs, targets)
    with torch.no_grad():
        measured = task.loss(outputs, targets)
    assert torch.allclose(learnt, measured) == free


def test_long_texts_are_evaluated_few_at_a_time(monkeypatch):
    from learnt.train import batches, learning

    monkeypatch.setattr(batches, "PLACES_TOGETHER", 64)
    columns = {"text": ["abcdefg" * (1 + row % 3) for row in range(20)]}
    asked = learning.Asked({"text": ("prompt", ["text"])}, {"text": "generate"}, subwords=0)
    known = learning.learn(columns, asked, np.arange(20))
    chunks = list(known.fed.chunks(np.arange(20)))
    assert np.concatenate(chunks).tolist() == list(range(20))
    assert max(map(len, chunks)) == 64 // 22
