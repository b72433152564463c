"""What a bot answers to a typed command: decided together with what the command changes, and sent by the outbox."""

from collections.abc import Callable

from bots.runtime.ledger import Ledger
from bots.runtime.surroundings import Surroundings, device_policy
from bots.runtime.words import notice
from keyhouse.core.ids import RoomId
from keyhouse.core.outgoing import NewOutgoing, Outgoing, OutgoingKind
from keyhouse.core.ports import Transaction

Decision = Callable[[Transaction], str | None]
"""Does what was asked and gives the answer in Markdown; None when there is nothing to say."""


async def decide_answer(
    ledger: Ledger, room_id: str, event_id: str, decision: Decision, reply_to: str | None = None
) -> None:
    """Let what an event asks for be done, and be answered, once, in one transaction.

    reply_to: what the answer replies to; the event itself if nothing else is named.
    """

    def decide(tx: Transaction) -> None:
        markdown = decision(tx)
        if markdown is None:
            return
        now = ledger.clock()
        content = {"room_id": room_id, "markdown": markdown, "reply_to": reply_to or event_id}
        once = f"answer:{ledger.worker.value}:{event_id}"
        tx.outbox.add(NewOutgoing(OutgoingKind.ANSWER, ledger.worker, once, content, now), now)

    await ledger.decide(event_id, decide)


async def send_answer(around: Surroundings, row: Outgoing) -> None:
    """Send one answer, to the devices that may read in its room now."""
    room_id = str(row.content["room_id"])
    scope = await around.ledger.read(lambda tx: tx.rooms.get(RoomId(room_id)))
    content = notice(str(row.content["markdown"]), str(row.content["reply_to"]))
    await around.sending.send_message(room_id, content, row.txn_id, device_policy(scope))
