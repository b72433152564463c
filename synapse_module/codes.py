"""The step of a registration at which the code is presented (decision 0001)."""

from datetime import UTC, datetime

from synapse.module_api import JsonDict

from keyhouse.core.codes import hash_code, read_code
from keyhouse.core.referrals import Referral
from keyhouse.core.verdict import Reason, Refused
from keyhouse.core.workflows.registration import present_code
from keyhouse.storage.errors import StoreFault
from synapse_module.refusals import refused_code
from synapse_module.store_threads import StoreThreads


class CodeChecker:
    """Stands in place of Synapse's token checker, so that no code comes to lie in Synapse's tables."""

    def __init__(self, store: StoreThreads, key: bytes) -> None:
        self._store = store
        self._key = key

    def is_enabled(self) -> bool:
        """Say that the step is there."""
        return True

    async def check_auth(self, authdict: JsonDict, clientip: str) -> str:
        """Give back the id of the referral that the code opens; Synapse keeps it as the result of this step."""
        found = await self._find(self._hashed(authdict.get("token")))
        if isinstance(found, Refused):
            raise refused_code(found.reason)
        return found.id

    async def _find(self, code_hash: str | None) -> Referral | Refused:
        now = datetime.now(UTC)
        try:
            return await self._store.read(lambda tx: present_code(tx, code_hash, now))
        except StoreFault:
            return Refused(Reason.STORE_AWAY)

    def _hashed(self, presented: object) -> str | None:
        symbols = read_code(presented) if isinstance(presented, str) else None
        return hash_code(symbols, self._key) if symbols else None
