"""Reads the answers of notification services: what may be tried again, what is refused for good.

Many services answer 200 and say in the body that they have refused. Codes that mean "too much" or
"busy" are data with their source; any other code that is not success is a refusal.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from gateway.notify.channels.address import scrubbed
from gateway.notify.channels.channel import Failed, Outcome, Retry, Sent

RETRY_STATUSES = frozenset({408, 425, 429})
"""Besides all of 5xx: request timeout, too early, too many requests (RFC 9110, 8470, 6585)."""
AGAIN_MOST_S = 86_400.0
RATE_PAUSE_S = 60.0
"""WeCom and DingTalk count 20 messages a minute and robot, Feishu 100 [S]."""

_BUSY = {
    -1: None,  # WeCom and DingTalk: system busy [S]
    45009: RATE_PAUSE_S,  # WeCom: api freq out of limit [S]
    45033: RATE_PAUSE_S,  # WeCom: too many concurrent calls [S]
    90030: RATE_PAUSE_S,  # DingTalk: webhook over limit [S]
    130101: RATE_PAUSE_S,  # DingTalk: send too fast [S]
    410100: RATE_PAUSE_S,  # DingTalk: send too fast, new code [S]
    9499: None,  # Feishu: too many requests or bad request, it says both [S]
    11232: RATE_PAUSE_S,  # Feishu: frequency limit [S]
    99991400: RATE_PAUSE_S,  # Feishu: request trigger frequency limit [S]
}
_SMTP = re.compile(r"\((\d{3}), b?['\"]([^'\"]*)")
_TOLD = 200


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer, as far as it matters: the body's beginning."""

    status: int
    body: bytes = b""
    retry_after: str = ""


def of_answer(answer: Answer, now: datetime, *, by_body: bool = False) -> Outcome:
    """What an HTTP answer means, by its status, and with `by_body` by the code in its body."""
    status = answer.status
    if 200 <= status < 300:
        return of_body(answer.body) if by_body else Sent()
    told = f"HTTP {status}{_words(answer.body)}"
    if status >= 500 or status in RETRY_STATUSES:
        return Retry(told, retry_after_s(answer.retry_after, now))
    if 300 <= status < 400:
        return Failed(f"{told}: redirects are not followed")
    return Failed(told)


def of_body(body: bytes) -> Outcome:
    """What the body of a successful HTTP answer says: WeCom, DingTalk, Feishu and their like."""
    found = _object(body)
    for name in ("errcode", "code", "StatusCode"):
        code = found.get(name)
        if isinstance(code, int) and not isinstance(code, bool):
            if code in (0, 200):
                return Sent()
            told = f"code {code}{_words(body)}"
            return Retry(told, _BUSY[code]) if code in _BUSY else Failed(told)
    return Sent()


def of_smtp(said: str) -> Outcome | None:
    """What an SMTP library's error means, by the reply code in it; None if there is none.

    4xx is a transient negative reply, 5xx a permanent one (RFC 5321, 4.2.1).
    """
    match = None
    for match in _SMTP.finditer(said):
        if match[1].startswith("5"):
            break
    if match is None:
        return None
    told = f"SMTP {match[1]} {match[2][:_TOLD]}".strip()
    if match[1].startswith("4"):
        return Retry(told)
    return Failed(told) if match[1].startswith("5") else None


def without(outcome: Outcome, *private: str) -> Outcome:
    """The outcome, its reason without the private parts."""
    if isinstance(outcome, Sent):
        return outcome
    return msgspec.structs.replace(outcome, reason=scrubbed(outcome.reason, *private))


def retry_after_s(said: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for (a number or a date); None if it says nothing."""
    said = said.strip()
    if not said:
        return None
    if said.isascii() and said.isdigit():
        return min(float(said), AGAIN_MOST_S)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), AGAIN_MOST_S)


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(body: bytes) -> str:
    """The body's own words for it, if it has the usual ones."""
    found = _object(body)
    for name in ("errmsg", "msg", "message", "error", "detail"):
        words = found.get(name)
        if isinstance(words, str) and words:
            return f": {words[:_TOLD]}"
    return ""
