"""A registration that is over: its session makes one account, and hands it out again to nobody but its holder."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from synapse.api.errors import SynapseError
from synapse.module_api import ModuleApi

from keyhouse.core.ids import UserId
from keyhouse.core.verdict import Reason
from synapse_module.refusals import refusal
from synapse_module.versions import has_password, registered_in

# A client whose answer was lost asks again at once. Synapse itself would hand out the account for two days.
ANSWER_MAY_BE_LOST_FOR = timedelta(minutes=10)


class Replays:
    """Looks whether the session of a registration has made its account already. Keeps nothing."""

    def __init__(self, api: ModuleApi) -> None:
        self._api = api

    async def refuse_strangers(self, body: Mapping[str, Any]) -> None:
        """Refuse a finished session, unless its account is young and its password stands in the body."""
        user_id = await self._made(body)
        if user_id is not None and not await self._is_holder(user_id, body.get("password")):
            raise refusal(Reason.CODE_USED)

    async def _made(self, body: Mapping[str, Any]) -> UserId | None:
        auth = body.get("auth")
        session = auth.get("session") if isinstance(auth, dict) else None
        if not isinstance(session, str):
            return None
        try:
            return await registered_in(self._api, session)
        except SynapseError:
            # Nobody began such a session; Synapse says so itself.
            return None

    async def _is_holder(self, user_id: UserId, password: object) -> bool:
        account = await self._api.get_userinfo_by_id(user_id)
        if account is None or not isinstance(password, str):
            return False
        made_at = datetime.fromtimestamp(account.creation_ts, UTC)
        if datetime.now(UTC) - made_at > ANSWER_MAY_BE_LOST_FOR:
            return False
        return await has_password(self._api, user_id, password)
