"""What a camera says of its sight is known to rules, alerts, console and time series."""

from datetime import timedelta
from pathlib import Path

import pytest
from gateway_town import CAMERA, NOON, inbound, registry

from contracts.events import Reading, Readings
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.honesty.proof import LIVE, MEAL
from edge_agent.cameras.words import SIGHT
from gateway.alerts.kinds import ObservationOf
from gateway.alerts.rules import read_rules
from gateway.alerts.wording import OBSERVATIONS
from gateway.intake.points import points_of
from gateway.run import CONFIGS
from gateway.unpack import Accepted, unpack

LOCALES = Path(__file__).parents[2] / "server" / "locales"
KINDS = [sight for sight in Sight if sight is not Sight.LIVE]


@pytest.mark.parametrize("sight", KINDS)
def test_every_sight_has_its_words(sight: Sight) -> None:
    assert sight in SIGHT
    assert sight.value in OBSERVATIONS
    for catalogue in LOCALES.glob("*/LC_MESSAGES/console.po"):
        assert f'msgid "observed.{sight.value}"' in catalogue.read_text("utf-8"), catalogue


def test_every_sight_but_the_evening_is_alerted_by_one_starter_rule() -> None:
    kinds = [
        kind
        for rule in read_rules(CONFIGS / "rules")
        if isinstance(rule.when, ObservationOf)
        for kind in rule.when.kinds
        if kind.startswith("camera_")
    ]
    assert sorted(kinds) == sorted(one.value for one in KINDS if one is not Sight.LIGHTS_OFF)


def test_proven_minutes_become_points_of_the_camera() -> None:
    ends_at = NOON + timedelta(minutes=5)
    told = Readings([Reading(LIVE, 141.0, "min", ends_at), Reading(MEAL, 150.0, "min", ends_at)])
    unpacked = unpack(inbound(CAMERA, told, 1), registry())
    assert isinstance(unpacked, Accepted)
    made = points_of(unpacked.who, unpacked.event)
    found = {point.tags["metric"]: point.fields["value"] for point in made}
    assert found == {"camera_live_minutes": 141.0, "camera_meal_minutes": 150.0}
