"""What a device of a person is called is drawn by Synapse: where it has no name, clients show what it is called."""

import re
from collections.abc import Mapping
from typing import Any

from synapse.module_api import ModuleApi

from keyhouse.core.ids import UserId
from synapse_module.versions import has_device

DEVICE_ID = "device_id"

# As Synapse draws them, and the house for its own; some other things no database takes.
_KNOWN = re.compile("[!-~]{1,255}")


class Devices:
    """Tells a device that is known from one that its owner has made up. services: localparts that name their own."""

    def __init__(self, api: ModuleApi, services: frozenset[str]) -> None:
        self._api = api
        self._services = frozenset(UserId(api.get_qualified_user_id(name)) for name in services)

    async def is_made_up(self, login: Mapping[str, Any]) -> bool:
        """Say whether somebody signs in with a new device and says themselves what it is called."""
        device_id, user_id = login.get(DEVICE_ID), self._user_id(login)
        if DEVICE_ID not in login or user_id in self._services:
            return False
        if not isinstance(device_id, str) or not _KNOWN.fullmatch(device_id) or user_id is None:
            return True
        return not await has_device(self._api, user_id, device_id)

    def _user_id(self, login: Mapping[str, Any]) -> UserId | None:
        identifier = login.get("identifier")
        name = identifier.get("user") if isinstance(identifier, Mapping) else login.get("user")
        if not isinstance(name, str) or not _KNOWN.fullmatch(name):
            return None
        return UserId(self._api.get_qualified_user_id(name))
