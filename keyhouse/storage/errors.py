"""What can go wrong with what the house keeps; each is one plain sentence with a next step."""

from sqlalchemy.exc import DontWrapMixin


class StoreFault(Exception):
    """The store or its keys cannot be used; the text says why and what to do."""


class StoreAway(StoreFault):
    """The database cannot be reached, or somebody else has held it for too long."""


class StoreNewer(StoreFault):
    """A newer version of keyhouse has changed the tables."""

    def __init__(self) -> None:
        super().__init__("the data directory was written by a newer version of keyhouse; install that version")


class StoreOlder(StoreFault):
    """The tables are those of an older version, or have not been made yet."""

    def __init__(self) -> None:
        super().__init__("the database is not up to date with this version of keyhouse; start it with `keyhouse up`")


class StoreConflict(StoreFault):
    """Something that there may be only once is there already; nothing was kept."""


class SealBroken(StoreFault):
    """A sealed row was changed, moved, or sealed under another key."""

    def __init__(self) -> None:
        super().__init__(
            "a sealed row cannot be opened; put back the keys file that belongs to this database, or restore a backup"
        )


class NaiveTime(ValueError, DontWrapMixin):
    """A time without a zone was to be kept."""

    def __init__(self) -> None:
        super().__init__("a time without a zone cannot be kept; give it one, for example datetime.now(UTC)")
