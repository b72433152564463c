"""Tell a device's store that cannot be written from an event that cannot be kept."""

import sqlite3

import peewee  # type: ignore[import-untyped]

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
