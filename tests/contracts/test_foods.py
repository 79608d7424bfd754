"""Names as sent, cut short or by another name, against the food dictionary."""

from pathlib import Path

import pytest

from contracts.foods import THRESHOLD, Food, Foods, Guess, load_foods
from contracts.settings import SettingsError

FOODS = load_foods(Path(__file__).parents[2] / "firmware_configs" / "foods")
SMALL = Foods(
    [
        Food("空心菜", ("通菜",), "vegetable", 9),
        Food("上海青", ("小棠菜",), "vegetable", 8),
        Food("豆腐", (), "bean", 6),
        Food("豆腐干", (), "bean", 5),
        Food("南美白对虾", (), "fish", 5),
    ]
)


def test_an_alias_means_its_food() -> None:
    assert SMALL.guess("通菜", cut=False) == Guess("空心菜", 0.98)
    assert FOODS.guess("西红柿", cut=False) == Guess("番茄", 0.98)


def test_a_foods_own_name_and_an_unknown_one_need_no_guess() -> None:
    assert SMALL.guess("空心菜", cut=False) is None
    assert SMALL.guess("紫背天葵", cut=False) is None
    assert SMALL.guess("", cut=True) is None


def test_a_cut_name_is_completed_where_only_one_food_begins_so() -> None:
    assert SMALL.guess("南美白", cut=True) == Guess("南美白对虾", 0.95)
    assert SMALL.guess("南美�", cut=True) == Guess("南美白对虾", 0.85)
    assert SMALL.guess(" 南 美 ", cut=True) == Guess("南美白对虾", 0.85)


def test_a_name_that_fills_the_room_may_be_whole() -> None:
    assert SMALL.guess("空心菜", cut=True) == Guess("空心菜", 0.95)


@pytest.mark.parametrize("name", ["豆腐", "豆", "南"])
def test_an_ambiguous_or_short_beginning_gives_no_guess(name: str) -> None:
    assert SMALL.guess(name, cut=True) is None


def test_every_guess_of_the_dictionary_that_we_ship_is_above_the_threshold() -> None:
    assert len(FOODS) >= 120
    for food in {name[:cut] for name in FOODS._names for cut in (1, 2, 3)}:
        guess = FOODS.guess(food, cut=True)
        assert guess is None or THRESHOLD <= guess.confidence <= 1.0
    assert FOODS.guess("小", cut=True) is None


def test_the_flag_reads_back() -> None:
    assert Guess("空心菜", 0.9).flag == "name_guess=空心菜:0.90"


def test_errors_name_file_line_and_column(tmp_path: Path) -> None:
    path = tmp_path / "foods.csv"
    path.write_text("name,aliases,kind,weight\n菜心,,vegetable,many\n", "utf-8")
    with pytest.raises(SettingsError, match=r"foods\.csv: line 2: weight"):
        load_foods(tmp_path)
    path.write_text("name,aliases,kind,weight\n菜心,,vegetable,1\n芥蓝,菜心,vegetable,1\n", "utf-8")
    with pytest.raises(SettingsError, match="both 菜心 and 芥蓝"):
        load_foods(tmp_path)
