"""Every profile that we ship: loads, is documented, and gives what its captures say; any split."""

import itertools
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.limits import load_limits
from edge_agent.instruments.captures import CAPTURED_AT, case_input, cases, run_case
from edge_agent.instruments.offline import decode_stream
from edge_agent.instruments.profiles import load_profile, profile_names
from edge_agent.instruments.results import Reader

CONFIGS = Path(__file__).parents[3] / "firmware_configs"
FOLDER = CONFIGS / "instruments"
LIMITS = load_limits(CONFIGS / "limits")
CASES = [
    (name, case) for name in profile_names(FOLDER) for case in cases(load_profile(FOLDER, name))
]


@pytest.mark.parametrize("name", profile_names(FOLDER))
def test_profile_is_whole(name: str) -> None:
    profile = load_profile(FOLDER, name)
    assert (profile.folder / "README.md").is_file()
    assert cases(profile), "captures are a profile's tests"


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}-{c.name}" for n, c in CASES])
def test_case(name: str, case: Path) -> None:
    profile = load_profile(FOLDER, name)
    assert run_case(profile, Reader(profile.ref, LIMITS), case) == []


BYTES = [(name, case) for name, case in CASES if not (case / "dialogue.txt").is_file()]


@pytest.mark.parametrize(("name", "case"), BYTES, ids=[f"{n}-{c.name}" for n, c in BYTES])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(0, 5000), max_size=8))
def test_any_split_of_a_case_gives_the_same(name: str, case: Path, cuts: list[int]) -> None:
    profile = load_profile(FOLDER, name)
    reader = Reader(profile.ref, LIMITS)
    content = case_input(case)
    places = sorted({cut % (len(content) + 1) for cut in cuts} | {0, len(content)})
    reads = [content[a:b] for a, b in itertools.pairwise(places)]
    whole = list(decode_stream(profile, reader, [content], CAPTURED_AT))
    assert list(decode_stream(profile, reader, reads, CAPTURED_AT)) == whole


@pytest.mark.parametrize("name", profile_names(FOLDER))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=st.binary(max_size=300))
def test_never_raises_on_bytes(name: str, content: bytes) -> None:
    profile = load_profile(FOLDER, name)
    list(decode_stream(profile, Reader(profile.ref, LIMITS), [content], CAPTURED_AT))
