"""What every bot stands in: the house's settings and database, its account, the time."""

from dataclasses import dataclass

from bots.runtime.clock import Clock
from bots.runtime.device_policy import DevicePolicy
from bots.runtime.history import Past
from bots.runtime.ledger import Ledger
from bots.runtime.sending import Sending
from keyhouse.core.ids import UserId
from keyhouse.core.rooms import RoomScope
from keyhouse.settings.house import HouseSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Handed to a bot when it is made. history: None where there is no homeserver to ask."""

    settings: HouseSettings
    ledger: Ledger
    sending: Sending
    me: UserId
    clock: Clock
    history: Past | None = None


def device_policy(scope: RoomScope | None) -> DevicePolicy:
    """Say which devices get room keys here: all of a person's at the desk, elsewhere owner-signed ones alone."""
    if scope is not None and not scope.rules.owner_signed_only:
        return DevicePolicy.ALL_DEVICES
    return DevicePolicy.OWNER_SIGNED
