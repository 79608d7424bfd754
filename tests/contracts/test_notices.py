"""A message about several alerts: one title, a line for each as far as there is room."""

from contracts.notices import LINES_MOST, TITLE_MOST, Part, compose


def _parts(number: int, title: str = "冷库超温") -> list[Part]:
    return [Part(f"a{n}", title, "warm", f"第{n}行", f"line {n}") for n in range(number)]


def test_one_is_said_as_it_is() -> None:
    said = compose(_parts(1))
    assert (said.title_zh, said.title_en) == ("冷库超温", "warm")
    assert (said.body_zh, said.body_en) == ("第0行", "line 0")


def test_several_are_counted_and_what_does_not_fit_too() -> None:
    said = compose(_parts(LINES_MOST + 3))
    assert said.title_zh == "冷库超温 等 23 条" and said.title_en == "warm and 22 more"
    assert said.body_zh.splitlines()[-1] == "……另有 3 条"
    assert len(said.body_en.splitlines()) == LINES_MOST + 1
    long = compose(_parts(2, "长" * 500))
    assert len(long.title_zh) == TITLE_MOST and long.title_zh.endswith("… 等 2 条")
