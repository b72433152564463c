"""Who closes their account in an app has left the house: it decides the same as when the team closes one."""

import logging
from datetime import UTC, datetime

from synapse.module_api import ModuleApi

from keyhouse.core.ids import UserId
from keyhouse.core.verdict import Refused
from keyhouse.core.workflows.standing import close
from keyhouse.storage.errors import StoreFault
from synapse_module.enduring import until_done
from synapse_module.store_threads import StoreThreads

logger = logging.getLogger(__name__)

_AN_ADMINISTRATOR = "server administrator"


class Closing:
    """What follows from the end of an account, whoever ended it. Synapse tells its main process alone."""

    def __init__(self, api: ModuleApi, store: StoreThreads) -> None:
        self._api = api
        self._store = store

    def register(self) -> None:
        """Have Synapse tell."""
        self._api.register_third_party_rules_callbacks(on_user_deactivation_status_changed=self.on_changed)

    async def on_changed(self, user_id: str, deactivated: bool, by_admin: bool) -> None:
        """Close the person before the client is answered, or as soon as the store is back.

        What the caretaker ends was closed before, and is not decided again. Never raises: the account is gone.
        """
        if not deactivated:
            return
        person, by = UserId(user_id), _AN_ADMINISTRATOR if by_admin else user_id
        try:
            await self._close(person, by)
        except StoreFault as fault:
            logger.warning("a closing waits: %s", type(fault).__name__)
            self._api.run_as_background_process(
                "keyhouse_closing", until_done, self._api, lambda: self._close(person, by)
            )

    async def _close(self, person: UserId, by: str) -> None:
        now = datetime.now(UTC)
        # They have gone by now; alerts and cases stay, and so do the words that an open case is about.
        done = await self._store.write(lambda tx: close(tx, person, by, now, even_with_open_case=True))
        logger.info("closing: %s", done.reason.value if isinstance(done, Refused) else "done")
