"""Letters between devices reach whoever stands in a room with their sender, and nobody else."""

import re
from collections.abc import Mapping
from typing import Any

from synapse.http.site import SynapseRequest
from synapse.module_api import ModuleApi

from synapse_module.gate.bodies import put, read_object
from synapse_module.versions import in_a_room_with, who_asks

LARGEST_LETTERS_BYTES = 4 * 1024 * 1024
"""Clients send to some hundred devices at once, a kilobyte to each."""

# Anything else is nobody here, and some of it no database takes.
_USER_ID = re.compile("@[!-~]{1,254}")


class Neighbours:
    """Knows who stands where with whom, by Synapse's own caches.

    services: localparts of the house's own accounts. Their letters, and those to them, always pass: a cache that hears
    late of somebody's coming must never cost the watcher a room key.
    """

    def __init__(self, api: ModuleApi, services: frozenset[str]) -> None:
        self._api = api
        self._services = frozenset(api.get_qualified_user_id(name) for name in services)

    async def leave_strangers_out(self, request: SynapseRequest) -> None:
        """Take the letters to strangers out of a request. Nobody is told which: that would say who is here."""
        body = read_object(request, LARGEST_LETTERS_BYTES)
        letters = body.get("messages") if body is not None else None
        if body is None or not isinstance(letters, Mapping) or not letters:
            return
        reached = await self._reached(request, letters)
        if not reached >= letters.keys():
            put(request, {**body, "messages": {who: letter for who, letter in letters.items() if who in reached}})

    async def _reached(self, request: SynapseRequest, letters: Mapping[str, Any]) -> frozenset[str]:
        sender = await who_asks(self._api, request)
        if sender in self._services:
            return frozenset(letters)
        always = {sender, *self._services}
        others = [who for who in letters if who not in always and _USER_ID.fullmatch(who)]
        return await in_a_room_with(self._api, sender, others) | always
