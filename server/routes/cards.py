"""Yellow and red cards: taking one back, as a form of the establishment's file and in the API."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from ledger import audit, cards, establishments
from ledger.alerts import AlertConflict
from ledger.cards import Card
from ledger.engine import Connection, writing
from server.api_models import CardItem
from server.api_worth import NoteRequest
from server.needs import Actor, Need, acts
from server.problems import Problem, not_found
from server.routes.api_parts import PREFIX, problems
from server.signing import Visit
from server.state import State

router = APIRouter()


@router.post("/establishments/{establishment_id}/cards/{card_id}/annul", include_in_schema=False)
def annul_on_page(
    state: Need,
    visit: Actor,
    establishment_id: str,
    card_id: str,
    note: Annotated[str, Form(min_length=1, max_length=2000)],
) -> Response:
    """Take a card back, and show the establishment's file again."""
    annul(state, visit, establishment_id, card_id, note)
    return RedirectResponse(f"/establishments/{establishment_id}#cards", 303)


@router.post(
    f"{PREFIX}/establishments/{{establishment_id}}/cards/{{card_id}}/annul",
    tags=["establishments"],
    summary="Take a card back",
    responses=problems(401, 403, 404, 422, 503),
)
def annul_card(
    state: Need,
    visit: Annotated[Visit, acts("establishments:write")],
    establishment_id: str,
    card_id: str,
    body: NoteRequest,
) -> CardItem:
    """With the reason; it stays in the file. One that was annulled before comes as it stands."""
    return CardItem.model_validate(annul(state, visit, establishment_id, card_id, body.note))


def annul(state: State, visit: Visit, establishment_id: str, card_id: str, reason: str) -> Card:
    """Annul a card and audit it; returns it as it stands. Raises Problem (404, 422)."""
    now = state.clock()
    with writing(state.engine) as conn:
        _visible(conn, visit, establishment_id, card_id)
        try:
            annulled = cards.annul(conn, card_id, visit.officer.id, now, reason)
        except AlertConflict as error:
            raise Problem(422, "invalid-request", str(error)) from None
        if annulled:
            detail = {"establishment": establishment_id, "reason": reason}
            audit.append(conn, visit.actor, "card_annulled", f"card/{card_id}", detail, now)
        return _visible(conn, visit, establishment_id, card_id)


def _visible(conn: Connection, visit: Visit, establishment_id: str, card_id: str) -> Card:
    card, place = cards.get(conn, card_id), establishments.get(conn, establishment_id)
    if (
        card is None
        or place is None
        or card.establishment_id != place.id
        or not visit.scope.covers(place.region, place.id)
    ):
        raise not_found("card")
    return card
