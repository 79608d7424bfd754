"""The console goes by the casework that its settings name, and refuses what is not there."""

from pathlib import Path

import pytest

from contracts.casework_file import FOLDER
from contracts.settings import SettingsError
from ledger.settings import LedgerSettings
from server.app import casework_of
from server.settings import ServerSettings
from timeseries.settings import SeriesSettings


def settings(**keys: str) -> ServerSettings:
    return ServerSettings(LedgerSettings(url="sqlite://"), SeriesSettings(), **keys)


def test_the_city_s_own(tmp_path: Path) -> None:
    assert casework_of(settings(), tmp_path).rules.version == "2"
    own = tmp_path / "own"
    own.mkdir()
    for file in FOLDER.glob("*.toml"):
        text = file.read_text("utf-8").replace('version = "2"', 'version = "江门 2"')
        (own / file.name).write_text(text, "utf-8")
    year = 'year = 2031\nsource = "test"\nmark = "U"\nholiday = []\n'
    (own / "cn_2031.toml").write_text(year, "utf-8")
    with pytest.raises(SettingsError, match="cn_2031"):
        casework_of(settings(casework="own"), tmp_path)  # no casework file
    (tmp_path / "days").mkdir()
    (own / "cn_2031.toml").rename(tmp_path / "days" / "cn_2031.toml")
    work = casework_of(settings(casework="own", calendars="days"), tmp_path)
    assert work.rules.version == "江门 2"
    assert list(work.calendar.years) == [2031]


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="none"):
        casework_of(settings(casework="none"), tmp_path)
    with pytest.raises(SettingsError, match="none"):
        casework_of(settings(calendars="none"), tmp_path)
