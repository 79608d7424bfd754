"""Who may ask the preview page: signing in, tokens against forged saves, viewers."""

import hmac
import secrets
import threading

from edge_agent.cameras.frames import Ticks

SESSION_S = 8 * 3600.0
VIEWER_S = 12.0
"""A browser that has not asked for so long has gone."""
MOST_SESSIONS = 64
PAUSE_S = 2.0
"""After a wrong password nobody can try again for so long."""


class Guard:
    """Sessions and viewers, for the threads of the server."""

    def __init__(self, password: str | None, most_viewers: int, ticks: Ticks) -> None:
        self._password, self._most, self._ticks = password, most_viewers, ticks
        self._lock = threading.Lock()
        self._sessions: dict[str, float] = {}
        self._viewers: dict[str, float] = {}
        self._again_s = float("-inf")
        self.token = secrets.token_urlsafe(24)
        """What a save must carry: only a page that could read ours has it."""

    @property
    def is_open(self) -> bool:
        """True if nobody need sign in."""
        return self._password is None

    def sign_in(self, password: str) -> str | None:
        """A new session, or None: wrong, or too soon after a wrong one."""
        with self._lock:
            now_s = self._ticks()
            if self._password is None or now_s < self._again_s:
                return None
            if not hmac.compare_digest(password.encode(), self._password.encode()):
                self._again_s = now_s + PAUSE_S
                return None
            live = {key: until for key, until in self._sessions.items() if until > now_s}
            self._sessions = dict(list(live.items())[-MOST_SESSIONS + 1 :])
            session = secrets.token_urlsafe(24)
            self._sessions[session] = now_s + SESSION_S
            return session

    def sign_out(self, session: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(session, None)

    def signed_in(self, session: str) -> bool:
        """True if the session holds."""
        with self._lock:
            return self._sessions.get(session, 0.0) > self._ticks()

    def admits(self, viewer: str) -> bool:
        """True if this browser may look: there are not too many others."""
        with self._lock:
            now_s = self._ticks()
            self._viewers = {k: at for k, at in self._viewers.items() if now_s - at < VIEWER_S}
            if viewer not in self._viewers and len(self._viewers) >= self._most:
                return False
            self._viewers[viewer] = now_s
            return True
