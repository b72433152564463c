"""A house on several processes, which hear of each other's changes a moment later."""

import asyncio

from keyhouse.core.ids import RoomId
from tests.support.house_with_door import CLIENT, House
from tests.support.synapse import Account

NO_ROOMS = '{"room":{"rooms":[]}}'


class ClusterHouse(House):
    """A house in which waiting for a membership waits until the person's own worker knows of it too.

    Synapse itself refuses a leave or a join whose worker has not heard yet of what came before it.
    """

    async def joined(self, room: RoomId, *people: Account) -> None:
        """Wait until all of these people are in the room, and know it themselves."""
        await super().joined(room, *people)
        await self._all_told(*people)

    async def left(self, room: RoomId, *people: Account) -> None:
        """Wait until none of these people is in the room any more, and they know it themselves."""
        await super().left(room, *people)
        await self._all_told(*people)

    async def _all_told(self, *people: Account) -> None:
        # A worker answers a sync from a position only when it has got as far itself.
        path = f"{CLIENT}/sync?timeout=0&filter={NO_ROOMS}"
        reached = (await self.synapse.ask("GET", path, self.concierge.access_token))["next_batch"]
        since = f"{path}&since={reached}"
        await asyncio.gather(*(self.synapse.request("GET", since, one.access_token) for one in people))
