"""A testing room of the town with a task and a sample; a look at the canteen's camera, and its
kept picture."""

import hashlib
from datetime import datetime, timedelta

from console_facts import key_of, kitchen_picture
from console_places import CANTEEN, MARKET

from contracts.events import Evidence
from contracts.looks import kept_evidence, kept_observation
from contracts.room import Attached, SampleRecord
from contracts.words import AttachedHow
from ledger import evidence, kept_frames, looks, results, samples, tasks
from ledger.engine import Connection
from ledger.samples import ToldSample

TASK = "task-leafy"


def add_rooms(conn: Connection, now: datetime) -> None:
    """Write them beside the town: the sample is the market's newest result's."""
    (test,) = results.list_in(conn, [MARKET.region], 1)
    day = timedelta(days=1)
    tasks.add(
        conn,
        tasks.Task(
            id=TASK,
            title="叶菜农药残留专项",
            region=MARKET.region,
            site=MARKET.site,
            food_group="vegetable",
            items=("pesticide_inhibition",),
            wanted=30,
            starts_at=now - 40 * day,
            due_at=now + 5 * day,
            created_at=now - 40 * day,
            created_by="officer-baisha",
        ),
    )
    at = test.captured_at
    own = Attached(test.device, test.result_id, AttachedHow.NUMBER, at)
    record = SampleRecord(
        sample_id="sample-leafy",
        revision=1,
        number=test.sample_number,
        registered_at=at - timedelta(minutes=9),
        product=test.sample_name,
        task_id=TASK,
        attached=(own,),
    )
    samples.take_in(conn, [ToldSample(MARKET, MARKET.device, record, at)])
    camera = CANTEEN.sibling("cam-1")
    look_id = looks.ask(conn, camera, "officer-baisha", "复核预警后的现场情况", now - day)
    look = looks.get(conn, look_id)
    assert look is not None
    kept_id = kept_frames.ask(conn, look, "officer-baisha", "地面积水", "0" * 64, now - day)
    shown = kitchen_picture()[0]
    kept = Evidence(
        kept_evidence(camera, kept_id), "image/jpeg", shown, hashlib.sha256(shown).hexdigest(),
        640, 360, now - day, True, kept_observation(kept_id),
    )  # fmt: skip
    evidence.put(conn, camera, key_of(camera).sign(camera, kept), now - day, agent="agent")
