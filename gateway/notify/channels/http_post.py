"""Posts to a service over HTTP: one try, bounded in time and size, no redirects."""

import time
from collections.abc import Mapping

import requests

from gateway.notify.channels.channel import Failed, Retry
from gateway.notify.channels.verdicts import Answer

BODY_MOST = 4096
"""Bytes of an answer that are read."""


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    ca_file: str = "",
) -> Answer | Retry | Failed:
    """Post once. Without an answer: Retry if the service can't be reached, Failed if the address
    can't be called at all; what they say names no URL.
    """
    try:
        with (
            requests.Session() as session,
            session.post(
                url,
                auth=_as_given,
                data=body,
                headers=dict(headers),
                timeout=timeout_s,
                allow_redirects=False,
                verify=ca_file or True,
                stream=True,
            ) as answer,
        ):
            body_start, end_s = b"", time.monotonic() + timeout_s
            for some in answer.iter_content(BODY_MOST):
                body_start += some
                if len(body_start) >= BODY_MOST or time.monotonic() > end_s:
                    break
            return Answer(answer.status_code, body_start, answer.headers.get("Retry-After", ""))
    except requests.exceptions.SSLError as error:
        return Retry(f"TLS: {reason_of(error)}")
    except requests.Timeout:
        return Retry(f"no answer within {timeout_s:g} s")
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        return Retry(reason_of(error))
    except (requests.RequestException, ValueError) as error:
        return Failed(f"the address cannot be used ({type(error).__name__})")


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No login but the one in the headers: requests would else take one from ~/.netrc."""
    return request


def reason_of(error: BaseException) -> str:
    """The innermost reason of a failed connection; the outer ones repeat the URL."""
    seen: BaseException | None = error
    while seen is not None:
        error = seen
        inner = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((one for one in error.args if isinstance(one, BaseException)), None)
        seen = inner or error.__cause__ or error.__context__
    text = getattr(error, "strerror", None) or getattr(error, "verify_message", "") or str(error)
    return text.partition("://")[0][:160] or type(error).__name__
