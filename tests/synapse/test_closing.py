"""Who closes their account in an app has left the house, as if the team had closed it."""

from datetime import UTC, datetime

from keyhouse.core.ids import UserId
from keyhouse.core.outgoing import OutgoingKind
from keyhouse.core.people import PersonState, Role
from keyhouse.core.workflows.standing import close
from tests.support.account_changes import alerted, close_in_app, to_do
from tests.support.house_with_door import WILLOW, House
from tests.support.synapse import Account


def state_of(house: House, account: Account) -> tuple[PersonState, int, int]:
    """How somebody stands, how many keys they hold, and how often the caretaker is to end the account."""
    person = house.read(lambda tx: tx.people.get(UserId(account.user_id)))
    assert person is not None
    keys = house.read(lambda tx: tx.people.keys(UserId(account.user_id)))
    return person.state, len(keys), len(to_do(house, OutgoingKind.ACCOUNT_CLOSING, account))


GONE, HERE = (PersonState.CLOSED, 0, 1), (PersonState.ACTIVE, 1, 0)


async def test_who_closes_the_account_in_an_app_holds_no_key_and_the_neighbour_keeps_theirs(house: House) -> None:
    leaver, neighbour = await house.person(WILLOW), await house.person(WILLOW)
    await house.room_with(leaver, neighbour)

    assert (await close_in_app(house, leaver)).status == 200

    assert state_of(house, leaver) == GONE
    assert state_of(house, neighbour) == HERE


async def test_an_account_that_a_server_administrator_ends_is_closed_too(house: House) -> None:
    leaver = await house.person(WILLOW)

    await _end(house, leaver)

    assert state_of(house, leaver) == GONE


async def test_the_case_of_somebody_who_goes_stays_open_and_keeps_its_alert(house: House) -> None:
    leaver, _, event = await alerted(house)

    assert (await close_in_app(house, leaver)).status == 200

    (case,) = house.read(lambda tx: tx.cases.open_of(UserId(leaver.user_id)))
    assert state_of(house, leaver) == GONE
    assert [alert.event_id for alert in case.alerts] == [event]


async def test_whom_the_house_has_closed_is_not_closed_again_when_the_account_ends(house: House) -> None:
    leaver = await house.person(WILLOW)
    house.write(lambda tx: close(tx, UserId(leaver.user_id), "host", datetime.now(UTC)))
    written = house.read(lambda tx: tx.audit.verify()).entries

    await _end(house, leaver)

    assert state_of(house, leaver) == GONE
    assert house.read(lambda tx: tx.audit.verify()).entries == written


async def test_the_house_s_own_accounts_are_closed_by_nobody(house: House) -> None:
    bot = await house.colleague(Role.SERVICE)

    await _end(house, bot)

    assert state_of(house, bot) == (PersonState.ACTIVE, 0, 0)


async def _end(house: House, account: Account) -> None:
    path = f"/_synapse/admin/v1/deactivate/{account.user_id}"
    await house.synapse.ask("POST", path, house.caretaker.access_token, {"erase": False})
