"""Tell a device's store that cannot be written from an event that cannot be kept."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import peewee  # type: ignore[import-untyped]

from bots.runtime.errors import MatrixFault

_STORE = (peewee.PeeweeException, sqlite3.Error, OSError)
_VALUE = (
    *(peewee.IntegrityError, peewee.DataError, peewee.InterfaceError, peewee.ProgrammingError),
    *(sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError),
)


def is_store_fault(fault: Exception) -> bool:
    """Say whether the store itself failed, by a full disk for example: then the process must end before it goes on.

    A value that the store does not take is the fault of whoever sent it.
    """
    return isinstance(fault, _STORE) and not isinstance(fault, _VALUE)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Raise a store that could not be read or written as one plain sentence, for whoever starts the bot again."""
    try:
        yield
    except (peewee.OperationalError, sqlite3.OperationalError) as fault:
        raise MatrixFault(
            f"The device's encryption store could not be used ({fault}), so the bot ends and is started again. "
            "Check that the disk has room, and that no other program has the store's crypto.db open."
        ) from fault
