"""Make accounts through the homeserver's ordinary registration with a token, as any client would."""

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp

from front_door.accounts import AccountsAway, NewAccount, NotTaken
from keyhouse.core.ids import UserId
from keyhouse.core.verdict import Reason, Refused

_PATH = "/_matrix/client/v3/register"
_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=8)
_FURTHER_TRIES = 3
_BETWEEN_TRIES_S = 1

_CODE_STEP = "m.login.registration_token"
_OTHER_STEPS = ("m.login.terms", "m.login.dummy")
_OURS = "UK.KEYHOUSE."

_Body = dict[str, Any]


class HomeserverAccounts:
    """The homeserver as a maker of accounts."""

    def __init__(self, http: aiohttp.ClientSession, homeserver: str) -> None:
        self._http = http
        self._url = homeserver.rstrip("/") + _PATH

    async def make_account(self, code: str, password: str, visitor: str | None) -> NewAccount | Refused | NotTaken:
        """Begin a registration, present the code with the password, then take the steps that are left."""
        return await _Registration(self._http, self._url, visitor).go_through(code, password)


class _Registration:
    """One person's way to an account. visitor: in whose name the homeserver is asked; it counts tries, we do not."""

    def __init__(self, http: aiohttp.ClientSession, url: str, visitor: str | None) -> None:
        self._http = http
        self._url = url
        self._headers = {"X-Forwarded-For": visitor} if visitor else {}

    async def go_through(self, code: str, password: str) -> NewAccount | Refused | NotTaken:
        """Take all steps."""
        answer = await self._ask({})
        session = str(answer.get("session", ""))
        if session:
            # With the code alone: the homeserver keeps the password's hash in the session, and so hashes it once.
            answer = await self._ask({"auth": _step(_CODE_STEP, session, token=code), "password": password})
        for step in _OTHER_STEPS:
            if _is_left(step, answer):
                answer = await self._finish({"auth": _step(step, session)}, password)
        return NewAccount(UserId(answer["user_id"])) if "user_id" in answer else _refused(answer)

    async def _finish(self, body: _Body, password: str) -> _Body:
        """Ask for what makes the account; if the answer is lost, ask again: one session makes one account.

        The door gives an account that has been made only to whoever knows its password.
        """
        try:
            return await self._ask(body, makes=True)
        except AccountsAway as fault:
            if not fault.perhaps_made:
                raise
        for _ in range(_FURTHER_TRIES):
            await asyncio.sleep(_BETWEEN_TRIES_S)
            with suppress(AccountsAway):
                answer = await self._ask({**body, "password": password}, makes=True)
                # Anything else may only mean that the first request is still at work.
                if "user_id" in answer:
                    return answer
        raise AccountsAway("no answer to the last step", perhaps_made=True)

    async def _ask(self, body: _Body, *, makes: bool = False) -> _Body:
        # inhibit_login: the page gets no session; the person's own client makes one, with keys of its own.
        told = {**body, "inhibit_login": True}
        try:
            async with self._http.post(
                self._url, json=told, headers=self._headers, timeout=_ANSWERS_WITHIN
            ) as response:
                status, answer = response.status, await response.json()
        except aiohttp.ClientConnectorError as fault:
            raise AccountsAway("nobody listens") from fault
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            raise AccountsAway(type(fault).__name__, perhaps_made=makes) from fault
        if status == 429 or status >= 500:
            raise AccountsAway(f"status {status}", perhaps_made=makes and status != 429)
        return answer if isinstance(answer, dict) else {}


def _step(kind: str, session: str, **more: str) -> dict[str, str]:
    return {"type": kind, "session": session, **more}


def _is_left(step: str, answer: _Body) -> bool:
    if "errcode" in answer or "flows" not in answer:
        return False
    return step in answer["flows"][0]["stages"] and step not in answer.get("completed", ())


def _refused(answer: _Body) -> Refused | NotTaken:
    errcode = str(answer.get("errcode", ""))
    # The name was reserved for this code alone: whoever has it came with the same code, a moment ago.
    if errcode == "M_USER_IN_USE":
        return Refused(Reason.CODE_USED)
    word = errcode.removeprefix(_OURS).lower()
    if not errcode.startswith(_OURS) or word not in set(Reason):
        return NotTaken()
    if word == Reason.STORE_AWAY:
        raise AccountsAway(word)
    return Refused(Reason(word))
