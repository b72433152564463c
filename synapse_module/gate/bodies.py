"""Small requests: what they bring is read before Synapse reads it, and what names a device or a person is taken out."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any

from synapse.api.errors import Codes, SynapseError
from synapse.http.site import SynapseRequest
from synapse.util.json import json_decoder

LARGEST_BYTES = 64 * 1024

TOO_LARGE = "This request is far too large. Please try again, or ask the team that gave you the letter for help."
TOO_DEEP = "This request cannot be read. Please try again, or ask the team that gave you the letter for help."

Body = dict[str, Any]


def read_object(request: SynapseRequest, largest_bytes: int = LARGEST_BYTES) -> Body | None:
    """Read the JSON object that a request brings; None if it is anything else, which Synapse then answers itself."""
    assert request.content is not None
    written = request.content.read(largest_bytes + 1)
    request.content.seek(0)
    if len(written) > largest_bytes:
        raise SynapseError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, Codes.TOO_LARGE)
    try:
        # The same decoder as Synapse's, so that both see the same object.
        found = json_decoder.decode(written.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def leave_out(request: SynapseRequest, body: Body, *names: str) -> None:
    """Take these fields out of a request; nothing is touched where none of them is in it."""
    if any(name in body for name in names):
        put(request, {name: value for name, value in body.items() if name not in names})


def put(request: SynapseRequest, body: Mapping[str, Any]) -> None:
    """Give a request another body."""
    try:
        request.content = BytesIO(json.dumps(body).encode("ascii"))
    except RecursionError:
        raise SynapseError(HTTPStatus.BAD_REQUEST, TOO_DEEP, Codes.BAD_JSON) from None
