"""Who is slowed down by Synapse, and who is not."""

from collections.abc import Iterable

from synapse.module_api import ModuleApi, RatelimitOverride

# Synapse's own documentation says that 0 switches a limit off. In this version 0 and 0 refuse everything.
UNLIMITED = RatelimitOverride(per_second=10_000.0, burst_count=10_000)


class Rates:
    """Lifts the limits of the house's own accounts, named in the settings: no look-up, whatever the store does.

    Synapse asks about invitations alone (per room, per invitee, per inviter), not about messages, joins and new rooms.
    """

    def __init__(self, api: ModuleApi, service_localparts: Iterable[str]) -> None:
        self._unlimited = frozenset(api.get_qualified_user_id(name) for name in service_localparts)

    def register(self, api: ModuleApi) -> None:
        """Have Synapse ask."""
        api.register_ratelimit_callbacks(get_ratelimit_override_for_user=self.limits_of)

    async def limits_of(self, user_id: str, limiter: str) -> RatelimitOverride | None:
        """Give back the limits of one account; None means Synapse's own."""
        return UNLIMITED if user_id in self._unlimited else None
