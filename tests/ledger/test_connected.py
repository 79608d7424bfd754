"""Tokens and webhooks in the ledger, and the pages that other systems read, on both databases."""

from datetime import timedelta

from ledger_town import AGENT, AT, MARKET, OFFICER, build

from ledger import api_tokens, devices, establishments, webhook_deliveries, webhooks
from ledger.api_tokens import ApiToken
from ledger.engine import Engine, reading, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.webhook_deliveries import NewDelivery, message_id
from ledger.webhooks import Webhook

REGION = "440703-tangxia"


def token(name: str, days: float = 9) -> ApiToken:
    return ApiToken(
        token_hash=f"hash {name}", shown="fst_ab", name=name, scopes=("alerts:read", "cases:read"),
        region=REGION, officer_id=OFFICER, created_at=AT, expires_at=AT + timedelta(days=days),
        id=f"token-{name}",
    )  # fmt: skip


def hook() -> Webhook:
    return Webhook(
        name="平台", url="https://hooks.example/", events=("alert.*",), region=REGION, secret="s",
        officer_id=OFFICER, created_at=AT, changed_at=AT, position=3, id="hook",
    )  # fmt: skip


def test_a_token_is_found_by_its_hash_and_revoked_once(book: Engine) -> None:
    with writing(book) as conn:
        build(conn)
        api_tokens.add(conn, token("a"))
        api_tokens.add(conn, token("b", days=-1))
    with reading(book) as conn:
        assert api_tokens.by_hash(conn, "hash a") == token("a")
        assert api_tokens.by_hash(conn, "hash c") is None
        assert {one.id for one in api_tokens.list_in(conn, [REGION])} == {"token-a", "token-b"}
        assert api_tokens.list_in(conn, ["440705"]) == []
    assert token("a").usable(AT) and not token("b", days=-1).usable(AT)
    with writing(book) as conn:
        api_tokens.used(conn, token("a"), AT)
        assert api_tokens.revoke(conn, "token-a", "somebody", AT)
        assert not api_tokens.revoke(conn, "token-a", "somebody else", AT)
        found = api_tokens.get(conn, "token-a")
    assert found is not None and not found.usable(AT)
    assert (found.last_used_at, found.revoked_by) == (AT, "somebody")


def test_the_first_of_each_object_is_due_and_none_waits_twice(book: Engine) -> None:
    new = [
        NewDelivery(message_id("hook", number), "alert.raised", ref, b"{}")
        for number, ref in enumerate(("a", "a", "b", "c", "b"))
    ]
    with writing(book) as conn:
        build(conn)
        webhooks.add(conn, hook())
        webhook_deliveries.enqueue(conn, "hook", new, AT)
        webhook_deliveries.enqueue(conn, "hook", new, AT)
        assert webhook_deliveries.waiting(conn, "hook") == 5
        first = webhook_deliveries.due(conn, "hook", AT, 9)
        assert [one.message_id for one in first] == [new[n].message_id for n in (0, 2, 3)]
        a, b, c = first
        webhook_deliveries.settle(conn, a, "sent", AT, status=200, answer="")
        later = AT + timedelta(minutes=1)
        webhook_deliveries.settle(conn, b, "waiting", AT, status=500, answer="", next_at=later)
        webhook_deliveries.settle(conn, c, "dead", AT, status=None, answer="x" * 900)
        due = [one.message_id for one in webhook_deliveries.due(conn, "hook", AT, 9)]
        assert due == [new[1].message_id], "behind what failed, nothing of that object"
        assert [one.ref for one in webhook_deliveries.due(conn, "hook", later, 9)] == ["a", "b"]
        assert webhook_deliveries.purge(conn, AT + timedelta(days=1)) == 2
        assert webhook_deliveries.waiting(conn, "hook") == 3


def test_a_webhook_goes_on_where_it_stood(book: Engine) -> None:
    with writing(book) as conn:
        build(conn)
        webhooks.add(conn, hook())
        webhooks.move_on(conn, "hook", 9)
        webhooks.move_on(conn, "hook", 5)
        assert webhooks.with_maker_gone(conn) == ["hook"], "a town's officer makes none"
        assert webhooks.pause(conn, "hook", "maker", AT)
        assert not webhooks.pause(conn, "hook", "by hand", AT)
        assert webhooks.active(conn) == []
        assert webhooks.resume(conn, "hook", AT) and not webhooks.resume(conn, "hook", AT)
        (one,) = webhooks.list_in(conn, [REGION])
        assert (one.position, one.state, one.events) == (9, "active", ("alert.*",))
        webhooks.remove(conn, "hook", AT)
        assert webhooks.get(conn, "hook") is None and webhooks.active(conn) == []


def test_pages_by_place_begin_behind_the_last_one_seen(book: Engine) -> None:
    with writing(book) as conn:
        build(conn)
        for number in range(4):
            one = Establishment(
                id=f"e{number}", name=f"店{number % 2}%_", region=REGION, address="Tangxia 路",
                kind=EstablishmentKind.MARKET, public_code=f"c{number}",
            )  # fmt: skip
            establishments.add(conn, one)
    with reading(book) as conn:
        whole = establishments.list_after(conn, [REGION], 99)
        assert len(whole) == 5
        walked, after = [], None
        while page := establishments.list_after(conn, [REGION], 2, after):
            walked += page
            after = page[-1].region, page[-1].name, page[-1].id
        assert walked == whole
        for words, count in (("%_", 4), ("tangxia 路", 4), ("%x", 0), ("店0", 2), ("农贸", 1)):
            found = establishments.list_after(conn, [REGION], 99, words=words)
            assert len(found) == count, words
        assert [one.id for one in establishments.list_after(
            conn, [REGION], 9, establishment_id=MARKET)] == [MARKET]  # fmt: skip
        every = devices.list_after(conn, [REGION], 99)
        first = devices.list_after(conn, [REGION], 1)[0]
        rest = devices.list_after(conn, [REGION], 99, (first.region, first.site, first.device))
        assert [first, *rest] == every and len(every) > 1
        assert devices.list_after(conn, [REGION], 9, sites=["elsewhere"]) == []
        assert devices.list_after(conn, [REGION], 9, sites=[AGENT.site])
