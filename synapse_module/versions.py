"""The guard: this door fits one Synapse, and says so before the first person knocks."""

from collections.abc import Callable, Collection
from importlib.metadata import version
from typing import Any

from synapse.api.constants import LoginType
from synapse.config import ConfigError
from synapse.handlers.ui_auth import UIAuthSessionDataConstants
from synapse.http.site import SynapseRequest, XForwardedForRequest
from synapse.module_api import ModuleApi
from synapse.rest import ClientRestResource
from synapse.rest.media.media_repository_resource import MediaRepositoryResource

from keyhouse.core.ids import RoomId, UserId

SYNAPSE_VERSION = "1.163.2"

PRIVATE_ATTRIBUTES: dict[str, Callable[[ModuleApi], object]] = {
    # Decision 0001: our own checker stands where Synapse's token checker stood.
    "ModuleApi._hs.get_auth_handler().checkers[token]": lambda api: checkers(api)[LoginType.REGISTRATION_TOKEN],
    # The thread pool must end before Synapse's process does; the module interface has no word for it.
    "ModuleApi._hs.register_sync_shutdown_handler": lambda api: api._hs.register_sync_shutdown_handler,
    # Who changes rooms must have left before entering; the module interface does not say where somebody is.
    "ModuleApi._hs.get_datastores().main.get_rooms_for_user": lambda api: (
        api._hs.get_datastores().main.get_rooms_for_user
    ),
    # Letters between devices reach nobody who stands in no room with their sender, and people's devices are not named.
    "ModuleApi._hs.get_datastores().main.do_users_share_a_room_joined_or_invited": lambda api: (
        api._hs.get_datastores().main.do_users_share_a_room_joined_or_invited
    ),
    "ModuleApi._hs.get_datastores().main.get_device": lambda api: api._hs.get_datastores().main.get_device,
    # Who asks is known to the servlet alone, and the gate stands before it; a request can be looked at once.
    "Auth.get_user_by_access_token": lambda api: api._hs.get_auth().get_user_by_access_token,
    "Auth.get_access_token_from_request": lambda api: api._hs.get_auth().get_access_token_from_request,
    # A finished registration is told from one that is not, and its holder from a stranger.
    "AuthHandler._check_local_password": lambda api: api._hs.get_auth_handler()._check_local_password,
    "AuthHandler.get_session_data": lambda api: api._hs.get_auth_handler().get_session_data,
    # Decision 0013: the gate takes the place of what these two inherit, and hides what this one was told.
    "ClientRestResource.register_paths": lambda api: _inherited(ClientRestResource, "register_paths"),
    "MediaRepositoryResource.register_paths": lambda api: _inherited(MediaRepositoryResource, "register_paths"),
    "SynapseRequest.process": lambda api: _inherited(SynapseRequest, "process"),
    "XForwardedForRequest._forwarded_for": lambda api: XForwardedForRequest._forwarded_for,
}
"""Everything private in Synapse that the door relies upon, each with a way to reach it."""


def require_version(found: str | None = None) -> None:
    """Refuse to start beside any other Synapse. found: None means the installed one."""
    found = found or version("matrix-synapse")
    if found != SYNAPSE_VERSION:
        raise ConfigError(
            f"The door of Keyhouse was tested with Synapse {SYNAPSE_VERSION}, but this is Synapse {found}. "
            "Run `make setup` again; it installs the version that fits."
        )


def require_private_attributes(api: ModuleApi) -> None:
    """Refuse to start if something private that the door relies upon is not where it was."""
    for name, reach in PRIVATE_ATTRIBUTES.items():
        try:
            reach(api)
        except (AttributeError, KeyError) as missing:
            raise ConfigError(
                f"The door of Keyhouse cannot find {name} in this Synapse. "
                "Check that registration_requires_token is true, then run `make setup` again."
            ) from missing


def checkers(api: ModuleApi) -> dict[str, Any]:
    """Return Synapse's checkers of the steps of a registration, by the name of the step."""
    found: dict[str, Any] = api._hs.get_auth_handler().checkers
    return found


async def joined_rooms(api: ModuleApi, user_id: UserId) -> frozenset[RoomId]:
    """Return the rooms in which Synapse has an account of ours joined now."""
    datastore: Any = api._hs.get_datastores().main
    return frozenset(RoomId(room_id) for room_id in await datastore.get_rooms_for_user(user_id))


async def who_asks(api: ModuleApi, request: SynapseRequest) -> UserId:
    """Return whose session a request is made in; SynapseError where it is nobody's."""
    auth: Any = api._hs.get_auth()
    found = await auth.get_user_by_access_token(auth.get_access_token_from_request(request))
    return UserId(found.user.to_string())


async def in_a_room_with(api: ModuleApi, user_id: UserId, others: Collection[str]) -> frozenset[str]:
    """Return those of these accounts that are in a room, or invited to one, in which this account is too."""
    datastore: Any = api._hs.get_datastores().main
    return frozenset(await datastore.do_users_share_a_room_joined_or_invited(user_id, others))


async def has_device(api: ModuleApi, user_id: UserId, device_id: str) -> bool:
    """Say whether an account of ours is signed in with a device so called."""
    datastore: Any = api._hs.get_datastores().main
    return await datastore.get_device(user_id, device_id) is not None


async def registered_in(api: ModuleApi, session: str) -> UserId | None:
    """Return the account that this session of a registration has made, if any; SynapseError where nobody began it."""
    made = UIAuthSessionDataConstants.REGISTERED_USER_ID
    found = await api._hs.get_auth_handler().get_session_data(session, made, None)
    return None if found is None else UserId(found)


async def has_password(api: ModuleApi, user_id: UserId, password: str) -> bool:
    """Say whether this is the account's password."""
    return await api._hs.get_auth_handler()._check_local_password(user_id, password) is not None


def at_shutdown(api: ModuleApi, end: Callable[[], object]) -> None:
    """Have something ended together with Synapse."""
    api._hs.register_sync_shutdown_handler(phase="during", eventType="shutdown", shutdown_func=end)


def _inherited(kind: type, name: str) -> object:
    # A method of the class's own would be lost, not called, behind ours.
    if name in vars(kind) and vars(kind)[name].__module__.startswith("synapse."):
        raise AttributeError(name)
    return getattr(kind, name)
