"""Waiting until another transaction has changed something that somebody waits for."""

import os
import select
import sqlite3
import threading
import time
from pathlib import Path
from typing import Protocol

import psycopg2
import psycopg2.extensions
from sqlalchemy.engine import URL

from keyhouse.storage.engine import CONNECT_S, LOCK_WAIT_S, POSTGRES_OPTIONS, parse_address, sqlite_file
from keyhouse.storage.errors import StoreAway
from keyhouse.storage.work import CHANNEL

POLL_EVERY_S = 0.1
_RECONNECT_AFTER_S = 1.0


class _Waiter(Protocol):
    def wait(self, timeout: float) -> bool: ...
    def close(self) -> None: ...


class ChangeSignal:
    """Tells when a writing transaction of any process, also this one, was kept. Leases and heartbeats wake nobody.

    For one waiting thread at a time. What was kept since the last wait, or since the signal was made, counts too.
    """

    def __init__(self, url: str) -> None:
        address = parse_address(url)
        file = sqlite_file(address)
        self._waiter: _Waiter = _SqliteWaiter(file) if file is not None else _PostgresWaiter(address)

    def wait(self, timeout: float) -> bool:
        """Block until something has changed (True), or for at most so many seconds (False)."""
        return self._waiter.wait(timeout)

    def close(self) -> None:
        """Give the connection back; a thread that waits returns False at once."""
        self._waiter.close()


class _SqliteWaiter:
    """Asks for the count that every kept writing transaction raises."""

    def __init__(self, file: Path) -> None:
        self._closed = threading.Event()
        self._asking = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                f"{file.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=LOCK_WAIT_S,
                check_same_thread=False,
                isolation_level=None,
            )
            self._seen = self._count()
        except sqlite3.Error as error:
            raise StoreAway(f"{file} cannot be opened; start the house with `keyhouse up`") from error

    def wait(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while not self._closed.is_set():
            if self._has_changed():
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._closed.wait(min(POLL_EVERY_S, left))
        return False

    def close(self) -> None:
        self._closed.set()
        with self._asking:
            self._connection.close()

    def _has_changed(self) -> bool:
        with self._asking:
            if self._closed.is_set():
                return False
            try:
                before, self._seen = self._seen, self._count()
            except sqlite3.Error as error:
                raise StoreAway("the database does not answer or is locked; try again in a minute") from error
            return self._seen != before

    def _count(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])


class _PostgresWaiter:
    """Listens; a lost connection is made again, and counts as a change because something may have been missed."""

    def __init__(self, address: URL) -> None:
        self._address = address
        self._closed = threading.Event()
        self._waiting = threading.Lock()
        self._wake_read, self._wake_write = os.pipe()
        self._connection: psycopg2.extensions.connection | None = None
        try:
            self._connection = self._listen()
        except psycopg2.Error as error:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise StoreAway("PostgreSQL does not answer; check that it runs, then try again") from error

    def wait(self, timeout: float) -> bool:
        with self._waiting:
            if self._closed.is_set():
                return False
            try:
                if self._connection is None:
                    self._connection = self._listen()
                    return True
                return self._heard(self._connection, timeout)
            except psycopg2.Error:
                self._drop()
                self._closed.wait(min(timeout, _RECONNECT_AFTER_S))
                return False

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        os.write(self._wake_write, b"x")
        with self._waiting:
            self._drop()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _heard(self, connection: psycopg2.extensions.connection, timeout: float) -> bool:
        # What came together with an earlier answer is in the list already, and no longer at the socket.
        if not connection.notifies:
            select.select([connection.fileno(), self._wake_read], [], [], timeout)
            connection.poll()
        heard = bool(connection.notifies)
        connection.notifies.clear()
        return heard and not self._closed.is_set()

    def _listen(self) -> psycopg2.extensions.connection:
        dsn = self._address.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg2.connect(
            dsn, connect_timeout=CONNECT_S, options=POSTGRES_OPTIONS, application_name="keyhouse-listen"
        )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
