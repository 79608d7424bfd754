"""Results, readings and complaints as plain JSON objects: what the commands and captures speak."""

from datetime import UTC, datetime
from typing import Any

from contracts.events import Reading, TestResult


def iso(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with ``Z``, or None."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at is not None else None


def result_line(result: TestResult) -> dict[str, Any]:
    """A quick-test result. Values stay text; `number` is beside it where there is one."""
    flags = dict(flag.split("=", 1) for flag in result.flags if "=" in flag)
    sample = result.sample
    number = "" if result.record_number is None else str(result.record_number)
    line: dict[str, Any] = {
        "sample_id": sample.number or number or sample.name,
        "item": "" if "no_item" in result.flags else result.item,
        "value": result.value.text,
        "number": result.value.number,
        "unit": result.value.unit,
        "flag": flags.get("flag", ""),
        "status": flags.get("status", ""),
        "measured_at": iso(result.measured_at),
        "operator": result.operator,
        "raw_sha256": result.raw.sha256,
        "sample_name": sample.name,
        "name_cut": sample.name_cut,
        "name_guess": flags.get("name_guess", ""),
        "record_number": result.record_number,
        "channel": result.channel,
        "comparator": result.value.comparator,
        "bound": result.value.bound,
        "qualitative": result.value.qualitative,
        "verdict": result.verdict.value,
        "instrument_verdict": result.instrument_verdict,
        "measured_text": result.measured_text,
        "flags": [flag for flag in result.flags if "=" not in flag],
        "profile": f"{result.profile.id} {result.profile.version}",
    }
    return line


def reading_line(reading: Reading, raw_sha256: str = "", *, live: bool = True) -> dict[str, Any]:
    """A probe's reading, in the same keys. Its time is ours; from a file (not `live`) none."""
    return {
        "sample_id": "",
        "item": reading.metric,
        "value": f"{reading.value:.10g}",
        "number": reading.value,
        "unit": reading.unit,
        "flag": "",
        "status": reading.quality.value,
        "measured_at": iso(reading.measured_at) if live else None,
        "operator": "",
        "raw_sha256": raw_sha256,
    }


def discard_line(offset: int, content: bytes, reason: str) -> dict[str, Any]:
    """Bytes that were discarded or could not be read."""
    shown = content[:64].hex().upper()
    return {
        "offset": offset,
        "bytes": len(content),
        "reason": reason,
        "content": shown + ("…" if len(content) > 64 else ""),
    }
