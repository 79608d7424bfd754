"""Before, best and after: which looks are shown, how small, what is hidden, signed and sealed."""

from datetime import UTC, datetime
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from camera_parts import HEIGHT, WIDTH, Person, clip, kitchen
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Evidence, Observation
from contracts.topics import Identity
from contracts.words import Phase
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.pipeline import Models, Pipeline
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings, EvidenceSettings, HonestySettings
from edge_agent.cameras.telling.evidence import CONTEXT_BYTES, CONTEXT_SIDE, LARGEST_BYTES
from edge_agent.cameras.telling.moments import STALE_S, Budget
from edge_agent.cameras.telling.teller import Teller
from edge_agent.cameras.tools.replay import BEGIN
from edge_agent.custody.custody import Custody
from edge_agent.custody.device_key import DeviceKey
from edge_agent.custody.officer_keys import PublicKey
from edge_agent.custody.sealing import open_sealed
from edge_agent.custody.vault import Vault
from edge_agent.ports import Fact

pytestmark = pytest.mark.slow

WHO = Identity("440703", "canteen", "cam-1")
KEY = DeviceKey("agent", bytes(range(32)), datetime(2026, 1, 1, tzinfo=UTC))
GOOD: Person = (0, 0, True, True)
NO_HAT: Person = (0, 0, False, True)
Part = tuple[float, list[Person]]


def tell(
    scene: Scene,
    models: Models,
    parts: list[Part],
    *,
    custody: Custody = Custody(KEY),  # noqa: B008 (a frozen value)
    per_hour: int = 90,
    after_s: float = 2.0,
    times: int = 1,
) -> tuple[list[Fact], Teller]:
    """Play a clip, `times` times its size; no end is told."""
    settings = CameraSettings(
        "cam-1", "file:none", "test", looks_per_s=10.0,
        honesty=HonestySettings(degrade_after_s=1.0, recover_after_s=0.5),
        evidence=EvidenceSettings(after_s=after_s, pictures_per_hour=per_hour),
    )  # fmt: skip
    pipeline = Pipeline(settings, scene, models, started_s=0.0)
    teller = Teller(WHO, pipeline, custody)
    facts: list[Fact] = []
    for number, (at_s, picture) in enumerate(clip(parts), 1):
        whole = np.ascontiguousarray(picture.repeat(times, axis=0).repeat(times, axis=1))
        at = BEGIN.replace(year=2026) + (datetime.fromtimestamp(at_s, UTC) - EPOCH)
        facts += teller.tell(pipeline.take(Frame(whole, at, at_s, number)))
    return facts, teller


EPOCH = datetime.fromtimestamp(0, UTC)
FULL: list[Part] = [(3, [GOOD]), (4, [NO_HAT]), (5, [GOOD])]


def pictures(facts: list[Fact]) -> list[Evidence]:
    return [fact.data for fact in facts if isinstance(fact.data, Evidence)]


def told(facts: list[Fact], phase: Phase) -> Observation:
    (found,) = [
        fact.data
        for fact in facts
        if isinstance(fact.data, Observation) and fact.data.phase is phase
    ]
    return found


def test_three_moments_of_one_episode(scene: Scene, models: Models) -> None:
    facts, _ = tell(scene, models, FULL)
    before, best, after = pictures(facts)
    assert [one.role.value for one in (before, best, after)] == ["before", "best", "after"]
    opened, closed = told(facts, Phase.OPEN), told(facts, Phase.CLOSED)
    assert opened.evidence == (before.evidence_id, best.evidence_id)
    assert closed.evidence == (before.evidence_id, best.evidence_id, after.evidence_id)
    assert {one.observation_id for one in (before, best, after)} == {opened.observation_id}
    assert before.captured_at < opened.started_at <= best.captured_at <= opened.captured_at
    assert 2.0 <= (after.captured_at - opened.captured_at).total_seconds() < 2.3
    assert (opened.started_at - before.captured_at).total_seconds() < 1.5
    assert [fact.kind for fact in facts] == [
        "observations", "evidence", "evidence", "evidence", "observations",
    ]  # fmt: skip


def test_of_two_looks_that_a_rule_asks_for_the_first_is_shown_too(
    scene: Scene, models: Models
) -> None:
    rule = msgspec.structs.replace(scene.persistence, confirm_after_s=6.0, confirm_within_s=30.0)
    patient = msgspec.structs.replace(scene, persistence=rule)
    dressed: Person = (1, 1, True, True)
    parts: list[Part] = [
        (2, [GOOD]), (2, [NO_HAT, dressed]), (6, [GOOD]), (2, [NO_HAT]), (3, []),
    ]  # fmt: skip
    facts, _ = tell(patient, models, parts)
    opened = told(facts, Phase.OPEN)
    before, best = (one for one in pictures(facts) if one.role.value in ("before", "best"))
    assert opened.evidence == (before.evidence_id, best.evidence_id)
    first_s = (before.captured_at - opened.started_at).total_seconds()
    assert 0.3 < first_s < 1.5
    assert (best.captured_at - before.captured_at).total_seconds() > 5
    assert len(before.boxes) == 1  # whoever was dressed is no subject


def test_boxes_are_in_each_pictures_own_pixels(scene: Scene, models: Models) -> None:
    facts, _ = tell(scene, models, FULL, times=2)
    for one in pictures(facts):
        longest = 1280 if one.role.value == "best" else CONTEXT_SIDE
        assert (one.width, one.height) == (longest, longest * HEIGHT // WIDTH)
        (box,) = one.boxes
        quarter = longest / 4
        assert (box.x0, box.y0, box.x1) == pytest.approx((0, 0, quarter), abs=1)


def test_they_are_small_pictures_without_metadata_and_with_their_hash(
    scene: Scene, models: Models
) -> None:
    facts, _ = tell(scene, models, FULL, times=2)
    for one in pictures(facts):
        assert len(one.content) <= (LARGEST_BYTES if one.role.value == "best" else CONTEXT_BYTES)
        shown = cv2.imdecode(np.frombuffer(one.content, np.uint8), 1)
        assert shown.shape == (one.height, one.width, 3)
        assert one.blurred


def test_others_are_hidden_in_every_moment(scene: Scene, models: Models) -> None:
    """Somebody right beside, within what stays sharp around the subject, keeps no structure."""
    other: Person = (1, 1, True, True)
    parts: list[Part] = [(3, [GOOD, other]), (4, [NO_HAT, other]), (5, [GOOD, other])]
    facts, _ = tell(scene, models, parts)
    whole = cv2.cvtColor(kitchen([NO_HAT, other]), cv2.COLOR_BGR2GRAY)
    place = np.s_[170:310, 170:310]
    assert len(pictures(facts)) == 3
    for one in pictures(facts):
        shown = cv2.imdecode(np.frombuffer(one.content, np.uint8), 0)
        fine = cv2.Laplacian(whole[place], cv2.CV_64F).var()
        assert cv2.Laplacian(shown[place], cv2.CV_64F).var() < fine / 20


def test_the_subjects_eyes_are_hidden_in_every_moment(scene: Scene, models: Models) -> None:
    facts, _ = tell(scene, models, FULL)
    whole = cv2.cvtColor(kitchen([NO_HAT]), cv2.COLOR_BGR2GRAY)
    fine = cv2.Laplacian(whole[64:150, 5:155], cv2.CV_64F).var()
    for one in pictures(facts):
        shown = cv2.imdecode(np.frombuffer(one.content, np.uint8), 0)
        assert cv2.Laplacian(shown[64:150, 5:155], cv2.CV_64F).var() < fine / 20


def test_a_finding_from_the_first_look_on_has_no_before(scene: Scene, models: Models) -> None:
    facts, _ = tell(scene, models, [(4, [NO_HAT])])
    assert [one.role.value for one in pictures(facts)] == ["best", "after"]


def test_an_episode_that_ends_early_has_its_last_look_as_after(
    scene: Scene, models: Models
) -> None:
    facts, _ = tell(scene, models, [(3, [GOOD]), (2, [NO_HAT]), (5, [GOOD])], after_s=60)
    after = pictures(facts)[-1]
    assert after.role.value == "after"
    closed = told(facts, Phase.CLOSED)
    assert after.captured_at == closed.captured_at
    assert closed.evidence[-1] == after.evidence_id
    assert facts[-2].data is closed  # what is told does not wait for its picture


def test_a_camera_that_goes_blind_takes_no_after(scene: Scene, models: Models) -> None:
    facts, teller = tell(scene, models, [(3, [GOOD]), (2, [NO_HAT])], after_s=10)
    facts += teller.end(BEGIN, 5.0)
    assert [one.role.value for one in pictures(facts)] == ["before", "best"]
    assert len(told(facts, Phase.CLOSED).evidence) == 2


def test_every_picture_is_signed_and_told_the_same_again(scene: Scene, models: Models) -> None:
    first, again = (tell(scene, models, FULL)[0] for _ in range(2))
    assert first == again
    public = Ed25519PublicKey.from_public_bytes(KEY.public_key)
    for one in pictures(first):
        assert one.signature is not None and one.signature.key_id == KEY.key_id
        bare = KEY.sign(WHO, one).signature
        assert bare == one.signature
        with pytest.raises(Exception, match=r"^$"):
            public.verify(one.signature.value, one.content)
    unsigned, _ = tell(scene, models, FULL, custody=Custody())
    assert [one.signature for one in pictures(unsigned)] == [None] * 3


def test_the_original_is_put_aside_for_two_officers(
    scene: Scene, models: Models, tmp_path: Path
) -> None:
    keys = [X25519PrivateKey.generate() for _ in range(2)]
    officers = [
        PublicKey(n, k.public_key().public_bytes_raw()) for n, k in zip("ab", keys, strict=True)
    ]
    vault = Vault(tmp_path, officers, retention_days=30, most_bytes=1 << 20)
    facts, teller = tell(scene, models, FULL, custody=Custody(KEY, vault))
    (original,) = teller.showing.take_originals()
    assert teller.showing.take_originals() == []
    _, best, after = pictures(facts)
    assert best.original_sha256 == original.about.sha256 and after.original_sha256 == ""
    assert original.about.evidence_id == best.evidence_id
    path = vault.keep(original.picture, original.about, best.captured_at)
    about, content = open_sealed(path.read_bytes(), keys)
    assert about.captured_at == best.captured_at
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), 1)
    number = round((best.captured_at - BEGIN.replace(year=2026)).total_seconds() * 10)
    unblurred = kitchen([NO_HAT], seed=number).astype(int)
    assert np.abs(shown.astype(int) - unblurred).mean() < 5
    hidden = cv2.imdecode(np.frombuffer(best.content, np.uint8), 1)
    assert np.abs(hidden.astype(int) - unblurred).mean() > 8


def test_without_two_keys_no_original_is_kept(scene: Scene, models: Models) -> None:
    facts, teller = tell(scene, models, FULL)
    assert teller.showing.take_originals() == []
    assert {one.original_sha256 for one in pictures(facts)} == {""}


def test_a_blind_camera_shows_what_it_last_saw(scene: Scene, models: Models) -> None:
    settings = CameraSettings("cam-1", "file:none", "test", looks_per_s=10.0,
                              honesty=HonestySettings(degrade_after_s=1.0))  # fmt: skip
    pipeline = Pipeline(settings, scene, models, started_s=0.0)
    teller = Teller(WHO, pipeline)
    facts: list[Fact] = []
    frames = [*clip([(3, [GOOD])]), *((3 + s, p) for s, p in clip([(2, [])], light=0.05))]
    for number, (at_s, picture) in enumerate(frames, 1):
        facts += teller.tell(pipeline.take(Frame(picture, BEGIN, at_s, number)))
    before, best = pictures(facts)
    assert (before.role.value, best.role.value) == ("before", "best")
    light = [cv2.imdecode(np.frombuffer(p.content, np.uint8), 0).mean() for p in (before, best)]
    assert light[0] > 80 > 20 > light[1]
    assert told(facts, Phase.OPEN).evidence == (before.evidence_id, best.evidence_id)


def test_the_hours_number_holds_and_is_said(scene: Scene, models: Models) -> None:
    facts, teller = tell(scene, models, FULL * 3, per_hour=3)
    # Of three a hour, two may be before or after; the third is kept for the next best one.
    assert [one.role.value for one in pictures(facts)] == ["before", "best", "best"]
    opened = [
        f.data for f in facts if isinstance(f.data, Observation) and f.data.phase is Phase.OPEN
    ]
    assert [len(one.evidence) for one in opened] == [2, 1, 0]
    assert teller.showing.figures() == {"pictures": 3, "pictures_withheld": 6}
    assert teller.showing.budget.bites(36.0) and not teller.showing.budget.bites(3700.0)


@given(st.lists(st.tuples(st.floats(0, 900), st.booleans()), max_size=60), st.integers(1, 9))
def test_no_hour_has_more_than_its_number(steps: list[tuple[float, bool]], most: int) -> None:
    budget, at_s = Budget(most), 0.0
    sent: list[tuple[float, bool]] = []
    for wait_s, context in steps:
        at_s += wait_s
        if budget.allows(at_s, context=context):
            sent.append((at_s, context))
    for at_s, _ in sent:
        hour = [context for s, context in sent if at_s <= s < at_s + 3600]
        assert len(hour) <= most
        assert not hour or not all(hour) or len(hour) <= max(1, most * 2 // 3)
    assert budget.sent == len(sent) and budget.withheld == len(steps) - len(sent)


def test_a_look_of_long_ago_is_no_before(scene: Scene, models: Models) -> None:
    _, teller = tell(scene, models, [(2, [GOOD])])
    moments = teller.showing.moments
    last = moments.before(10.0)
    assert last is not None
    assert moments.before(last.seen_s + STALE_S + 1) is None
    assert moments.before(-1.0) is None
