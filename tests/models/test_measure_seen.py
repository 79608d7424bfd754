"""The classifier measured as cameras see: visits of drawn cooks, and the table."""

from pathlib import Path

import numpy as np
import pytest

from edge_agent.cameras.eyes.attributes import Answer
from edge_agent.cameras.eyes.inference import Model, open_model
from edge_agent.cameras.rule.scene import Wear
from edge_agent.simulation.drawn_cast import DrawnCast
from edge_agent.simulation.effects import Look
from models import measure_seen
from models.measure_seen import FEWEST, LOOKS_S, report, visit

SHIPPED = Path(__file__).parents[2] / "models" / "head_attributes"


@pytest.fixture(scope="module")
def model() -> Model:
    return open_model(SHIPPED, task="classify")


def test_the_shipped_model_knows_drawn_cooks_in_plain_light(model: Model) -> None:
    cast = DrawnCast()
    zone = next(zone for zone in cast.scene.zones if Wear.HAT in zone.required)
    for missing in (frozenset(), frozenset({"hat"})):
        figure = cast.figure(np.random.default_rng(5), zone, missing)
        called = dict(visit(model, figure, Wear.HAT, 0.24, np.random.default_rng(1)))
        assert set(called) == set(Look)
        assert called[Look.PLAIN] is bool(missing)


@pytest.mark.parametrize(
    ("answers", "called"),
    [
        ([Answer.NO] * len(LOOKS_S), True),
        ([Answer.UNKNOWN] * len(LOOKS_S), False),
        ([Answer.NO] * (FEWEST - 1) + [Answer.UNKNOWN] * 3, False),
        ([Answer.NO] * FEWEST + [Answer.UNSURE] * 2, False),
        ([Answer.NO] * 5 + [Answer.YES], True),
    ],
)
def test_a_visit_counts_its_looks(
    model: Model, monkeypatch: pytest.MonkeyPatch, answers: list[Answer], called: bool
) -> None:
    said = iter(answers * len(Look))
    monkeypatch.setattr(measure_seen, "read", lambda *_: next(said))
    cast = DrawnCast()
    figure = cast.figure(np.random.default_rng(5), cast.scene.zones[0], frozenset())
    found = list(visit(model, figure, Wear.HAT, 0.15, np.random.default_rng(1)))
    assert found == [(look, called) for look in Look]


def test_the_table_has_a_row_for_each_light_and_one_for_all() -> None:
    text = report(
        {
            (Wear.HAT, Look.PLAIN, True): [False, False, True],
            (Wear.HAT, Look.STEAM, True): [False],
            (Wear.HAT, Look.PLAIN, False): [True, False],
        }
    )
    assert "| hat | plain | 1 of 3 | 0.500 of 2 |" in text
    assert "| hat | **all** | 1 of 4 | 0.500 of 2 |" in text
    assert len(text.splitlines()) == 2 + 2 * (len(Look) + 1)
