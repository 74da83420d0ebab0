"""The network that hears a sound as it comes: pieces and wholes are alike, and what else is in a batch is not heard."""

from __future__ import annotations

import pytest
import torch

from learnt.nets.hearing import HearingEncoder

AHEAD = 5


@pytest.fixture(name="encoder")
def _encoder() -> HearingEncoder:
    torch.manual_seed(0)
    made = HearingEncoder(8000, [-5.0] * 40, [2.0] * 40, 24, (1, 2), AHEAD).eval().requires_grad_(False)
    for layer in made.layers:
        torch.nn.init.normal_(layer.mix.weight, std=0.3)
    return made


def heard(encoder, samples, lengths, state):
    return encoder({"samples": samples, "length": torch.tensor(lengths)}, state)


@pytest.mark.parametrize("cuts", [[5, 100, 1, 3000, 160, 734], [4000], [1] * 400, [160] * 25])
def test_pieces_say_what_the_whole_says(encoder, cuts):
    sound = 0.1 * torch.randn(1, sum(cuts), generator=torch.Generator().manual_seed(1))
    whole, after = heard(encoder, sound, [sound.shape[1]], encoder.start(1))
    state, start, found = encoder.start(1), 0, []
    for size in cuts:
        piece, state = heard(encoder, sound[:, start : start + size], [size], state)
        start += size
        found.append(piece["sequence"][:, : -AHEAD or None])
    found.append(piece["sequence"][:, -AHEAD:])
    assert torch.allclose(torch.cat(found, 1), whole["sequence"], atol=1e-5)
    assert torch.allclose(piece["where"][:, -1:], whole["where"][:, -1:])
    assert torch.allclose(piece["vector"], whole["vector"], atol=1e-5)
    for name, value in after.items():
        assert torch.allclose(state[name], value, atol=1e-4), name


def test_what_comes_later_changes_nothing_but_what_was_to_come(encoder):
    """The control of the test before: what is ahead does change, so it is the state that makes pieces alike."""
    random = torch.Generator().manual_seed(2)
    one, other = 0.1 * torch.randn(1, 4800, generator=random), 0.1 * torch.randn(1, 4800, generator=random)
    both = torch.cat([one, other], 1)
    early, _ = heard(encoder, one, [4800], encoder.start(1))
    whole, _ = heard(encoder, both, [9600], encoder.start(1))
    settled = int(early["settled"].sum())
    assert settled == 30
    assert torch.allclose(early["sequence"][:, :settled], whole["sequence"][:, :settled], atol=1e-5)
    assert not torch.allclose(early["sequence"][:, settled:], whole["sequence"][:, settled : settled + AHEAD], atol=0.1)


def test_a_longer_sound_beside_it_changes_nothing(encoder):
    random = torch.Generator().manual_seed(3)
    sound = 0.1 * torch.randn(1, 3333, generator=random)
    alone, _ = heard(encoder, sound, [3333], encoder.start(1))
    batch = torch.randn(3, 8000, generator=random)
    batch[1] = 0
    batch[1, :3333] = sound
    beside, _ = heard(encoder, batch, [8000, 3333, 40], encoder.start(3))
    count = int(alone["mask"].sum())
    assert beside["mask"].sum(1).tolist() == [50 + AHEAD, count, AHEAD]
    assert torch.allclose(beside["sequence"][1, :count], alone["sequence"][0], atol=1e-5)
    assert torch.allclose(beside["vector"][1], alone["vector"][0], atol=1e-5)


def test_a_place_is_where_its_sound_is(encoder):
    sound = torch.zeros(1, 8000)
    sound[0, 4000:4160] = torch.randn(160, generator=torch.Generator().manual_seed(4))
    found, _ = heard(encoder, sound, [8000], encoder.start(1))
    loudest = int(found["level"].argmax())
    assert abs(float(found["where"][0, loudest]) - 4080 / 8000) < 0.015
