"""Keeping officers: new ones, other roles and places, dismissal, one-time links; each audited.

Nobody gives a right that they lack, reaches beyond their own subtree, changes their own rights, or
removes the last administrator of the whole tree. Whose rights change signs in anew.
"""

import re
import secrets
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from ledger import audit, establishments, logins, officers, officers_kept, password_links, sessions
from ledger.engine import Connection, writing
from ledger.officers import Officer, Role
from ledger.password_links import PasswordLink
from server.access import grants
from server.password_rules import Weakness, weakness
from server.problems import Problem, not_found
from server.signing import TOKEN_BYTES, Visit, token_hash
from server.state import State

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}\Z")
Refusal = Literal[
    "login", "taken", "name", "role", "region", "establishment", "self", "last", "inactive"
]


class PeopleRefused(Exception):
    """What was asked for cannot be done; `kind` says why."""

    def __init__(self, kind: Refusal) -> None:
        super().__init__(kind)
        self.kind: Refusal = kind


class Wish(msgspec.Struct, frozen=True):
    """An officer as somebody wants them to be."""

    name: str = ""
    role: str = Role.TOWN.value
    region: str = ""
    establishment_id: str = ""
    login: str = ""


def visible_officer(conn: Connection, visit: Visit, officer_id: str) -> Officer:
    """The officer, if they lie in this one's subtree. Raises Problem (404)."""
    found = officers.get(conn, officer_id)
    if found is None or found.region not in visit.scope.regions:
        raise not_found("officer")
    return found


def add(state: State, visit: Visit, wish: Wish) -> tuple[Officer, str]:
    """A new officer, and the token of the link by which they set a password.

    Raises PeopleRefused.
    """
    now = state.clock()
    with writing(state.engine) as conn:
        login = wish.login.strip().lower()
        if not LOGIN.match(login):
            raise PeopleRefused("login")
        if officers.by_login(conn, login) is not None:
            raise PeopleRefused("taken")
        role = _checked(conn, visit, wish)
        new = Officer(
            login=login,
            name=wish.name.strip(),
            role=role,
            region=wish.region,
            establishment_id=wish.establishment_id or None,
        )
        officers.add(conn, new)
        detail = _told(new) | {"login": login}
        audit.append(conn, visit.actor, "officer_added", f"officer/{new.id}", detail, now)
        token = _link(conn, state, visit, new, now)
    return new, token


def change(state: State, visit: Visit, officer_id: str, wish: Wish) -> None:
    """Another name, role or place; whose rights change is signed out.

    Raises PeopleRefused, Problem (404).
    """
    now = state.clock()
    with writing(state.engine) as conn:
        before = _kept(conn, visit, officer_id)
        role = _checked(conn, visit, wish)
        after = msgspec.structs.replace(
            before, name=wish.name.strip(), role=role, region=wish.region,
            establishment_id=wish.establishment_id or None,
        )  # fmt: skip
        if after == before:
            return
        if (role, wish.region) != (before.role, before.region):
            _leaves_an_admin(conn, before, still=role is Role.ADMIN and wish.region)
        officers_kept.change(
            conn, officer_id, name=after.name, role=role, region=after.region,
            establishment_id=after.establishment_id,
        )  # fmt: skip
        if msgspec.structs.replace(before, name=after.name) != after:
            sessions.remove_of(conn, officer_id)
        detail = {"before": _told(before), "after": _told(after)}
        audit.append(conn, visit.actor, "officer_changed", f"officer/{officer_id}", detail, now)


def dismiss(state: State, visit: Visit, officer_id: str) -> None:
    """Nobody signs in as them any more, from this moment. Raises PeopleRefused, Problem (404)."""
    now = state.clock()
    with writing(state.engine) as conn:
        officer = _kept(conn, visit, officer_id)
        if not officer.active:
            return
        _leaves_an_admin(conn, officer)
        officers.set_active(conn, officer_id, False)
        ended = sessions.remove_of(conn, officer_id)
        password_links.remove_of(conn, officer_id)
        left = officers_kept.open_work(conn, officer, now)
        detail = {
            "sessions": ended,
            "duties": len(left.duties),
            "establishments": len(left.establishments),
            "alerts": left.alerts,
        }
        what = f"officer/{officer_id}"
        audit.append(conn, visit.actor, "officer_dismissed", what, detail, now)


def restore(state: State, visit: Visit, officer_id: str) -> None:
    """Let somebody come in again who was dismissed. Raises PeopleRefused, Problem (404)."""
    now = state.clock()
    with writing(state.engine) as conn:
        if _kept(conn, visit, officer_id).active:
            return
        officers.set_active(conn, officer_id, True)
        audit.append(conn, visit.actor, "officer_restored", f"officer/{officer_id}", {}, now)


def renew_link(state: State, visit: Visit, officer_id: str) -> str:
    """A new one-time link: the old password and the sessions end now.

    Returns its token. Raises PeopleRefused, Problem (404).
    """
    now = state.clock()
    with writing(state.engine) as conn:
        officer = _kept(conn, visit, officer_id)
        if not officer.active:
            raise PeopleRefused("inactive")
        officers.set_password(conn, officer_id, "")
        sessions.remove_of(conn, officer_id)
        return _link(conn, state, visit, officer, now)


def require_change(state: State, visit: Visit, officer_id: str) -> None:
    """They choose a new password before they do anything else. Raises PeopleRefused, Problem."""
    now = state.clock()
    with writing(state.engine) as conn:
        _kept(conn, visit, officer_id)
        officers_kept.set_must_change(conn, officer_id, True)
        what = f"officer/{officer_id}"
        audit.append(conn, visit.actor, "password_change_required", what, {}, now)


def unlock(state: State, visit: Visit, officer_id: str) -> None:
    """Forget the wrong passwords of their login. Raises PeopleRefused, Problem (404)."""
    now = state.clock()
    with writing(state.engine) as conn:
        officer = _kept(conn, visit, officer_id)
        logins.clear(conn, officer.login)
        audit.append(conn, visit.actor, "officer_unlocked", f"officer/{officer_id}", {}, now)


def link_owner(conn: Connection, token: str, now: datetime) -> Officer | None:
    """Whose one-time link has this token, if it may still be used."""
    link = password_links.find(conn, token_hash(token), now)
    officer = officers.get(conn, link.officer_id) if link else None
    return officer if officer is not None and officer.active else None


def use_link(state: State, token: str, password: str) -> Weakness | None:
    """Set a password by a one-time link, and use the link up; or say why it is not accepted.

    Raises Problem (404) if the link cannot be used.
    """
    now = state.clock()
    with writing(state.engine) as conn:
        officer = link_owner(conn, token, now)
        if officer is None:
            raise Problem(404, "link-used", "the link cannot be used any more")
        weak = weakness(password, login=officer.login, name=officer.name)
        if weak is not None:
            return weak
        if password_links.take(conn, token_hash(token), now) is None:
            raise Problem(404, "link-used", "the link cannot be used any more")
        _set_password(conn, state, officer, password)
        sessions.remove_of(conn, officer.id)
        logins.clear(conn, officer.login)
        audit.append(conn, officer.id, "password_set", f"officer/{officer.id}", {"by": "link"}, now)
    return None


def change_own_password(
    state: State, visit: Visit, old: str, new: str
) -> Weakness | Literal["wrong", "same"] | None:
    """Choose another password; every other session of the officer's ends.

    Returns why not. The old one is charged as a sign-in by whoever calls this.
    """
    now = state.clock()
    officer = visit.officer
    if not state.passwords.check(officer.password_hash or None, old):
        return "wrong"
    weak = weakness(new, login=officer.login, name=officer.name)
    if weak is not None:
        return weak
    if new == old:
        return "same"
    with writing(state.engine) as conn:
        _set_password(conn, state, officer, new)
        logins.clear(conn, officer.login)
        password_links.remove_of(conn, officer.id)
        ended = sessions.remove_others(conn, officer.id, visit.session.token_hash)
        what = f"officer/{officer.id}"
        detail = {"by": "self", "sessions": ended}
        audit.append(conn, officer.id, "password_set", what, detail, now)
    return None


def _set_password(conn: Connection, state: State, officer: Officer, password: str) -> None:
    officers.set_password(conn, officer.id, state.passwords.hash(password))
    officers_kept.set_must_change(conn, officer.id, False)


def _kept(conn: Connection, visit: Visit, officer_id: str) -> Officer:
    """An officer whom this one may change. Raises PeopleRefused, Problem (403, 404)."""
    officer = visible_officer(conn, visit, officer_id)
    if officer.id == visit.officer.id:
        raise PeopleRefused("self")
    if not grants(visit.officer, officer.role):
        raise Problem(403, "forbidden", "they have rights that you lack")
    return officer


def _checked(conn: Connection, visit: Visit, wish: Wish) -> Role:
    """The role that is wanted, if it may be given there. Raises PeopleRefused."""
    if not wish.name.strip():
        raise PeopleRefused("name")
    if wish.role not in set(Role) or not grants(visit.officer, Role(wish.role)):
        raise PeopleRefused("role")
    if wish.region not in visit.scope.regions:
        raise PeopleRefused("region")
    role = Role(wish.role)
    own = establishments.get(conn, wish.establishment_id) if wish.establishment_id else None
    if role is Role.OPERATOR:
        # What an operator sees must lie in the region that they are kept in.
        if own is None or own.region != wish.region:
            raise PeopleRefused("establishment")
    elif wish.establishment_id:
        raise PeopleRefused("establishment")
    return role


def _leaves_an_admin(conn: Connection, officer: Officer, *, still: object = False) -> None:
    if officer.role is not Role.ADMIN or not officer.active or still == officer.region:
        return
    if not officers_kept.other_admins(conn, officer.id):
        raise PeopleRefused("last")


def _link(conn: Connection, state: State, visit: Visit, officer: Officer, now: datetime) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    link = PasswordLink(
        token_hash=token_hash(token),
        officer_id=officer.id,
        made_by=visit.officer.id,
        made_at=now,
        expires_at=now + timedelta(seconds=state.settings.sign_in.link_s),
    )
    password_links.put(conn, link)
    detail = {"until": link.expires_at.isoformat()}
    audit.append(conn, visit.actor, "password_link_made", f"officer/{officer.id}", detail, now)
    return token


def _told(officer: Officer) -> dict[str, str]:
    """What an audit entry says of an officer's rights."""
    return {
        "name": officer.name,
        "role": officer.role.value,
        "region": officer.region,
        "establishment": officer.establishment_id or "",
    }
