"""How the entry point writes logs: a JSON object a line for machines, or plain lines."""

import json
import logging
import sys
from datetime import UTC, datetime

_PLAIN = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at (UTC), level, logger, message, and what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({key: value for key, value in record.__dict__.items() if key not in _PLAIN})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class StandardError(logging.Handler):
    """Writes to what is standard error now: whoever redirects it for a while may close theirs."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001  # as every handler of logging: a log line stops nothing
            self.handleError(record)


def configure_logs(level: str, form: str) -> None:
    """Send logs of `level` and above to standard error, as ``json`` or ``text``."""
    handler = StandardError()
    if form == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # At DEBUG it writes the addresses that it calls, and with them their tokens.
    logging.getLogger("urllib3").setLevel(logging.INFO)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
