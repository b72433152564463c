"""Which of Synapse's servlets the gate stands before. A servlet is named as in Synapse: its file and its class."""

from collections.abc import Iterable
from importlib import import_module

from synapse.config import ConfigError

REFUSED = (
    # A name or a picture of one's own, and every other field of a profile. The house names its accounts as an admin.
    "PUT profile.ProfileFieldRestServlet",
    "DELETE profile.ProfileFieldRestServlet",
    "PUT profile.UnstableProfileFieldRestServlet",
    "DELETE profile.UnstableProfileFieldRestServlet",
    # Mail addresses and telephone numbers.
    "POST account.ThreepidRestServlet",
    "POST account.ThreepidAddRestServlet",
    "POST account.ThreepidBindRestServlet",
    "POST account.ThreepidUnbindRestServlet",
    "POST account.ThreepidDeleteRestServlet",
    "POST account.EmailThreepidRequestTokenRestServlet",
    "POST account.MsisdnThreepidRequestTokenRestServlet",
    "GET account.AddThreepidEmailSubmitTokenServlet",
    "POST account.AddThreepidMsisdnSubmitTokenServlet",
    "POST account.EmailPasswordRequestTokenRestServlet",
    "POST register.EmailRegisterRequestTokenRestServlet",
    "POST register.MsisdnRegisterRequestTokenRestServlet",
    "GET register.RegistrationSubmitTokenServlet",
    # A word to another service about who somebody is.
    "POST openid.IdTokenServlet",
    # Somebody found by looking.
    "POST user_directory.UserDirectorySearchRestServlet",
    # What is said later was judged before.
    "POST delayed_events.UpdateDelayedEventServlet",
    "POST delayed_events.CancelDelayedEventServlet",
    "POST delayed_events.RestartDelayedEventServlet",
    "POST delayed_events.SendDelayedEventServlet",
)
"""Requests that nobody may make, the house's own accounts neither."""

SENDING = (
    "PUT room.RoomSendEventRestServlet",
    "POST room.RoomSendEventRestServlet",
    "PUT room.RoomStateEventRestServlet",
)
"""Requests that send an event at once, or, with a parameter, later."""

UPLOADING = ("POST upload_resource.UploadServlet", "PUT upload_resource.AsyncUploadServlet")

_MEDIA = "upload_resource"


def key_of(name: str) -> tuple[str, str]:
    """Split a name of a table above into the method and the class, as Synapse registers them."""
    method, _, servlet = name.partition(" ")
    return method, servlet.partition(".")[2]


def require_servlets(names: Iterable[str]) -> None:
    """Refuse to start if one of these is not where it was: what it took would be let through."""
    for name in names:
        method, _, path = name.partition(" ")
        file, _, servlet = path.partition(".")
        folder = "synapse.rest.media" if file == _MEDIA else "synapse.rest.client"
        try:
            getattr(getattr(import_module(f"{folder}.{file}"), servlet), f"on_{method}")
        except (ImportError, AttributeError) as missing:
            raise ConfigError(
                f"The gate of Keyhouse cannot find {name} in this Synapse. "
                "Run `make setup` again; it installs the version that fits."
            ) from missing
