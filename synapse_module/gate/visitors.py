"""Who asks is written down nowhere: every request loses its address and its agent before Synapse looks at it."""

from ipaddress import ip_address, ip_network

from synapse.http.site import SynapseRequest, XForwardedForRequest
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress
from twisted.web.server import Request

NOWHERE = IPv4Address("TCP", "0.0.0.0", 0)  # noqa: S104
NO_AGENT = b"-"

# Whoever has an address of the sixth version has as many as they like, all with the same first half.
_OWN_BITS_V6 = 64


def hide_visitors() -> None:
    """Have all requests to this Synapse hidden, whatever they ask for and on whichever port."""
    # Synapse's class has no such method of its own: this stands between it and Twisted's.
    SynapseRequest.process = _process  # type: ignore[method-assign,assignment]


def network_of(request: SynapseRequest) -> str | None:
    """Say where a request comes from, as far as one visitor can be told from another; None: from this machine.

    A proxy on this machine says in the last entry of X-Forwarded-For for whom it asks.
    """
    peer = _host(request.channel.getPeer() if request.channel else None)  # type: ignore[no-untyped-call]
    if not _is_here(peer):
        return _network(peer)
    told = request.requestHeaders.getRawHeaders(b"x-forwarded-for")
    if not told:
        return None
    visitor = told[-1].rpartition(b",")[2].strip().decode("ascii", "replace")
    return None if _is_here(visitor) else _network(visitor)


def _process(request: SynapseRequest) -> None:
    request.client = NOWHERE
    if isinstance(request, XForwardedForRequest):
        request._forwarded_for = None
    request.requestHeaders.setRawHeaders(b"user-agent", [NO_AGENT])
    Request.process(request)  # type: ignore[no-untyped-call]


def _host(address: IAddress | None) -> str:
    return address.host if isinstance(address, IPv4Address | IPv6Address) else ""


def _is_here(host: str) -> bool:
    # No address at all: a socket in the file system, which nobody reaches from elsewhere.
    try:
        return not host or ip_address(host).is_loopback
    except ValueError:
        return False


def _network(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ip_network((int(address), _OWN_BITS_V6), strict=False))
