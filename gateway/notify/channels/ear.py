"""Hears what Apprise's plugins are answered: HTTP answers, failed connections, logged reasons.

Apprise says whether a service took a message, but not why not, and takes 200 for success where
WeCom and DingTalk say in the body that they refuse. Its plugins call `requests.post(…)` by the name
in their own module: there, and nowhere else, that name is bound to an ear that passes every call on
and keeps the answer. What plugins log at DEBUG holds tokens and addresses: it is kept for the time
of one call, and goes to no log of ours.
"""

import contextvars
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import requests

from gateway.notify.channels.http_post import BODY_MOST, reason_of
from gateway.notify.channels.verdicts import Answer

_LINES_MOST = 200


class Heard(msgspec.Struct):
    """What one call to a plugin brought."""

    answers: list[Answer] = []
    troubles: list[str] = []
    """Why connections failed."""
    lines: list[str] = []
    """What the plugin logged."""


_now: contextvars.ContextVar[Heard | None] = contextvars.ContextVar("heard", default=None)


class _Ear:
    """Stands for the module `requests` in a plugin's module."""

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        return _listen(requests.request, arguments, options)

    def get(self, *arguments: Any, **options: Any) -> requests.Response:
        return _listen(requests.get, arguments, options)

    def post(self, *arguments: Any, **options: Any) -> requests.Response:
        return _listen(requests.post, arguments, options)

    def put(self, *arguments: Any, **options: Any) -> requests.Response:
        return _listen(requests.put, arguments, options)


def _listen(call: Any, arguments: Any, options: Any) -> requests.Response:
    heard = _now.get()
    try:
        answer: requests.Response = call(*arguments, **options)
    except requests.RequestException as error:
        if heard is not None:
            heard.troubles.append(reason_of(error))
        raise
    if heard is not None:
        start = (answer.content or b"")[:BODY_MOST]
        told = answer.headers.get("Retry-After", "")
        heard.answers.append(Answer(answer.status_code, start, told))
    return answer


class _Lines(logging.Handler):
    """Keeps what is logged while somebody listens; lets nothing through."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _now.get()
        if heard is not None and len(heard.lines) < _LINES_MOST:
            heard.lines.append(record.getMessage())


_ear = _Ear()


def put_on(plugin: type) -> None:
    """Let the modules of this plugin's classes call through the ear."""
    for kind in plugin.__mro__:
        if kind.__module__.startswith("apprise."):
            module = sys.modules[kind.__module__]
            if getattr(module, "requests", None) is requests:
                module.requests = _ear  # type: ignore[attr-defined]


def keep_logs_here(name: str = "apprise") -> None:
    """Take Apprise's own log lines off our logs: they name tokens and addresses."""
    logger = logging.getLogger(name)
    if not any(isinstance(one, _Lines) for one in logger.handlers):
        logger.addHandler(_Lines())
    logger.propagate = False
    logger.setLevel(logging.DEBUG)


@contextmanager
def listening() -> Iterator[Heard]:
    """Hear everything that this thread's calls bring, until the end."""
    heard = Heard()
    token = _now.set(heard)
    try:
        yield heard
    finally:
        _now.reset(token)
