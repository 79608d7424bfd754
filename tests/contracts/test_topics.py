"""Topics: built and taken apart the same way; nothing can be smuggled through an identity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.topics import (
    Channel,
    TopicError,
    alert_topic,
    channel_filter,
    device_topic,
    identity,
    parse_device_topic,
    parse_source,
    shared,
)

segments = st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z")


@given(segments, segments, segments, st.sampled_from(Channel))
def test_what_is_built_is_taken_apart(
    region: str, site: str, device: str, channel: Channel
) -> None:
    who = identity(region, site, device)
    topic = parse_device_topic(device_topic(who, channel))
    assert (topic.identity, topic.channel) == (who, channel)
    assert parse_source(who.source) == who


@given(st.text())
def test_any_text_is_a_topic_or_an_error_that_says_so(text: str) -> None:
    try:
        topic = parse_device_topic(text)
    except TopicError as error:
        assert str(error)
    else:
        assert device_topic(topic.identity, topic.channel) == text


@pytest.mark.parametrize("bad", ["", "a/b", "+", "#", "a b", "镇", "x" * 65, "a\n", "a\0"])
def test_a_segment_cannot_hold_a_separator_or_wildcard(bad: str) -> None:
    with pytest.raises(TopicError, match="site"):
        identity("440703", bad, "agent")


@pytest.mark.parametrize(
    ("topic", "says"),
    [
        ("fs/v2/440703/s/d/tests", "is not fs/v1"),
        ("fs/v1/440703/s/d", "is not fs/v1"),
        ("fs/v1/440703/s/d/tests/x", "is not fs/v1"),
        ("fs/v1/440703/s/d/gossip", "unknown channel 'gossip'"),
        ("fs/v1//s/d/tests", "region ''"),
    ],
)
def test_an_error_says_what_is_wrong(topic: str, says: str) -> None:
    with pytest.raises(TopicError, match=says):
        parse_device_topic(topic)


def test_filters() -> None:
    assert shared("gateway", channel_filter(Channel.TESTS)) == "$share/gateway/fs/v1/+/+/+/tests"
    assert alert_topic("440703", "room", "a1") == "fs/v1/440703/room/alerts/a1"
