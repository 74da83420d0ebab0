"""Answers that may be withheld: from which chance on they are said, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learnt.errors import RequestError
from learnt.stats.silence import Silence

SAYS = Silence("suggest", "a reply is suggested", usual=0.5)
CHANCE = (np.arange(1000) + 0.5) / 1000
ODDS = np.log(CHANCE / (1 - CHANCE))
RIGHT = np.random.default_rng(0).random(1000) < CHANCE


def test_costs_say_from_which_chance_on_an_answer_pays() -> None:
    assert SAYS.least({"decide": "cost=fn:1,fp:3"}, ODDS, RIGHT, None) == pytest.approx(0.75)
    assert SAYS.least({}, ODDS, RIGHT, None) == 0.5


def test_a_stated_precision_is_that_of_what_is_said() -> None:
    settings = {"decide": "precision>=.8"}
    least = SAYS.least(settings, ODDS, RIGHT, None)
    said = least <= CHANCE
    assert RIGHT[said].mean() >= 0.8
    assert 0.5 < least < 0.7
    record = SAYS.record(settings, said, RIGHT, None)
    assert record["actions"] == ["silent", "suggest"]
    assert record["sentences"]
    assert SAYS.record({}, said, RIGHT, None) == {}


def test_a_policy_that_is_wished_for_takes_the_place_of_the_one_before() -> None:
    before = {"most": 7, "decide": "precision>=.8", "policy": {"asked": "precision>=.8"}}
    assert SAYS.settled(before, {"decide": "precision>=.9"}) == {"most": 7, "decide": "precision>=.9"}
    assert SAYS.settled(before, {"decide": None}) == {"most": 7}


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"decide": "precision>=.8", "prevalence": ".1"}, "leave --prevalence and --positive out"),
        ({"positive": "yes"}, "leave --prevalence and --positive out"),
        ({"decide": "precision>=.8 by region"}, "a reply is suggested or not"),
        ({"decide": "block precision>=.95, review recall>=.99"}, "a reply is suggested or not"),
    ],
)
def test_what_is_no_choice_between_two_is_refused(wishes: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        SAYS.settled({}, wishes)
