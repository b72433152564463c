"""Pages through real servers: what arrives, and what is said of a server that does not take it."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyhouse.settings.pager import Mail, Webhook
from provisioning.paging.mail import MailChannel
from provisioning.paging.pager import TAKES_AT_MOST_S, Page, PageNotTaken, Pager, was_taken
from provisioning.paging.webhook import WebhookChannel
from tests.support.ports import free_port
from tests.support.sinks import MailSink, WebSink

PAGE = Page(
    "id-1", "the watcher cannot see room 12 (since 03:12 UTC)", "room_without_watcher", "room 12", "keyhouse.test",
    datetime(2027, 3, 29, 3, 12, tzinfo=UTC),
)  # fmt: skip
PASSWORD = "open sesame"


def a_webhook(
    directory: Path, url: str, secret: str | None = None, name: str = "hook", within_s: float = TAKES_AT_MOST_S
) -> WebhookChannel:
    (directory / f"{name}-url").write_text(f"{url}\n")
    if secret is not None:
        (directory / f"{name}-secret").write_text(f"{secret}\n")
    secret_file = directory / f"{name}-secret" if secret is not None else None
    return WebhookChannel(name, Webhook(url_file=directory / f"{name}-url", secret_file=secret_file), within_s)


def a_mailbox(sink: MailSink, within_s: float = TAKES_AT_MOST_S, **change: Any) -> MailChannel:
    (sink.directory / "password").write_text(PASSWORD)
    settings = Mail.model_validate(
        {
            "host": "127.0.0.1",
            "port": sink.port,
            "tls": sink.tls,
            "ca_file": sink.certificate if sink.tls != "none" else None,
            "user": "keyhouse" if sink.password else None,
            "password_file": sink.directory / "password" if sink.password else None,
            "sender": "keyhouse@house.test",
            "to": ["on-call@team.test", "second@team.test"],
            **change,
        }
    )
    return MailChannel("mail", settings, within_s)


async def test_a_webhook_gets_the_page_as_json_with_the_secret_beside_it(tmp_path: Path) -> None:
    async with WebSink() as sink:
        await a_webhook(tmp_path, sink.url(), "open sesame").send(PAGE)

    (request,) = sink.heard
    assert request.document == {
        "text": "the watcher cannot see room 12 (since 03:12 UTC)",
        "kind": "room_without_watcher",
        "subject": "room 12",
        "house": "keyhouse.test",
        "at": "2027-03-29T03:12:00+00:00",
    }
    assert request.headers["X-Keyhouse-Secret"] == "open sesame"
    assert request.headers["Idempotency-Key"] == "id-1"


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_a_webhook_that_refuses_says_its_status_and_not_its_address(tmp_path: Path, status: int) -> None:
    async with WebSink() as sink:
        sink.status = status

        with pytest.raises(PageNotTaken, match=f"refused the page with status {status}") as refused:
            await a_webhook(tmp_path, sink.url()).send(PAGE)

    assert str(sink.port) not in str(refused.value)


async def test_a_webhook_that_is_not_there_and_one_whose_file_is_gone_are_said(tmp_path: Path) -> None:
    absent = a_webhook(tmp_path, f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(PageNotTaken, match="does not answer"):
        await absent.send(PAGE)

    (tmp_path / "hook-url").unlink()
    with pytest.raises(PageNotTaken, match="its address or secret cannot be read"):
        await absent.send(PAGE)


@pytest.mark.parametrize(
    ("tls", "password"), [("none", None), ("starttls", None), ("starttls", PASSWORD), ("tls", None)]
)
async def test_mail_arrives_with_the_sentence_as_its_subject(tmp_path: Path, tls: str, password: str | None) -> None:
    async with MailSink(tmp_path, tls, password) as sink:
        await a_mailbox(sink).send(PAGE)

    (message,) = sink.heard
    assert message["Subject"] == "keyhouse.test: the watcher cannot see room 12 (since 03:12 UTC)"
    assert message["To"] == "on-call@team.test, second@team.test"
    assert message["Message-ID"] == "<id-1@house.test>"
    assert "docs/operating.md says what to do (room_without_watcher)" in message.get_content()


async def test_a_mail_server_with_a_strange_certificate_gets_neither_page_nor_password(tmp_path: Path) -> None:
    async with MailSink(tmp_path, "starttls", PASSWORD) as sink:
        with pytest.raises(PageNotTaken, match="certificate cannot be trusted"):
            await a_mailbox(sink, ca_file=None).send(PAGE)

    assert sink.heard == []


async def test_a_mail_server_that_offers_no_encryption_gets_nothing(tmp_path: Path) -> None:
    async with MailSink(tmp_path) as sink:
        with pytest.raises(PageNotTaken, match="does not offer what pager"):
            await a_mailbox(sink, tls="starttls").send(PAGE)

    assert sink.heard == []


async def test_a_mail_server_that_refuses_says_its_status_and_nothing_of_its_words(tmp_path: Path) -> None:
    async with MailSink(tmp_path, refuses="451 on-call@team.test is on holiday") as sink:
        with pytest.raises(PageNotTaken, match=r"^its mail server refused the page with status 451$"):
            await a_mailbox(sink).send(PAGE)

    async with MailSink(tmp_path, "starttls", "another") as sink:
        with pytest.raises(PageNotTaken, match=r"^its mail server refused the login with status 535$"):
            await a_mailbox(sink).send(PAGE)


async def test_servers_that_take_the_connection_and_never_answer_are_given_up(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        silent = await asyncio.start_server(lambda reader, writer: stack.callback(writer.close), "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        await stack.enter_async_context(silent)

        for channel in (
            a_webhook(tmp_path, f"http://127.0.0.1:{port}/", within_s=0.4),
            a_mailbox(MailSink(tmp_path, port=port), within_s=0.4),
        ):
            with pytest.raises(PageNotTaken, match="does not answer"):
                await channel.send(PAGE)


async def test_a_first_channel_that_refuses_is_passed_over_and_a_third_is_not_asked(tmp_path: Path) -> None:
    async with WebSink() as first, MailSink(tmp_path) as second, WebSink() as third:
        first.status = 503
        channels = [
            a_webhook(tmp_path, first.url(), name="first"),
            a_mailbox(second),
            a_webhook(tmp_path, third.url(), name="third"),
        ]

        attempts = await Pager(channels, "keyhouse.test").send(PAGE)

    assert [(attempt.channel, attempt.fault is None) for attempt in attempts] == [("first", False), ("mail", True)]
    assert (first.refused, len(second.heard), len(third.heard)) == (1, 1, 0)


async def test_when_every_channel_refuses_nobody_was_told(tmp_path: Path) -> None:
    async with WebSink() as only:
        only.status = 500

        attempts = await Pager([a_webhook(tmp_path, only.url())], "keyhouse.test").send(PAGE)

    assert not was_taken(attempts)
