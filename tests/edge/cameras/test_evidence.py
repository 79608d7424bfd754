"""What leaves the camera: bounded, and nobody but the finding can be recognised."""

import hashlib
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from contracts.events import Box
from edge_agent.cameras.eyes.boxes import headless
from edge_agent.cameras.pictures import sharpness
from edge_agent.cameras.rule.scene import Wear
from edge_agent.cameras.telling.evidence import (
    LARGEST_BYTES,
    bounded_jpeg,
    finding,
    make_evidence,
    state,
)

GRAINS = np.random.default_rng(5).integers(0, 255, (144, 256, 3), np.uint8)
NOISE = np.ascontiguousarray(GRAINS.repeat(5, axis=0).repeat(5, axis=1))
"""Grains of 5 pixels, about a twentieth of a head."""
AT = datetime(2026, 1, 1, tzinfo=UTC)
SUBJECT = Box("head", 600, 200, 700, 330, 0.9)
NEIGHBOUR = Box("head", 720, 220, 800, 320, 0.2)
FAR = Box("head", 40, 40, 120, 140, 0.9)


def detail(picture: np.ndarray, left: int, top: int, right: int, bottom: int) -> float:
    """How much fine structure an area keeps, against the same area of the original."""

    def of(image: np.ndarray) -> float:
        return sharpness(cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY))

    return of(picture) / of(NOISE)


def test_without_a_mask_only_the_lower_face_stays() -> None:
    shown = finding(NOISE, Wear.MASK, [SUBJECT], [SUBJECT, NEIGHBOUR, FAR])
    assert detail(shown, 600, 200, 700, 292) < 0.01  # hair, eyes, nose
    assert detail(shown, 605, 298, 695, 330) > 0.03  # mouth and chin: softened, not hidden


def test_without_a_hat_only_the_top_stays() -> None:
    shown = finding(NOISE, Wear.HAT, [SUBJECT], [SUBJECT, NEIGHBOUR, FAR])
    assert detail(shown, 605, 205, 695, 244) > 0.03
    assert detail(shown, 600, 250, 700, 330) < 0.01


@pytest.mark.parametrize("wear", list(Wear))
def test_others_are_hidden_wherever_they_stand(wear: Wear) -> None:
    shown = finding(NOISE, wear, [SUBJECT], [SUBJECT, NEIGHBOUR, FAR])
    assert detail(shown, 720, 220, 800, 320) < 0.01  # right beside, and doubtful
    assert detail(shown, 40, 40, 120, 140) < 0.01
    assert detail(shown, 900, 500, 1200, 700) < 0.01  # where no head was found at all
    assert detail(shown, 600, 400, 700, 500) > 0.9  # around the subject it stays sharp


def test_a_face_before_a_subjects_is_hidden_too() -> None:
    """It lies within the band that stays of the subject; a doubtful double leaves that alone."""
    before = Box("head", 660, 290, 760, 400, 0.9)
    shown = finding(NOISE, Wear.MASK, [SUBJECT], [SUBJECT, before])
    assert detail(shown, 662, 298, 700, 330) < 0.01
    assert detail(shown, 605, 298, 655, 330) > 0.03
    double = Box("head", 610, 205, 720, 420, 0.2)
    assert (
        detail(finding(NOISE, Wear.MASK, [SUBJECT], [SUBJECT, double]), 612, 298, 695, 330) > 0.03
    )


def test_a_person_whose_head_was_not_found_has_none_to_show() -> None:
    person, seen = Box("person", 700, 250, 860, 700, 0.8), Box("person", 560, 180, 740, 700, 0.8)
    (place,) = headless([person, seen], [SUBJECT])
    assert (place.x0, place.y0, place.x1) == (700, 250, 860)
    shown = finding(NOISE, Wear.HAT, [SUBJECT], [SUBJECT, place])
    assert detail(shown, 705, 255, 855, 400) < 0.01
    assert detail(finding(NOISE, Wear.HAT, [SUBJECT], [SUBJECT]), 705, 255, 800, 400) > 0.5
    assert headless([], [SUBJECT]) == []


def test_a_head_that_hangs_out_of_the_picture() -> None:
    edge = Box("head", 1250, 0, 1280, 30, 0.9)
    shown = finding(NOISE, Wear.HAT, [edge], [edge, Box("head", 0, 700, 3, 720, 0.5)])
    assert shown.shape == NOISE.shape


def test_the_source_picture_is_left_as_it_was() -> None:
    before = NOISE.copy()
    finding(NOISE, Wear.HAT, [SUBJECT], [NEIGHBOUR])
    assert np.array_equal(before, NOISE)


def test_the_size_is_bounded_for_the_worst_of_pictures() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (2160, 3840, 3), np.uint8)
    content, scale, shown = bounded_jpeg(noise)
    assert len(content) <= LARGEST_BYTES
    assert shown.shape[1] == pytest.approx(3840 * scale, abs=1)


def test_evidence_says_what_it_is() -> None:
    box = Box("head", 2000, 1000, 2400, 1500, 0.9, {"hat": 0.1})
    whole = np.zeros((2160, 3840, 3), np.uint8)
    piece = make_evidence(whole, [box], evidence_id="e", observation_id="o", captured_at=AT)
    assert (piece.width, piece.height, piece.blurred) == (1280, 720, True)
    assert piece.boxes[0].x0 == pytest.approx(2000 / 3)
    assert piece.boxes[0].attributes == {"hat": 0.1}
    assert piece.sha256 == hashlib.sha256(piece.content).hexdigest()
    assert cv2.imdecode(np.frombuffer(piece.content, np.uint8), 1).shape == (720, 1280, 3)


def test_the_picture_of_a_state_shows_no_detail() -> None:
    shown = state(NOISE)
    assert max(shown.shape[:2]) == 640
    little = cv2.resize(NOISE, (640, 360), interpolation=cv2.INTER_AREA)
    grey = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (shown, little)]
    assert sharpness(grey[0]) < sharpness(grey[1]) / 500
