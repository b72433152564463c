"""How often one visitor may try, and all together: Synapse cannot count visitors whose addresses it never sees."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# Beyond these many visitors at once whoever asked longest ago is forgotten; the limit for all together stands.
MOST_VISITORS = 10_000
KEY_LASTS_S = 24 * 3600.0
_EVERYBODY = b""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries at once, and so many more per second."""

    burst: int
    per_second: float


# A registration is four requests, and a ward or a household has one address. Codes and passwords are too long to be
# guessed; what is kept away is the load, and each account's own limit of Synapse's stands.
REGISTRATIONS = (Limit(burst=80, per_second=0.5), Limit(burst=800, per_second=10))
LOGINS = (Limit(burst=40, per_second=0.2), Limit(burst=400, per_second=5))
LOOK_UPS = (Limit(burst=30, per_second=0.2), Limit(burst=300, per_second=5))
"""Each: for one visitor, and for all together."""


class Buckets:
    """What is left to each of many, who are told apart by a key; at most MOST_VISITORS of them are remembered."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, key: bytes, now: float) -> float:
        """Take one try; the seconds to wait for the next one where nothing is left, 0 where one was taken."""
        left, since = self._left.pop(key, (float(self._limit.burst), now))
        left = min(float(self._limit.burst), left + (now - since) * self._limit.per_second)
        waits_s = 0.0 if left >= 1 else (1 - left) / self._limit.per_second
        self._left[key] = (left if waits_s else left - 1, now)
        if len(self._left) > MOST_VISITORS:
            self._left.popitem(last=False)
        return waits_s

    def forget(self) -> None:
        """Begin again with everybody."""
        self._left.clear()

    def __len__(self) -> int:
        return len(self._left)


class Tries:
    """Counts the tries at one thing. Addresses are kept as keyed hashes, in memory, under a key that lasts a day.

    each, together: for one visitor and for all of them.  clock: seconds, from any beginning.
    """

    def __init__(self, each: Limit, together: Limit, clock: Callable[[], float]) -> None:
        self._each = Buckets(each)
        self._together = Buckets(together)
        self._clock = clock
        self._draw_key()

    def wait_s(self, network: str | None) -> float:
        """Count a try; the seconds to wait where it is one too many, 0 where it may go on.

        network: None means that nobody is counted but all together.
        """
        now = self._clock()
        if now - self._drawn_at >= KEY_LASTS_S:
            self._draw_key()
        waits_s = self._each.take(self._hashed(network), now) if network is not None else 0.0
        return waits_s or self._together.take(_EVERYBODY, now)

    def _draw_key(self) -> None:
        self._key = secrets.token_bytes(32)
        self._drawn_at = self._clock()
        self._each.forget()

    def _hashed(self, network: str) -> bytes:
        return hmac.digest(self._key, network.encode("utf-8", "replace"), "sha256")
