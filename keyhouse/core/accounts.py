"""The house's own accounts."""

from enum import StrEnum


class ServiceAccount(StrEnum):
    """Localparts of the accounts that are the house; each has the role service.

    The owner made the building's rooms and holds their creator's power; nobody is signed in as it. The caretaker
    alone is a server administrator. The probe writes to itself, to see that the watcher hears.
    """

    OWNER = "keyhouse"
    CARETAKER = "caretaker"
    WATCHER = "watcher"
    CONCIERGE = "concierge"
    BOOKING = "booking"
    PROBE = "probe"


DISPLAY_NAMES = {
    ServiceAccount.OWNER: "Keyhouse",
    ServiceAccount.CARETAKER: "Caretaker",
    ServiceAccount.WATCHER: "Watcher (a program)",
    ServiceAccount.CONCIERGE: "Concierge (a program)",
    ServiceAccount.BOOKING: "Booking (a program)",
    ServiceAccount.PROBE: "House check (a program)",
}

POWER = {
    ServiceAccount.CONCIERGE: 100,
    ServiceAccount.WATCHER: 50,
    ServiceAccount.BOOKING: 0,
    ServiceAccount.PROBE: 0,
}
"""Power levels in every room of the house; clinicians have CLINICIAN_POWER, people none."""

CLINICIAN_POWER = 50
