"""What the gate does with a request before Synapse's servlet gets it, or instead of it."""

import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from synapse.api.errors import Codes, LimitExceededError, SynapseError
from synapse.http.site import SynapseRequest

from keyhouse.core.carried import VERIFICATION
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Reason
from synapse_module.gate.bodies import TOO_DEEP, leave_out, put, read_object
from synapse_module.gate.devices import DEVICE_ID, Devices
from synapse_module.gate.limits import Tries
from synapse_module.gate.neighbours import Neighbours
from synapse_module.gate.replays import Replays
from synapse_module.gate.visitors import network_of
from synapse_module.refusals import refusal

Answer = tuple[int, Any] | None
"""What a servlet gives back: the status and the JSON body; None where it has answered by itself."""
Named = Mapping[str, str]
"""The named parts of the path, decoded."""
GoOn = Callable[[], Awaitable[Answer]]
Step = Callable[[SynapseRequest, Named, GoOn], Awaitable[Answer]]

# What encryption and verification are made of, in the clients of matrix-js-sdk, of the Rust SDK and of nio.
_KEYS = (
    *("m.room.encrypted", "m.room_key_request", "m.forwarded_room_key", "m.dummy"),
    *("m.room_key.withheld", "org.matrix.room_key.withheld", "m.secret.request", "m.secret.send"),
)
CARRIED_TO_DEVICES = frozenset({*_KEYS, *VERIFICATION})
_DELAY = b"org.matrix.msc4140.delay"
_FILE_NAME = b"filename"
_PROFILE_FIELDS = "m.profile_fields"
_DEVICE_NAME = "initial_device_display_name"
_NAMES_OF_CLIENT = ("device_display_name", "app_display_name")


async def refuse(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Let nobody through."""
    raise refusal(Reason.HOUSE_DOES_THIS)


async def without_delay(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Let an event through that is to be sent now."""
    if _DELAY in (request.args or {}):
        raise refusal(Reason.HOUSE_DOES_THIS)
    try:
        return await go_on()
    except RecursionError:
        # Synapse copies what is nested for the door, and fails at what it would refuse without us.
        raise SynapseError(HTTPStatus.BAD_REQUEST, TOO_DEEP, Codes.BAD_JSON) from None


def between_devices(neighbours: Neighbours) -> Step:
    """Make the step of letters between devices: what encryption needs, to nobody who is a stranger."""

    async def send(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
        if named["message_type"] not in CARRIED_TO_DEVICES:
            raise refusal(Reason.HOUSE_DOES_THIS)
        await neighbours.leave_strangers_out(request)
        return await go_on()

    return send


async def without_device_name(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Leave a device without the name that its owner or its maker gave it."""
    if (body := read_object(request)) is not None:
        leave_out(request, body, "display_name")
    return await go_on()


async def dehydrated_device(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Leave a device that is kept for later without a name; Synapse wants the field itself to be there."""
    body = read_object(request)
    if body is not None and _DEVICE_NAME in body:
        put(request, {**body, _DEVICE_NAME: None})
    return await go_on()


async def without_file_name(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Leave a file without its name."""
    if request.args:
        request.args.pop(_FILE_NAME, None)
    # The query stands in what Synapse logs when something goes wrong.
    request.uri = request.path
    return await go_on()


async def pusher(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Let through whoever wants to be woken, but not by mail, and without the name of the telephone and of its app."""
    if (body := read_object(request)) is not None:
        if body.get("kind") == "email":
            raise refusal(Reason.HOUSE_DOES_THIS)
        if hidden := {name: "-" for name in _NAMES_OF_CLIENT if name in body}:
            put(request, {**body, **hidden})
    return await go_on()


async def capabilities(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Tell clients that nobody writes fields of a profile here, so that they do not offer it."""
    answer = await go_on()
    if answer is not None:
        answer[1]["capabilities"][_PROFILE_FIELDS] = {"enabled": False}
    return answer


async def any_name_is_free(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Say of every name that it is free: an account is named by its referral, and nobody learns who is here."""
    return 200, {"available": True}


def counted(tries: Tries | None, step: Step) -> Step:
    """Put a limit before a step; tries: None means no limit."""
    if tries is None:
        return step

    async def not_too_often(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
        if wait_s := tries.wait_s(network_of(request)):
            fault = LimitExceededError("keyhouse", retry_after_ms=math.ceil(wait_s * 1000))
            fault.msg = sentence(Reason.TOO_OFTEN)
            raise fault
        return await step(request, named, go_on)

    return not_too_often


async def through(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
    """Let everybody through, for what is only limited."""
    return await go_on()


def login(devices: Devices) -> Step:
    """Make the step of signing in: with a device that has no name, and that nobody has called anything."""

    async def sign_in(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
        if (body := read_object(request)) is not None:
            made_up = (DEVICE_ID,) if await devices.is_made_up(body) else ()
            leave_out(request, body, _DEVICE_NAME, *made_up)
        return await go_on()

    return sign_in


def registration(replays: Replays) -> Step:
    """Make the step that a registration takes: no name of one's own, no second answer for a stranger."""

    async def register(request: SynapseRequest, named: Named, go_on: GoOn) -> Answer:
        if (body := read_object(request)) is not None:
            await replays.refuse_strangers(body)
            leave_out(request, body, "username", DEVICE_ID, _DEVICE_NAME)
        try:
            return await go_on()
        except SynapseError as fault:
            # The name is the code's own: whoever has it came with the same code, a moment ago.
            if fault.errcode == Codes.USER_IN_USE:
                raise refusal(Reason.CODE_USED) from None
            raise

    return register
