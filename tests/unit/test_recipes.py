"""Options in full: asked, else the recipe's, else the default."""

from __future__ import annotations

import pytest

from learnt import recipes
from learnt.errors import RequestError
from learnt.train import planning


@pytest.mark.parametrize(("budget", "seconds"), [("90s", 90), ("3m", 180), ("1h", 3600), (45, 45), ("1.5m", 90)])
def test_a_budget_is_a_time(budget, seconds):
    assert recipes.seconds(budget) == seconds


@pytest.mark.parametrize("budget", ["", "soon", "-3m", "0", "nan"])
def test_nonsense_is_no_budget(budget):
    with pytest.raises(RequestError, match="--budget"):
        recipes.seconds(budget)


def test_what_goes_on_says_the_options_that_nobody_repeated() -> None:
    before = recipes.resolve({"target": ["a b", "c"], "task": "regress", "drop": ["x", "y"], "budget": "3m"}, None)
    assert recipes.not_asked(before, {}) == "--target 'a b' c --task regress --drop x,y"
    assert recipes.not_asked(before, {"target": ["a b", "c"], "task": "regress", "drop": []}) == "--drop x,y"
    assert recipes.not_asked(recipes.resolve({"target": ["a"]}, None), {"target": ["a"]}) == ""


def test_what_is_asked_goes_before_the_recipe_and_the_recipe_before_the_default():
    full = recipes.resolve({"target": ["y"], "seed": None, "coverage": 0.8}, {"seed": 7, "coverage": 0.95})
    assert (full["seed"], full["coverage"], full["size"]) == (7, 0.8, "small")


def test_seed_zero_is_a_wish_too():
    assert recipes.resolve({"target": ["y"], "seed": 0}, {"seed": 7})["seed"] == 0


def test_an_unknown_line_of_a_recipe_is_named():
    with pytest.raises(RequestError, match="'epochs'"):
        recipes.resolve({"target": ["y"]}, {"epochs": 3})


@pytest.mark.parametrize("coverage", [0.2, 1.0, -1])
def test_a_coverage_that_means_nothing_is_refused(coverage):
    with pytest.raises(RequestError, match="--coverage"):
        recipes.resolve({"target": ["y"], "coverage": coverage}, None)


def test_a_recipe_survives_writing_and_reading(tmp_path):
    full = recipes.resolve({"target": ["y"], "drop": ["a, b"]}, None)
    recipes.write(tmp_path / "recipe.yaml", full)
    assert recipes.read(tmp_path / "recipe.yaml") == full
    assert recipes.resolve({}, tmp_path / "recipe.yaml") == full


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", ""])
def test_a_file_that_is_no_recipe_is_said(tmp_path, text):
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(RequestError, match="recipe"):
        recipes.read(tmp_path / "r.yaml")


def test_pictures_get_more_time_than_tables_where_none_is_asked_for():
    assert planning.usual(["table"], ["classify"]) == 240
    assert planning.usual(["table", "image"], ["classify"]) == 600


@pytest.mark.parametrize(("size", "side", "width"), [("small", None, 64), ("large", None, 128), (128, 128, 64)])
def test_a_size_is_a_width_or_the_side_of_pictures(size, side, width):
    full = recipes.resolve({"target": ["a"], "size": size}, None)
    assert recipes.side(full) == side
    assert recipes.wider(full, {"width": 64, "depth": 0}) == {"width": width, "depth": 0}


@pytest.mark.parametrize("size", ["huge", "8", "4096", "-3"])
def test_another_size_is_refused_with_those_that_there_are(size):
    with pytest.raises(RequestError, match="small, medium, large, or the side of pictures in pixels, 16 to 512"):
        recipes.resolve({"target": ["a"], "size": size}, None)


def test_a_recipe_keeps_its_size_where_none_is_asked_for():
    assert recipes.resolve({"target": ["a"], "size": None}, {"size": "large"})["size"] == "large"
