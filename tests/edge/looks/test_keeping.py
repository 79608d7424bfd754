"""A picture of a look kept as evidence: the bytes as seen, signed, sealed, once, or a reason."""

import hashlib
import queue
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contracts.envelope import encode
from contracts.events import Command, Evidence, Observation
from contracts.looks import HELD_S, MOST_KEPT
from contracts.topics import identity
from contracts.words import LookState, Phase
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.pictures import encode_jpeg
from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.telling.showing import ORIGINAL_QUALITY
from edge_agent.custody.access_log import read_log
from edge_agent.custody.custody import NO_CUSTODY, Custody
from edge_agent.custody.device_key import device_key
from edge_agent.custody.officer_keys import PublicKey
from edge_agent.custody.sealing import open_sealed
from edge_agent.custody.vault import Vault
from edge_agent.looks import words
from edge_agent.looks.looking import Answer
from edge_agent.looks.order import Order
from edge_agent.looks.settings import LookSettings
from edge_agent.looks.views import Views
from edge_agent.looks.worker import LOG, LookPost, Looks
from edge_agent.ports import Fact, OutboxError
from ledger.signatures import SignatureState, check

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
AGENT = identity("440703", "canteen1", "agent")
CAMERA = AGENT.sibling("cam1")
PICTURE = np.random.default_rng(7).integers(0, 256, (360, 640, 3), np.uint8)


class Site:
    """An agent's worker of looks, with what it told and what it stored."""

    def __init__(self, state: Path, custody: Custody = NO_CUSTODY) -> None:
        self.told: list[Any] = []
        self.stored: list[Fact] = []
        self.full = False
        self.now_s = 0.0
        self.state = state
        post = LookPost(
            queue.SimpleQueue(), lambda _who, one: self.told.append(one), self.clock, self.keep
        )
        self.looks = Looks(
            LookSettings(), AGENT, ["cam1"], Views(), custody, state, post,
            clock=self.clock, ticks=lambda: self.now_s,
        )  # fmt: skip

    def clock(self) -> datetime:
        return AT + timedelta(seconds=self.now_s)

    def keep(self, facts: Sequence[Fact]) -> None:
        if self.full:
            raise OutboxError("the disk is full")
        self.stored += facts

    def show(self) -> str:
        """Show one picture of the look `l1`; its hash."""
        order = Order("l1", "cam1", "李国华", "抽查", AT, AT + timedelta(seconds=20), b"{}")
        look = Look(Frame(PICTURE, self.clock(), self.now_s, 1), (), (), ())
        self.looks._tell(Answer(order, 1, LookState.LIVE, look=look))
        return str(self.told[-1].picture.sha256)

    def ask(self, sha256: str, kept_id: str = "k1") -> tuple[LookState, str]:
        """Ask for it to be kept; what the site answers, as it comes over the line."""
        at = self.clock()
        told = {"camera": "cam1", "by": "李国华", "reason": "积水", "look": "l1", "picture": sha256}
        order = Command(kept_id, "camera.keep", at, at + timedelta(seconds=20), told)
        before = len(self.told)
        self.looks._take(encode("commands", AGENT, order, event_id=kept_id, at=at))
        if len(self.told) == before:
            raise LookupError("no answer")
        assert self.told[-1].look_id == kept_id
        return self.told[-1].state, self.told[-1].reason


def test_what_was_seen_becomes_evidence_signed_and_sealed(tmp_path: Path) -> None:
    keys = [X25519PrivateKey.generate() for _ in range(2)]
    officers = [PublicKey(str(n), k.public_key().public_bytes_raw()) for n, k in enumerate(keys)]
    vault = Vault(tmp_path / "vault", officers, retention_days=30, most_bytes=1 << 20)
    site = Site(tmp_path, Custody(device_key(tmp_path, "agent", lambda: AT), vault))
    shown = site.show()
    seen = site.told[-1].picture
    assert list((tmp_path / "vault").glob("*.sealed")) == [], "nothing is kept unasked"
    site.now_s = 5.0
    assert site.ask(shown)[0] is LookState.KEPT
    observed, told = (one.data for one in site.stored)
    assert isinstance(observed, Observation) and isinstance(told, Evidence)
    assert (observed.phase, observed.kind, observed.evidence) == (
        Phase.CLOSED, "look_kept", (told.evidence_id,),
    )  # fmt: skip
    assert (told.content, told.captured_at, told.blurred) == (seen.content, AT, True)
    assert check(CAMERA, "agent", told) is SignatureState.VALID
    (sealed,) = (tmp_path / "vault").glob("*.sealed")
    about, original = open_sealed(sealed.read_bytes(), keys)
    assert original == encode_jpeg(PICTURE, ORIGINAL_QUALITY)
    assert about.evidence_id == told.evidence_id
    assert told.original_sha256 == hashlib.sha256(original).hexdigest()
    (entry,) = read_log(tmp_path / LOG)
    assert (entry.action, entry.who, entry.reason) == ("keep", ("李国华",), "积水")


@pytest.mark.parametrize("passed_s", [0.0, HELD_S - 1, HELD_S + 1])
def test_it_is_there_for_moments_only(tmp_path: Path, passed_s: float) -> None:
    site = Site(tmp_path)
    shown = site.show()
    site.now_s = passed_s
    state, why = site.ask(shown)
    assert (state, bool(site.stored)) == (
        (LookState.KEPT, True) if passed_s < HELD_S else (LookState.NOT_KEPT, False)
    )
    assert why == ("" if site.stored else words.GONE)


def test_another_picture_a_restart_and_a_full_disk_say_why(tmp_path: Path) -> None:
    site = Site(tmp_path)
    shown = site.show()
    assert site.ask("0" * 64, "k1") == (LookState.NOT_KEPT, words.GONE)
    site.full = True
    assert site.ask(shown, "k2") == (LookState.NOT_KEPT, words.NOT_STORED)
    again = Site(tmp_path)
    with pytest.raises(LookupError):
        again.ask(shown, "k2")  # met before
    assert again.ask(shown, "k3") == (LookState.NOT_KEPT, words.GONE)
    assert [one.evidence_id for one in read_log(tmp_path / LOG)] == ["k1", "k2", "k3"]


def test_the_same_order_does_nothing_again_and_there_is_a_bound(tmp_path: Path) -> None:
    site = Site(tmp_path)
    shown = site.show()
    site.ask(shown, "k0")
    with pytest.raises(LookupError):
        site.ask(shown, "k0")
    answers = [site.ask(shown, f"k{number}") for number in range(1, MOST_KEPT + 2)]
    assert [state for state, _ in answers].count(LookState.KEPT) == MOST_KEPT - 1
    assert answers[-1] == (LookState.NOT_KEPT, words.KEPT_ENOUGH)
    assert len(site.stored) == 2 * MOST_KEPT


def test_what_cannot_be_written_down_is_not_kept(tmp_path: Path) -> None:
    site = Site(tmp_path)
    shown = site.show()
    (tmp_path / LOG).write_text("not a line of ours\n")
    assert site.ask(shown) == (LookState.NOT_KEPT, words.NOT_LOGGED)
    assert site.stored == []
