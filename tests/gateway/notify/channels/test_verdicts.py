"""What answers mean, what addresses may be, and what people read: the pure parts of channels."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from apprise import Apprise
from hypothesis import given
from hypothesis import strategies as st
from notify_parts import NOON, message

from gateway.notify.channels.address import BadAddress, check_address, fill, scrubbed
from gateway.notify.channels.apprise_channel import load_plugins
from gateway.notify.channels.channel import Failed, Retry, Sent
from gateway.notify.channels.text import cut, text_for
from gateway.notify.channels.verdicts import (
    AGAIN_MOST_S,
    Answer,
    of_answer,
    of_smtp,
    retry_after_s,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Sent),
        (202, Sent),
        (301, Failed),
        (400, Failed),
        (401, Failed),
        (404, Failed),
        (408, Retry),
        (425, Retry),
        (429, Retry),
        (499, Failed),
        (500, Retry),
        (503, Retry),
        (599, Retry),
    ],
)
def test_a_status_says_whether_to_try_again(status: int, kind: type) -> None:
    assert isinstance(of_answer(Answer(status, b'{"errcode": 0}'), NOON), kind)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (b'{"errcode":0,"errmsg":"ok"}', Sent()),  # WeCom, DingTalk
        (b'{"code":0,"msg":"success","data":{}}', Sent()),  # Feishu
        (b"ok", Sent()),
        (b'["errcode"]', Sent()),
        (b'{"errcode":true}', Sent()),
        (b'{"errcode":93000,"errmsg":"invalid url"}', Failed("code 93000: invalid url")),
        (b'{"errcode":45009,"errmsg":"api freq"}', Retry("code 45009: api freq", 60.0)),
        (b'{"errcode":310000,"errmsg":"no keyword"}', Failed("code 310000: no keyword")),
        (b'{"errcode":-1,"errmsg":"system busy"}', Retry("code -1: system busy")),
        (b'{"code":19024,"msg":"Key Words Not Found"}', Failed("code 19024: Key Words Not Found")),
        (b'{"code":11232,"msg":"frequency limited"}', Retry("code 11232: frequency limited", 60.0)),
    ],
)  # fmt: skip
def test_a_body_may_refuse_what_its_status_accepts(body: bytes, outcome: object) -> None:
    assert of_answer(Answer(200, body), NOON, by_body=True) == outcome
    assert of_answer(Answer(200, body), NOON) == Sent()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", None),
        ("7", 7.0),
        ("99999999999", AGAIN_MOST_S),
        ("-1", None),
        ("soon", None),
        ("Mon, 02 Mar 2026 04:00:30 GMT", 30.0),
        ("Mon, 02 Mar 2026 03:59:00 GMT", 0.0),
    ],
)
def test_retry_after_is_a_number_or_a_date(said: str, seconds: float | None) -> None:
    assert retry_after_s(said, NOON) == seconds
    assert of_answer(Answer(503, b"", said), NOON) == Retry("HTTP 503", seconds)


def test_a_mail_servers_reply_says_whether_to_try_again() -> None:
    greylisted = "Socket Exception: {'li@x.cn': (451, b'4.7.1 Greylisted, try later')}"
    assert of_smtp(greylisted) == Retry("SMTP 451 4.7.1 Greylisted, try later")
    assert of_smtp("(550, b'5.1.1 no such user', 'a')") == Failed("SMTP 550 5.1.1 no such user")
    assert of_smtp("(451, b'wait')\n(550, b'never')") == Failed("SMTP 550 never")
    assert of_smtp("[Errno 111] Connection refused") is None
    assert of_smtp("(354, b'go on')") is None


@given(st.text(max_size=40))
def test_no_address_changes_the_url_around_it(address: str) -> None:
    template = "jsons://user:pw@receiver.example/hook/{address}/end?to={address}&x=1"
    try:
        url = fill(template, address)
    except BadAddress:
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc) == ("jsons", "user:pw@receiver.example")
    assert parts.path.split("/")[3:] == ["end"] and parts.query.endswith("&x=1")
    assert parts.fragment == ""


@pytest.mark.parametrize(
    "address",
    ["a@b.cn,evil@x.cn", "a@b.cn?cc=evil@x.cn", "a%26cc%3Devil@x.cn", "a b", "..", "a\n", "", "a;b",
     "a/b", "a:b", "a#b", "x" * 255, "甲"],
)  # fmt: skip
def test_what_could_mean_something_to_a_url_is_no_address(address: str) -> None:
    with pytest.raises(BadAddress):
        fill("mailto://localhost?to={address}", address)


@pytest.mark.parametrize(
    "address", ["li.guohua+duty@example.com", "13800000000", "+86138", "WangLi_2"]
)
def test_usual_addresses_arrive_as_they_are(address: str) -> None:
    assert check_address(address) == address
    if "@" in address:
        load_plugins()
        made = Apprise.instantiate(fill("mailto://localhost?from=a@b.cn&to={address}", address))
        assert made is not None and [to for _, to in made.targets] == [address]


def test_secrets_do_not_pass() -> None:
    told = scrubbed("no route to\n https://x/s%2Fecret/s/ecret of 138", "s/ecret", "138", "", "ab")
    assert told == "no route to https://x/…/… of …"


@given(st.text(max_size=300), st.text(max_size=600), st.integers(150, 900))
def test_what_is_sent_fits_and_keeps_time_and_link(title: str, body: str, most: int) -> None:
    text = text_for(message(title=title, body=body), "zh", most)
    assert len((text.title + text.body).encode()) <= most
    assert "2026-03-02 12:00" in text.body and text.body.endswith(
        "https://console.example/alerts/a1"
    )
    assert "\n" not in text.title
    assert all(one.isprintable() or one == "\n" for one in text.title + text.body)


def test_the_time_is_the_alerts_and_local() -> None:
    later = message(at=NOON + timedelta(hours=3))
    assert "时间：2026-03-02 12:00" in text_for(later, "zh", 900).body
    assert "Time: 2026-03-02 12:00 (UTC+8)" in text_for(later, "en", 900).body
    none = message(at=NOON + timedelta(hours=3), alerts=(), url="")
    assert text_for(none, "zh", 900).body.endswith("时间：2026-03-02 15:00")


def test_a_cut_never_splits_a_character() -> None:
    assert cut("冷库温度", 12) == "冷库温度"
    assert cut("冷库温度", 11) == "冷库…"
    assert cut("冷库温度", 2) == ""
