"""The table of routes, and who gets into which room, once more on several processes."""

from tests.synapse.test_entry import *  # noqa: F403
from tests.synapse.test_invitations import (  # noqa: F401
    test_fifty_people_invited_into_one_room_at_once_are_soon_all_in_it,
    test_one_person_invited_to_twelve_rooms_at_once_is_soon_in_all_of_them,
)
from tests.synapse.test_routes import *  # noqa: F403
