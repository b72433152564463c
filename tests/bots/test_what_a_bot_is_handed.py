"""Whatever a person sends arrives at the bot, readable or named as what it is, and in order."""

from pathlib import Path
from typing import Any

from bots.runtime.reading import without_surrogates
from bots.runtime.received import Malformed, MemberChanged, Message, Reaction, Redaction, Undecryptable
from tests.bots.conftest import People, Unlimited
from tests.bots.late import Late
from tests.bots.living import LivingBot, enrolled, give_new_device, living
from tests.support.synapse import RunningSynapse


def deep(levels: int) -> list[Any]:
    """A list in a list in a list, so often."""
    return [deep(levels - 1)] if levels else []


KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "sticker": ("m.sticker", {"body": "a cat", "url": "mxc://keyhouse.test/cat", "info": {}}),
    "poll": (
        "m.poll.start",
        {"m.poll.start": {"question": {"m.text": "which?"}, "answers": [{"id": "1", "m.text": "this"}]}},
    ),
    "unstable poll": ("org.matrix.msc3381.poll.start", {"org.matrix.msc1767.text": "which?"}),
    "caption": (
        "m.room.message",
        {"msgtype": "m.image", "body": "the words under it", "filename": "a.png", "url": "mxc://keyhouse.test/a"},
    ),
    "own kind": ("org.example.anything", {"words": "in here"}),
    "number as body": ("m.room.message", {"msgtype": "m.text", "body": 5}),
    "list as body": ("m.room.message", {"msgtype": "m.text", "body": ["a"], "formatted_body": None}),
    "no body": ("m.room.message", {"msgtype": "m.text"}),
    "zero characters": ("m.room.message", {"msgtype": "m.text", "body": "\0 and \0"}),
    "marks from right to left": ("m.room.message", {"msgtype": "m.text", "body": "\u202eylno\u2069 \u200f"}),
    "as long as it may be": ("m.room.message", {"msgtype": "m.text", "body": "a" * 40_000}),
    "deep": ("m.room.message", {"msgtype": "m.text", "body": "x", "extra": deep(200)}),
    "half a surrogate pair": ("m.room.message", {"msgtype": "m.text", "body": "\ud83d and on"}),
}


async def test_every_kind_of_event_is_handed_over_as_it_was_sent(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)

    sent = {name: await alice.send_event(room, kind, content) for name, (kind, content) in KINDS.items()}
    heard = {name: await bot.seen.event(event_id) for name, event_id in sent.items()}

    assert all(each.encrypted for each in heard.values())
    expected = {name: (kind, without_surrogates(content)) for name, (kind, content) in KINDS.items()}
    assert {name: (each.type, each.content) for name, each in heard.items()} == expected
    assert heard["half a surrogate pair"].content["body"] == "\ufffd and on"


async def test_edits_reactions_redactions_and_members_are_handed_over_in_order(bot: LivingBot, person: People) -> None:
    alice, bob = await person(), await person()
    room = await bot.join(alice)

    first = await alice.send(room, "first words")
    edit = await alice.edit(room, first, "other words")
    reaction = await alice.react(room, first, "🆘 help")
    await alice.invite(room, bob.user_id)
    await bob.join(room)
    last = await alice.send(room, "last words")
    await alice.redact(room, last)
    taken_away = await bot.seen.until(lambda: next((e for e in bot.seen.events if isinstance(e, Redaction)), None))

    assert (await bot.seen.event(edit)).content["m.new_content"]["body"] == "other words"
    assert (await bot.seen.event(edit)).content["m.relates_to"] == {"rel_type": "m.replace", "event_id": first}
    heard = await bot.seen.event(reaction, Reaction)
    assert (heard.target, heard.key, heard.sender) == (first, "🆘 help", alice.user_id)
    assert taken_away.target == last
    bobs = [e.membership for e in bot.seen.events if isinstance(e, MemberChanged) and e.user_id == bob.user_id]
    assert bobs == ["invite", "join"]
    order = [e.event_id for e in bot.seen.events if e.room_id == room and isinstance(e, Message | Reaction)]
    assert order == [first, edit, reaction, last]


async def test_the_bots_own_messages_are_not_handed_to_it(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice)

    own = await bot.client.sending.send_message(room, {"msgtype": "m.text", "body": "mine"}, "own")
    await alice.wait_message(room, event_id=own)
    await bot.seen.event(await alice.send(room, "theirs"))

    assert [e.content["body"] for e in bot.seen.events if isinstance(e, Message)] == ["theirs"]


async def test_an_invitation_of_the_bot_is_handed_to_it(bot: LivingBot, person: People) -> None:
    alice = await person()

    room = await alice.create_room("room", [bot.user_id])
    invited = await bot.seen.until(lambda: next((e for e in bot.seen.events if isinstance(e, MemberChanged)), None))

    assert (invited.room_id, invited.user_id, invited.membership) == (room, bot.user_id, "invite")
    assert invited.sender == alice.user_id


async def test_a_malformed_plain_event_is_named(bot: LivingBot, person: People) -> None:
    alice = await person()
    room = await bot.join(alice, encrypted=False)

    odd = await alice.send_event(room, "m.reaction", {"m.relates_to": {"event_id": 5, "key": ["x"]}})
    not_encrypted = await alice.send_event(room, "m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2"})
    fine = await alice.send(room, "still here")

    assert (await bot.seen.event(odd, Malformed)).type == "m.reaction"
    assert (await bot.seen.event(not_encrypted, Malformed)).type == "m.room.encrypted"
    assert not (await bot.seen.event(fine)).encrypted


async def test_messages_sent_while_the_bot_was_away_all_arrive_in_order(
    directory: Path, person: People, unlimited: Unlimited, synapse: RunningSynapse
) -> None:
    async with living(directory) as bot:
        alice = await unlimited(await person())
        room = await bot.join(alice)
        await bot.seen.event(await alice.send(room, "before"))

    # More than one sync shows, so that the encrypted ones have to be fetched.
    sent = [await alice.send(room, f"message {number}") for number in range(10)]
    at = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/"
    for number in range(105):
        told = {"msgtype": "m.text", "body": f"plain {number}"}
        sent.append((await synapse.ask("PUT", f"{at}{number}", alice.access_token, told))["event_id"])

    async with living(directory) as bot:
        await bot.seen.event(sent[-1])
        assert [e.event_id for e in bot.seen.events if isinstance(e, Message)] == sent
        assert bot.client.counts["gaps"] == 1


async def test_a_first_start_on_a_device_does_not_read_what_was_before(directory: Path, person: People) -> None:
    async with living(directory) as bot:
        alice = await person()
        room = await bot.join(alice, encrypted=False)
        await bot.seen.event(await alice.send(room, "long ago"))
    give_new_device(directory)

    async with living(directory) as bot:
        now = await alice.send(room, "now")
        await bot.seen.event(now)

        assert [each.event_id for each in bot.seen.events] == [now]


async def test_a_room_key_that_comes_late_makes_the_message_readable(
    bot: LivingBot, person: People, synapse: RunningSynapse, tmp_path: Path
) -> None:
    alice = await person()
    await enrolled(synapse, tmp_path / "late")
    async with living(tmp_path / "late") as writer:
        room = await bot.join(alice)
        await alice.invite(room, writer.user_id)
        await writer.client.sending.join(room)
        late = Late(writer, room)

        sent = await late.write("late")
        unreadable = await bot.seen.event(sent, Undecryptable)
        await late.give_key(bot.user_id)
        heard = await bot.seen.event(sent)

    assert (unreadable.reason, unreadable.session_id) == ("no_room_key", late.session_id)
    assert (heard.content["body"], heard.sender_device_signed) == ("late", True)
