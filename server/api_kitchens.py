"""The API's shapes of bright kitchens 明厨亮灶: cameras, regions, who cannot be seen, looks."""

from datetime import datetime

from pydantic import BaseModel, Field

from contracts.words import in_chinese, in_english
from ledger.evidence import EvidenceRow
from ledger.kept_frames import KeptRow
from ledger.kitchens import Camera
from server.kitchen_wall import BlindLine, Line, RegionLine, Share
from server.looking import LEAST_REASON, MOST_REASON, LookLine, state_of


class Coverage(BaseModel):
    """Minutes of meals in which a camera proved that it saw, of the minutes that were due."""

    live_minutes: int = Field(examples=[108])
    due_minutes: int = Field(description="0: nothing was told.", examples=[120])


class KitchenPicture(BaseModel):
    """The newest picture that shows the kitchen, coarse and with heads hidden."""

    source: str = Field(description="`evidence` or `look`.", examples=["look"])
    id: str = Field(examples=["5d0a8c1f2b3e4a67"])
    captured_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])


class KitchenCamera(BaseModel):
    """A kitchen's camera and what can be said of it now. `unknown` is not fine."""

    region: str = Field(examples=["440703-baisha"])
    site: str = Field(examples=["tangxia-canteen"])
    camera: str = Field(examples=["cam-1"])
    name: str = Field(examples=["切配间摄像头"])
    site_name: str = Field(examples=["棠下中学食堂"])
    establishment_id: str | None = Field(examples=["tangxia-school"])
    place: str = Field(
        description="Name of the establishment, or of the site.", examples=["棠下中学食堂"]
    )
    state: str = Field(
        description="`live`: it proved a moment ago that it sees. `doubtful`, `blind`, `resting` "
        "(lights off), `unknown`: it was not heard lately, whatever it said last.",
        examples=["blind"],
    )
    since: datetime = Field(
        description="Of `live`, when it last proved it; of `unknown`, when it was last heard; else "
        "when that began.",
        examples=["2026-03-02T01:12:45Z"],
    )
    kind: str = Field(
        description="What is wrong with its sight; empty: nothing, or something else.",
        examples=["camera_covered"],
    )
    detail_zh: str = Field(description="What the site says.", examples=["镜头被遮挡"])
    detail_en: str = Field(examples=["the lens is covered"])
    heard: bool = Field(description="Whether it was ever heard.", examples=[True])
    alert_id: str | None = Field(
        description="The newest open alert on it, or on its site's agent.",
        examples=["9f2c41d07be8a635"],
    )


class KitchenCameraItem(KitchenCamera):
    """A camera on the wall, with its meals and its newest picture."""

    today: Coverage = Field(description="Meals that are over, and the running one so far.")
    week: Coverage = Field(description="Meals of seven days that are over.")
    days_told: int = Field(description="Of so many days of the week a meal.", examples=[7])
    picture: KitchenPicture | None


class KitchenMeal(BaseModel):
    """One meal of a camera."""

    ends_at: datetime = Field(examples=["2026-03-02T05:00:00Z"])
    live_minutes: int = Field(examples=[108])
    due_minutes: int = Field(examples=[120])


class BlindSpell(BaseModel):
    """When a camera could not see."""

    kind: str = Field(examples=["camera_covered"])
    started_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    ended_at: datetime | None = Field(description="Null: it lasts.", examples=[None])
    reason_zh: str = Field(examples=["镜头被遮挡"])
    reason_en: str = Field(examples=["the lens is covered"])


class KitchenCameraWhole(KitchenCameraItem):
    """A camera with its last fourteen days."""

    meals: list[KitchenMeal]
    blind: list[BlindSpell]
    look_id: str | None = Field(description="Of the look that runs now.", examples=[None])


class BlindCamera(KitchenCamera):
    """A camera that cannot see or is unknown, and how many people know."""

    alert_rule: str | None = Field(examples=["camera_covered"])
    told: int = Field(description="People whom a message of the alert has reached.", examples=[2])


class KitchenRegion(BaseModel):
    """The cameras of a region by state."""

    region: str = Field(examples=["440703"])
    part: str = Field(
        description="`whole`: the region asked for; `below`: a part of it; `here`: what lies in "
        "it and in no part of it.",
        examples=["whole"],
    )
    name_zh: str = Field(examples=["蓬江区"])
    name_en: str = Field(examples=["Pengjiang"])
    cameras: int = Field(examples=[40])
    live: int = Field(examples=[36])
    doubtful: int = Field(examples=[1])
    blind: int = Field(examples=[2])
    resting: int = Field(examples=[0])
    unknown: int = Field(examples=[1])
    silent: int = Field(description="Told no meal in the week.", examples=[1])
    today: Coverage
    week: Coverage


class LookRequest(BaseModel):
    """Why somebody wants to see a kitchen now. It stands in the city's log and in the site's."""

    reason: str = Field(
        min_length=LEAST_REASON, max_length=MOST_REASON, examples=["复核 09:12 的预警"]
    )


class KitchenLook(BaseModel):
    """A look at a camera: who asked, why, what came."""

    id: str = Field(examples=["5d0a8c1f2b3e4a67"])
    region: str = Field(examples=["440703-baisha"])
    site: str = Field(examples=["tangxia-canteen"])
    camera: str = Field(examples=["cam-1"])
    asked_by: str = Field(description="Officer's id.", examples=["5d0a8c1f"])
    asked_by_name: str = Field(examples=["陈志强"])
    asked_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    reason: str = Field(examples=["复核 09:12 的预警"])
    state: str = Field(
        description="`asked`, `sent`, `live`, `over`, `blind` (the camera does not prove that it "
        "sees), `refused` by the site, `unanswered`.",
        examples=["live"],
    )
    running: bool = Field(description="Whether something may still come.", examples=[True])
    detail_zh: str = Field(description="Why nothing (more) comes.", examples=[""])
    detail_en: str = Field(examples=[""])
    pictures: int = Field(description="How many came; the newest is kept.", examples=[12])
    captured_at: datetime | None = Field(
        description="When the newest was taken.", examples=["2026-03-02T01:12:58Z"]
    )
    sha256: str = Field(description="Of the newest; empty: there is none.", examples=["9f2c…"])
    signature: str | None = Field(
        description="Of the newest: `valid`, `unknown_key`, `new_key`, `revoked_key`, `unsigned`, "
        "`invalid` (altered); null: there is none.",
        examples=["valid"],
    )


class KeepRequest(BaseModel):
    """Which picture of a look is to be kept as evidence, and why."""

    sha256: str = Field(
        pattern="^[0-9a-f]{64}$", description="Of the picture as the look told it.",
        examples=["9f2c41d07be8a6355d0a8c1f2b3e4a679f2c41d07be8a6355d0a8c1f2b3e4a67"],
    )  # fmt: skip
    reason: str = Field(
        min_length=LEAST_REASON, max_length=MOST_REASON, examples=["地面积水，需责令整改"]
    )


class KeptPicture(BaseModel):
    """A picture of a look that was asked to be kept, and what became of it."""

    kept_id: str = Field(examples=["5d0a8c1f2b3e4a67"])
    look_id: str = Field(examples=["9f2c41d07be8a635"])
    region: str = Field(examples=["440703-baisha"])
    site: str = Field(examples=["tangxia-canteen"])
    camera: str = Field(examples=["cam-1"])
    asked_by: str = Field(description="Officer's id.", examples=["5d0a8c1f"])
    asked_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    reason: str = Field(examples=["地面积水，需责令整改"])
    sha256: str = Field(description="Of the picture as it was shown.", examples=["9f2c…"])
    state: str = Field(
        description="`waiting` for the site, `coming` (the site has kept it), `stored`, "
        "`not_kept` (the site has it no more, or cannot), `unanswered`.",
        examples=["stored"],
    )
    detail_zh: str = Field(description="Why it is not kept.", examples=[""])
    detail_en: str = Field(examples=[""])
    evidence_id: str = Field(examples=["0c4e9b1d22aa41f7c9e0"])
    signature: str | None = Field(
        description="Of the evidence: `valid`, `new_key`, `revoked_key`, `unsigned`, `invalid` "
        "(altered); null while it has not come.",
        examples=["valid"],
    )
    original_sha256: str = Field(
        description="Of the unblurred original that is sealed at the site; empty: none.",
        examples=[""],
    )


def kept_item(row: KeptRow, picture: EvidenceRow | None, now: datetime) -> KeptPicture:
    """A kept picture as it stands."""
    return KeptPicture(
        kept_id=row.kept_id, look_id=row.look_id, region=row.region, site=row.site,
        camera=row.device, asked_by=row.asked_by, asked_at=row.asked_at, reason=row.reason,
        sha256=row.sha256, state=row.stands(now), detail_zh=in_chinese(row.detail),
        detail_en=in_english(row.detail), evidence_id=row.evidence_id,
        signature=picture.vouched.value if picture else None,
        original_sha256=picture.original_sha256 if picture else "",
    )  # fmt: skip


def coverage(share: Share | None) -> Coverage:
    """A share in the API's shape."""
    return Coverage(live_minutes=share.live, due_minutes=share.due) if share else _NOTHING


_NOTHING = Coverage(live_minutes=0, due_minutes=0)


def camera_fields(camera: Camera, alert_id: str | None) -> dict[str, object]:
    """The fields of `KitchenCamera`."""
    return {
        "region": camera.region, "site": camera.site, "camera": camera.device,
        "name": camera.name, "site_name": camera.site_name, "place": camera.place,
        "establishment_id": camera.establishment_id, "state": camera.state.value,
        "since": camera.since, "kind": camera.kind, "detail_zh": in_chinese(camera.detail),
        "detail_en": in_english(camera.detail), "heard": camera.heard, "alert_id": alert_id,
    }  # fmt: skip


def camera_item(line: Line) -> KitchenCameraItem:
    """A camera of the wall."""
    picture = None
    look_at = line.look.captured_at if line.look else None
    if line.look is not None and look_at is not None:
        picture = KitchenPicture(source="look", id=line.look.look_id, captured_at=look_at)
    elif line.frame is not None:
        frame = line.frame
        picture = KitchenPicture(
            source="evidence", id=frame.evidence_id, captured_at=frame.captured_at
        )
    told = camera_fields(line.camera, line.alert.alert_id if line.alert else None) | {
        "today": coverage(line.today), "week": coverage(line.week),
        "days_told": line.camera.days_told, "picture": picture,
    }  # fmt: skip
    return KitchenCameraItem.model_validate(told)


def blind_item(line: BlindLine) -> BlindCamera:
    """A camera that cannot see."""
    alert = line.alert
    told = camera_fields(line.camera, alert.alert_id if alert else None) | {
        "alert_rule": alert.rule if alert else None,
        "told": len(line.names),
    }
    return BlindCamera.model_validate(told)


def region_item(line: RegionLine, part: str) -> KitchenRegion:
    """A region's counts."""
    states = line.states
    return KitchenRegion(
        region=line.code, part=part, name_zh=line.name[0], name_en=line.name[1],
        cameras=states.cameras, silent=states.silent, today=coverage(states.today),
        week=coverage(states.week), **states.by_state,
    )  # fmt: skip


def look_item(line: LookLine, now: datetime) -> KitchenLook:
    """A look as it stands."""
    row = line.row
    return KitchenLook(
        id=row.look_id, region=row.region, site=row.site, camera=row.device,
        asked_by=row.asked_by, asked_by_name=row.name, asked_at=row.asked_at, reason=row.reason,
        state=state_of(row, now), running=row.running(now), detail_zh=in_chinese(row.detail),
        detail_en=in_english(row.detail), pictures=row.pictures, captured_at=row.captured_at,
        sha256=row.sha256, signature=row.vouched.value if row.sha256 else None,
    )  # fmt: skip
