"""Looks in the ledger: asked, sent, answered; what is taken of an answer and what is not."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from ledger_town import AT, CAMERA, OFFICER, READER, after

from contracts.events import Evidence, Look
from contracts.looks import ANSWERED_WITHIN_S, BEGIN_WITHIN_S, MOST_BYTES
from contracts.words import LookState
from ledger import audit_places, journal, looks
from ledger.engine import Connection, Engine, reading, writing

JPEG = b"\xff\xd8\xff\xd9"


def picture(at_s: float, content: bytes = JPEG, **changes: Any) -> Evidence:
    told: dict[str, Any] = {
        "evidence_id": f"p{at_s}", "media_type": "image/jpeg", "content": content,
        "sha256": hashlib.sha256(content).hexdigest(), "width": 4, "height": 3,
        "captured_at": after(at_s), "blurred": True,
    }  # fmt: skip
    return Evidence(**(told | changes))


def tell(
    conn: Connection,
    look_id: str,
    state: LookState = LookState.LIVE,
    shown: Evidence | None = None,
    at_s: float = 5,
) -> bool:
    told = Look(look_id, 1, state, after(at_s), "因 / why", shown)
    return looks.answered(conn, CAMERA, "agent", told, after(at_s))


def test_a_look_from_the_asking_to_its_end(town: Engine) -> None:
    with writing(town) as conn:
        look_id = looks.ask(conn, CAMERA, OFFICER, "抽查", AT)
        (asked,) = looks.unsent(conn, after(1))
        assert (asked.state, asked.name, asked.role) == ("asked", "李国华", "town")
        assert looks.unsent(conn, after(BEGIN_WITHIN_S)) == []  # too late to be of any use
        looks.mark_sent(conn, [asked], after(1))
        assert looks.unsent(conn, after(1)) == []
        assert tell(conn, look_id, shown=picture(4))
        assert tell(conn, look_id, shown=picture(6, JPEG + b"2"))
        assert not tell(conn, look_id, shown=picture(5))  # an older one, out of order
        assert looks.picture(conn, look_id) == JPEG + b"2"
        assert tell(conn, look_id, LookState.OVER)
        assert not tell(conn, look_id, shown=picture(9))  # it is over
        row = looks.get(conn, look_id)
        shown = looks.newest_shown(conn, [CAMERA.site])
        assert audit_places.region_of(conn, "x", f"look/{look_id}") == CAMERA.region
    assert row is not None
    assert (row.state, row.pictures, row.captured_at) == ("over", 2, after(6))
    assert not row.running(after(7))
    assert shown[CAMERA.site, CAMERA.device].look_id == look_id
    with reading(town) as conn:
        told = [one for one in journal.after(conn, 0) if one.kind == journal.LOOK]
    assert len(told) == 4
    assert {one.ref for one in told} == {look_id}


@pytest.mark.parametrize(
    "shown",
    [
        None,
        picture(4, blurred=False),
        picture(4, media_type="image/png"),
        picture(4, b"GIF89a"),
        picture(4, JPEG + b"x" * MOST_BYTES),
    ],
    ids=["none", "sharp", "png", "no jpeg", "too large"],
)
def test_what_is_not_fit_to_be_shown_is_not_taken(town: Engine, shown: Evidence | None) -> None:
    with writing(town) as conn:
        look_id = looks.ask(conn, CAMERA, OFFICER, "抽查", AT)
        assert not tell(conn, look_id, shown=shown)
        row = looks.get(conn, look_id)
    assert row is not None and row.pictures == 0


def test_nobody_answers_for_another_or_after_its_time(town: Engine) -> None:
    with writing(town) as conn:
        look_id = looks.ask(conn, CAMERA, OFFICER, "抽查", AT)
        told = Look(look_id, 1, LookState.BLIND, after(3))
        assert not looks.answered(conn, READER, "agent", told, after(3))
        assert not tell(conn, "another", LookState.BLIND)
        assert not tell(conn, look_id, shown=picture(4), at_s=ANSWERED_WITHIN_S)
        row = looks.get(conn, look_id)
    assert row is not None
    assert row.running(after(3)) and not row.unanswered(after(3))
    assert row.unanswered(after(BEGIN_WITHIN_S + 5))


def test_pictures_go_and_records_stay(town: Engine) -> None:
    with writing(town) as conn:
        old = looks.ask(conn, CAMERA, OFFICER, "抽查", AT)
        assert tell(conn, old, shown=picture(4))
        later = AT + looks.KEPT + timedelta(minutes=1)
        looks.ask(conn, CAMERA, OFFICER, "再查", later)
        assert looks.picture(conn, old) is None
        kept = looks.list_in(conn, [CAMERA.region])
        assert [one.reason for one in kept] == ["再查", "抽查"]
        assert kept[1].pictures == 1
        assert looks.counts(conn, CAMERA, OFFICER, AT) == (1, 1)
        assert looks.counts(conn, READER, OFFICER, AT - timedelta(1)) == (2, 0)
