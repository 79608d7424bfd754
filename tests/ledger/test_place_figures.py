"""The list of establishments: found by words and pages; counts without a statement for each."""

import alert_steps
from ledger_town import MARKET, OFFICER, READER, after, alert

from contracts.words import DeviceState
from ledger import alerts, devices, establishments, place_figures
from ledger.engine import Engine, writing
from ledger.establishments import Establishment, EstablishmentKind

HERE = ["440700", "440703", "440703-tangxia"]


def test_every_figure_is_its_own_establishments(town: Engine) -> None:
    bare = Establishment(name="空壳", kind=EstablishmentKind.VAN, region="440703", id="bare")
    with writing(town) as conn:
        establishments.add(conn, bare)
        ids = [alerts.raise_alert(conn, alert(f"f{n}", after(n)))[0] for n in range(3)]
        alert_steps.close(conn, ids[0], OFFICER, after(9))
        devices.set_site_unknown(conn, READER.sibling("agent"), "", after(9))
        own = {one.device: one.state for one in devices.list_in(conn, None, READER.site)}
        blind = sum(state in (DeviceState.OFFLINE, DeviceState.UNKNOWN) for state in own.values())
        market = establishments.get(conn, MARKET)
        assert market is not None
        empty, full = place_figures.figures_of(conn, [bare, market])
        assert (empty.establishment.id, empty.open_alerts, empty.devices, empty.blind) == (
            "bare", 0, 0, 0,
        )  # fmt: skip
        assert (empty.officer, empty.region) == ("", ("蓬江区", "Pengjiang"))
        assert (full.open_alerts, full.devices, full.blind) == (2, len(own), blind)
        assert (full.officer, full.region) == ("李国华", ("棠下镇", "Tangxia"))
        assert place_figures.figures_of(conn, []) == []


def test_words_are_sought_in_name_and_address_as_they_are(town: Engine) -> None:
    with writing(town) as conn:
        for n, (name, address) in enumerate(
            [("Blue Café 50%", "白沙大道 1 号"), ("康乐食堂", "BLUE road"), ("康乐超市", "")]
        ):
            one = Establishment(
                name=name, kind=EstablishmentKind.CANTEEN, region="440703", address=address,
                id=f"e{n}",
            )  # fmt: skip
            establishments.add(conn, one)

        def found(words: str, limit: int = 10, offset: int = 0) -> tuple[list[str], int]:
            page, total = place_figures.find(conn, HERE, words, limit, offset)
            return [one.id for one in page], total

        assert found("blue") == (["e0", "e1"], 2)
        assert found("康乐", 1, 1)[1] == 2
        assert found("50%") == (["e0"], 1)
        assert found("5_%") == ([], 0)
        assert found("")[1] == 4
        assert place_figures.find(conn, ["440705"], "", 10) == ([], 0)
