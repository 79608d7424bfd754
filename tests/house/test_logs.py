"""Logs go to what is standard error now, not to what it was when they were set up."""

import io
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest

from foodsentry.logs import configure_logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before afterwards."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_a_standard_error_that_was_closed_is_not_written_to(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    with redirect_stderr(io.StringIO()) as gone:
        configure_logs("info", "json")
        root.info("first", extra={"device": "cam-1"})
        assert '"message": "first", "device": "cam-1"' in gone.getvalue()
        gone.close()
    root.warning("second")
    assert '"level": "warning", "logger": "root", "message": "second"' in capsys.readouterr().err
