"""Officers' pages for administrators: the list, a new one, one with all that can be done."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from ledger import establishments, logins, officers_kept, password_links, regions, sessions
from ledger.engine import reading
from ledger.officers import Role
from ledger.officers_kept import OfficerFilter
from server import people
from server.access import Right, grants
from server.needs import Changer, Looker, Need
from server.pages import render
from server.people import PeopleRefused, Wish, visible_officer
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False, prefix="/admin/people")
PAGE = 50
CHOICES = 500
PeopleLooker = Annotated[Visit, Depends(Looker(Right.PEOPLE))]
PeopleKeeper = Annotated[Visit, Depends(Changer(Right.PEOPLE))]
RoleName = Literal["", "admin", "city", "county", "town", "grid", "operator", "auditor"]


async def _wish(
    name: Annotated[str, Form(max_length=128)] = "",
    role: Annotated[str, Form(max_length=32)] = "",
    region: Annotated[str, Form(max_length=64)] = "",
    establishment_id: Annotated[str, Form(alias="establishment", max_length=128)] = "",
    login: Annotated[str, Form(max_length=128)] = "",
) -> Wish:
    return Wish(name, role, region, establishment_id.strip(), login)


Wished = Annotated[Wish, Depends(_wish)]


@router.get("")
def list_people(
    request: Request,
    state: Need,
    visit: PeopleLooker,
    asked: Annotated[str, Query(alias="q", max_length=64)] = "",
    role: RoleName = "",
    standing: Literal["active", "dismissed", "all"] = "active",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Officers of the subtree."""
    wanted = OfficerFilter(
        asked.strip(),
        Role(role) if role else None,
        {"active": True, "dismissed": False, "all": None}[standing],
    )
    with reading(state.engine) as conn:
        found, total = officers_kept.find(
            conn, visit.scope.regions, wanted, PAGE, (page - 1) * PAGE
        )
        seen = officers_kept.last_seen(conn, [one.id for one in found])
        named = {one.code: one for one in regions.all_regions(conn)}
        owners = {one.establishment_id for one in found if one.establishment_id}
        places = {one: establishments.get(conn, one) for one in owners}
    return render(
        request,
        "people/list.html",
        found=found,
        total=total,
        seen=seen,
        named=named,
        places=places,
        asked=asked.strip(),
        role=role,
        standing=standing,
        roles=list(Role),
        page=page,
        pages=-(-total // PAGE),
    )


@router.get("/new")
def new_person(request: Request, state: Need, visit: PeopleLooker) -> Response:
    """The form for a new officer."""
    return _form(request, state, visit, Wish(region=visit.officer.region))


@router.post("")
def add_person(request: Request, state: Need, visit: PeopleKeeper, wish: Wished) -> Response:
    """Add them; the answer shows the one-time link, once."""
    try:
        officer, token = people.add(state, visit, wish)
    except PeopleRefused as error:
        return _form(request, state, visit, wish, status=422, trouble=error.kind)
    return _one(request, state, visit, officer.id, token=token)


@router.get("/{officer_id}")
def one_person(request: Request, state: Need, visit: PeopleLooker, officer_id: str) -> Response:
    """An officer, what they may do, and what can be done."""
    return _one(request, state, visit, officer_id)


@router.post("/{officer_id}")
def change_person(
    request: Request, state: Need, visit: PeopleKeeper, officer_id: str, wish: Wished
) -> Response:
    """Another name, role or place."""
    try:
        people.change(state, visit, officer_id, wish)
    except PeopleRefused as error:
        return _one(request, state, visit, officer_id, status=422, trouble=error.kind, wish=wish)
    return _back(officer_id)


@router.post("/{officer_id}/link")
def renew_link(request: Request, state: Need, visit: PeopleKeeper, officer_id: str) -> Response:
    """A new one-time link, shown once."""
    try:
        token = people.renew_link(state, visit, officer_id)
    except PeopleRefused as error:
        return _one(request, state, visit, officer_id, status=422, trouble=error.kind)
    return _one(request, state, visit, officer_id, token=token)


@router.post("/{officer_id}/{move}")
def move_person(
    request: Request,
    state: Need,
    visit: PeopleKeeper,
    officer_id: str,
    move: Literal["dismiss", "restore", "unlock", "renew"],
) -> Response:
    """Dismiss, let in again, forget wrong passwords, ask for a new password."""
    moves = {
        "dismiss": people.dismiss,
        "restore": people.restore,
        "unlock": people.unlock,
        "renew": people.require_change,
    }
    try:
        moves[move](state, visit, officer_id)
    except PeopleRefused as error:
        return _one(request, state, visit, officer_id, status=422, trouble=error.kind)
    return _back(officer_id)


def _back(officer_id: str) -> Response:
    return RedirectResponse(f"/admin/people/{officer_id}", 303)


def _choices(state: State, visit: Visit) -> dict[str, Any]:
    """What the form offers: regions, roles and establishments that may be given."""
    with reading(state.engine) as conn:
        mine = [one for one in regions.all_regions(conn) if one.code in visit.scope.regions]
        places = establishments.list_in(conn, visit.scope.listed, CHOICES)
    roles = [role for role in Role if grants(visit.officer, role)]
    return {"regions": mine, "roles": roles, "establishments": places}


def _form(
    request: Request,
    state: State,
    visit: Visit,
    wish: Wish,
    *,
    status: int = 200,
    trouble: str = "",
) -> Response:
    return render(
        request,
        "people/new.html",
        status=status,
        wish=wish,
        trouble=trouble,
        **_choices(state, visit),
    )


def _one(
    request: Request,
    state: State,
    visit: Visit,
    officer_id: str,
    *,
    status: int = 200,
    trouble: str = "",
    token: str = "",
    wish: Wish | None = None,
) -> Response:
    now = state.clock()
    lately = now - timedelta(seconds=state.settings.sign_in.window_s)
    with reading(state.engine) as conn:
        one = visible_officer(conn, visit, officer_id)
        left = officers_kept.open_work(conn, one, now)
        named = {region.code: region for region in regions.all_regions(conn)}
        open_sessions = sessions.of_officer(conn, one.id, now)
        link = password_links.of_officer(conn, one.id, now)
        wrong = logins.recent_failures(conn, one.login, "", lately)
    return render(
        request,
        "people/one.html",
        status=status,
        one=one,
        wish=wish or Wish(one.name, one.role.value, one.region, one.establishment_id or ""),
        left=left,
        named=named,
        sessions=open_sessions,
        link=link,
        address=f"{state.settings.public_base_url}/welcome/{token}" if token else "",
        locked=wrong.by_login >= state.settings.sign_in.per_login,
        trouble=trouble,
        keeps=one.id != visit.officer.id and grants(visit.officer, one.role),
        **_choices(state, visit),
    )
