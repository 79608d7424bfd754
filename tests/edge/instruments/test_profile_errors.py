"""Broken profiles and templates: every error names file and key, and what to write instead."""

from datetime import date
from pathlib import Path

import pytest

from contracts.profile_framing import Check
from contracts.settings import SettingsError
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.templates import TemplateError, parse_template

FOLDER = Path(__file__).parents[3] / "firmware_configs" / "instruments"


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("dayuan_lz_4000t", "baud = 115200", 'baud = "fast"', "link.baud"),
        ("dayuan_lz_4000t", "baud = 115200", "bauds = 115200", "link: .*bauds"),
        ("dayuan_lz_4000t", 'then = "pull"', 'then = "push"', r"steps\[0\].then: no step 'push'"),
        ("dayuan_lz_4000t", 'reply = "count"', 'reply = "sum"', r"steps\[0\].reply: no record"),
        ("dayuan_lz_4000t", '"7E 12 03', '"7X 12 03', r"steps\[0\].request: at character 1"),
        ("dayuan_lz_4000t", 'total = "total"', 'total = "all"', r"steps\[1\].total: .*'all'"),
        ("dayuan_lz_4000t", 'value = "inhibition"', 'value = "rate"', r"result.value: no field"),
        ("dayuan_lz_4000t", 'item = "抑制率"', "", "give either `item`"),
        ("dayuan_lz_4000t", "length = 6, ", "", r"fields.sample.length: a text field needs one"),
        ("dayuan_lz_4000t", 'kind = "length"', 'kind = "lenght"', "framer"),
        ("generic_xy_md02", 'name = "climate"\nfunction', 'name = "x"\nfunction', "no record 'x'"),
        ("generic_lis2", 'item = "R.3"', 'item = "R3"', "fields"),
        ("generic_lis2", 'kind = "e1381"', 'kind = "listen"', "framer: is missing"),
        ("generic_lis2", "format = 1", "format = 2", "format"),
        ("generic_lis2", 'version = "1.1.0"', 'version = "1"', "version"),
    ],
)
def test_errors_name_file_and_key(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    text = (FOLDER / name / "profile.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / name / "profile.toml"
    path.parent.mkdir()
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(SettingsError, match=message) as caught:
        load_profile(tmp_path, name)
    assert str(path) in str(caught.value)


def test_unknown_name_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there are: .*dayuan_lz_4000t"):
        load_profile(FOLDER, "dayuan_lz4000t")
    with pytest.raises(SettingsError, match="lower-case"):
        load_profile(FOLDER, "../secrets")


def test_templates() -> None:
    crc8 = Check(kind="crc8", start=1, at=-2)
    day = date(2026, 11, 23)

    def fill(text: str, check: Check | None = None) -> bytes:
        return parse_template(text).fill(day=day, address=5, check=check)

    assert fill("7E 10 03 00 {day:ymd} {check} AA", crc8).hex() == "7e1003001a0b1775aa"
    assert fill("'D'{day:%Y-%m-%d}'D'{day:%Y-%m-%d}") == b"D2026-11-23D2026-11-23"
    assert fill("{address} 03 {day:bcd}") == bytes.fromhex("0503261123")
    for broken in ("7", "{day}", "{day:x}", "{name}", "'open", "{check:x}"):
        with pytest.raises(TemplateError):
            parse_template(broken)
