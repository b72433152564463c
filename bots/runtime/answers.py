"""What a bot answers to a typed command: decided together with what the command changes, and sent by the outbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bots.runtime.device_policy import DevicePolicy
from bots.runtime.ledger import Ledger
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import notice
from keyhouse.core.ids import RoomId
from keyhouse.core.outgoing import NewOutgoing, Outgoing, OutgoingKind
from keyhouse.core.ports import Transaction

ASKED_KEY = "uk.keyhouse.asked"
"""In a message that can be answered by a tap: what was asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """An answer that asks back. about: JSON values, read from the message when somebody taps.  taps: reactions."""

    markdown: str
    about: Mapping[str, object]
    taps: tuple[str, ...]


Said = str | Question | None
Decision = Callable[[Transaction], Said]
"""Does what was asked and gives the answer, words in Markdown; None when there is nothing to say."""


async def decide_answer(
    ledger: Ledger, room_id: str, event_id: str, decision: Decision, reply_to: str | None = None
) -> None:
    """Let what an event asks for be done, and be answered, once, in one transaction.

    reply_to: what the answer replies to; the event itself if nothing else is named.
    """

    def decide(tx: Transaction) -> None:
        said = decision(tx)
        if said is None:
            return
        now = ledger.clock()
        content = {"room_id": room_id, **_kept(said), "reply_to": reply_to or event_id}
        once = f"answer:{ledger.worker.value}:{event_id}"
        tx.outbox.add(NewOutgoing(OutgoingKind.ANSWER, ledger.worker, once, content, now), now)

    await ledger.decide(event_id, decide)


async def send_answer(around: Surroundings, row: Outgoing) -> None:
    """Send one answer, to the devices that may read in its room now."""
    room_id = str(row.content["room_id"])
    scope = await around.ledger.read(lambda tx: tx.rooms.get(RoomId(room_id)))
    content = notice(str(row.content["markdown"]), str(row.content["reply_to"]))
    about, taps = row.content.get("about"), row.content.get("taps")
    if isinstance(about, Mapping) and isinstance(taps, Sequence):
        await ask(around, room_id, {**content, ASKED_KEY: about}, taps, row.txn_id, device_policy(scope))
    else:
        await around.sending.send_message(room_id, content, row.txn_id, device_policy(scope))


async def ask(
    around: Surroundings,
    room_id: str,
    content: Mapping[str, Any],
    taps: Sequence[str],
    txn_id: str,
    policy: DevicePolicy,
) -> None:
    """Send a question, and react to it first, so that the person need only tap."""
    event_id = await around.sending.send_message(room_id, content, txn_id, policy)
    for place, key in enumerate(taps):
        await around.sending.react(room_id, event_id, key, f"{txn_id}-tap{place}")


def _kept(said: str | Question) -> dict[str, object]:
    if isinstance(said, str):
        return {"markdown": said}
    return {"markdown": said.markdown, "about": dict(said.about), "taps": list(said.taps)}
