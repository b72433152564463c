"""What must change in a copy of Synapse's database before anybody's client may meet it again (decision 0010)."""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from keyhouse.storage.copies import opened_copy

# Every stream of which a client's sync token holds a position; "backfill", which counts downwards, is none of them.
_STREAMS = (
    "account_data",
    "device_lists_stream",
    "events",
    "presence_stream",
    "profile_updates",
    "push_rules_stream",
    "quarantined_media",
    "receipts",
    "sticky_events",
    "thread_subscriptions",
    "to_device",
    "un_partial_stated_room_stream",
)
_MARGIN, _IDS_PER_S = 1_000_000, 1_000
"""More than any homeserver on one machine gives out in a second."""


def leave_out_keys_and_sessions(file: Path, accounts: Collection[str]) -> None:
    """Take out what may be used once only, and the sessions of the house's own accounts. accounts: full user ids.

    A one-time key that is given out a second time makes a message that nobody can read. Fallback keys stay, because
    a phone that is switched off can be reached by nothing else; they count as used, so each client makes a new one.
    """
    with opened_copy(file) as copy:
        copy.execute("DELETE FROM e2e_one_time_keys_json")
        copy.execute("UPDATE e2e_fallback_keys_json SET used = 1")
        copy.executemany("DELETE FROM access_tokens WHERE user_id = ?", [(account,) for account in accounts])


def move_streams_on(file: Path, age: timedelta) -> None:
    """Let every stream go on far behind where it can have been when the house was lost. age: of the backup.

    Clients ask for what came after the last position they saw. Positions that are given out a second time would stay
    unseen: new messages, and the new devices of the bots, to which nobody would give keys.
    """
    far = _MARGIN + max(0, int(age.total_seconds())) * _IDS_PER_S
    with opened_copy(file) as copy:
        copy.executemany(
            "INSERT INTO stream_positions (stream_name, instance_name, stream_id) VALUES (?, 'master', ?)"
            " ON CONFLICT (stream_name, instance_name) DO UPDATE SET stream_id = stream_id + excluded.stream_id",
            [(stream, far) for stream in _STREAMS],
        )
