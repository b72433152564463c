"""A real Synapse for tests: written by provisioning, started, awaited, asked and stopped."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from provisioning.homeserver import HomeserverPlan, start_command, write_homeserver
from tests.support.ports import port_is_taken
from tests.support.synapse_process import SynapseProcess, SynapseStartError

ANSWERS_WITHIN_S = 30.0

# What tests change on every homeserver: cheap passwords, and never an old answer to /sync.
FOR_TESTS: dict[str, Any] = {"bcrypt_rounds": 4, "caches": {"sync_response_cache_duration": "0s"}}


@dataclass(frozen=True)
class Answer:
    """What the homeserver answered: the HTTP status and the JSON body."""

    status: int
    body: dict[str, Any]

    @property
    def errcode(self) -> str | None:
        """The Matrix error code; None if the answer is not an error."""
        return self.body.get("errcode")


@dataclass(frozen=True)
class Account:
    """One account with one logged-in device."""

    user_id: str
    device_id: str
    access_token: str
    password: str


class RunningSynapse:
    """One Synapse process on loopback; `async with RunningSynapse(plan) as synapse` starts and stops it."""

    def __init__(self, plan: HomeserverPlan) -> None:
        self.plan = plan
        self._http: aiohttp.ClientSession | None = None
        console_file = plan.directory / "console.log"
        self._process = SynapseProcess(start_command(plan), plan.port, self.log_file, console_file)

    @property
    def url(self) -> str:
        """The client-server address, without a trailing slash."""
        return self.plan.url

    @property
    def server_name(self) -> str:
        """What stands behind the colon of its user ids."""
        return self.plan.server_name

    @property
    def shared_secret(self) -> str:
        """The secret that lets a test make accounts."""
        return self.plan.shared_secret_file.read_text().strip()

    @property
    def log_file(self) -> Path:
        """Synapse's own log."""
        return self.plan.directory / "homeserver.log"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Write the files, start the process and wait until it answers; also again, after stop() or kill()."""
        # Another server on this port would answer in our Synapse's place.
        if port_is_taken(self.plan.port):
            raise SynapseStartError(f"port {self.plan.port} is taken")
        write_homeserver(self.plan)
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S))
        try:
            await self._process.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the process and wait until it is gone; nothing happens if it is gone already."""
        if self._http is not None:
            await self._http.close()
            self._http = None
        await self._process.stop()

    async def kill(self) -> None:
        """End the process as a power cut would, and wait until it is gone."""
        await self._process.kill()
        await self.stop()

    async def request(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Mapping[str, Any] | None = None,
        at: str | None = None,
    ) -> Answer:
        """Ask the homeserver once; refusals are answers too, not exceptions. at: another address than its usual one."""
        assert self._http is not None, "this Synapse is not running"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.request(method, (at or self.url) + path, headers=headers, json=body) as response:
            return Answer(response.status, await response.json())

    async def ask(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Ask the homeserver and give back the body; a refusal fails the test."""
        answer = await self.request(method, path, token, body)
        assert answer.status == 200, f"{method} {path}: {answer.status} {answer.body}"
        return answer.body

    async def register(self, localpart: str, password: str, admin: bool = False) -> Account:
        """Make an account by the shared secret, past every registration rule."""
        path = "/_synapse/admin/v1/register"
        nonce = (await self.ask("GET", path))["nonce"]
        told = "\0".join([nonce, localpart, password, "admin" if admin else "notadmin"])
        mac = hmac.new(self.shared_secret.encode(), told.encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": localpart, "password": password, "admin": admin, "mac": mac}
        made = await self.ask("POST", path, body=body)
        return Account(made["user_id"], made["device_id"], made["access_token"], password)

    async def log_in(self, user: str, password: str) -> Account:
        """Log a new device in, by localpart or user id."""
        identifier = {"type": "m.id.user", "user": user}
        body = {"type": "m.login.password", "identifier": identifier, "password": password}
        made = await self.ask("POST", "/_matrix/client/v3/login", body=body)
        return Account(made["user_id"], made["device_id"], made["access_token"], password)

    def log_tail(self, lines: int = 25) -> str:
        """The end of what Synapse printed and logged."""
        return self._process.log_tail(lines)


def plan_for_tests(directory: Path, port: int, **more: Any) -> HomeserverPlan:
    """A plan that differs from a real house only in FOR_TESTS and in unlimited registration.

    more: fields of HomeserverPlan; `extra` is laid over FOR_TESTS.
    """
    more["extra"] = {**FOR_TESTS, **more.get("extra", {})}
    return HomeserverPlan(
        **{"directory": directory, "server_name": "keyhouse.test", "port": port, "demo": True, **more}
    )
