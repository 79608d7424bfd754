"""A webhook receiver that counts: which alert it was told of, under which keys."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

ROUTE = "ear"


class Ear:
    """Listens from `with` on; copies of a message have its key, and count once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, set[str]] = {}
        self.messages = 0
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ear.hear(self.headers["Idempotency-Key"], json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def settings(self) -> str:
        """[notify] of a gateway: every alert of class 1 goes here, once."""
        url = f"http://127.0.0.1:{self._server.server_port}/"
        return (
            "[notify]\nlease_s = 25\npoll_s = 0.2\n"
            f'[[notify.webhook]]\nname = "ear"\nurl = "{url}"\ntimeout_s = 2\n'
            f'[[notify.routes]]\nname = "{ROUTE}"\nchannels = ["ear"]\nclasses = [1]\n'
            "[notify.pipeline.class_1]\nrepeat_s = 86400\n"
        )

    def hear(self, key: str, body: dict[str, Any]) -> None:
        """One message."""
        with self._lock:
            self.messages += 1
            for alert in body["alerts"]:
                self._keys.setdefault(alert["fingerprint"], set()).add(key)

    def told(self) -> dict[str, int]:
        """How often it was told of each alert, copies left out."""
        with self._lock:
            return {alert_id: len(keys) for alert_id, keys in self._keys.items()}

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
