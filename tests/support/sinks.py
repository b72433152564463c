"""What a house tells outside of Matrix arrives here: a real web server and a real mail server, each of one test."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.ports import free_port

Heard = TypeVar("Heard")
ARRIVES_WITHIN_S = 60.0


class _Arrivals(Generic[Heard]):
    """Keeps what arrived, and wakes who waits for more."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self._news = asyncio.Condition()

    async def add(self, heard: Heard) -> None:
        async with self._news:
            self.heard.append(heard)
            self._news.notify_all()

    async def wait(self, wanted: Callable[[Heard], bool], within_s: float = ARRIVES_WITHIN_S) -> Heard:
        """Wait until something of this kind has arrived, also earlier, and return the first of it."""

        def found() -> bool:
            return any(map(wanted, self.heard))

        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(found)
        return next(filter(wanted, self.heard))


@dataclass(frozen=True)
class Request:
    """One request. document: its JSON body, empty when there is none."""

    path: str
    headers: dict[str, str]
    document: dict[str, Any]

    @property
    def text(self) -> str:
        """What a page says."""
        return str(self.document.get("text", ""))


class WebSink(_Arrivals[Request]):
    """Takes requests on every path; `status` is what it answers, and what it refused is not among what it heard."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 204
        self.refused = 0
        self.port = free_port()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def url(self, path: str = "page") -> str:
        """An address of this server."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def pages(self) -> list[str]:
        """What the pages say that arrived."""
        return [request.text for request in self.heard if request.document]

    async def _take(self, request: web.Request) -> web.Response:
        document = await request.json() if request.can_read_body else {}
        if self.status >= 300:
            self.refused += 1
        else:
            await self.add(Request(request.path, dict(request.headers), document))
        return web.Response(status=self.status)


@dataclass
class MailSink(_Arrivals[EmailMessage]):
    """Takes mail. tls: none, starttls or tls; password: of the user `keyhouse`, who must then log in."""

    directory: Path
    tls: str = "none"
    password: str | None = None
    refuses: str | None = None
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        super().__init__()
        self.certificate = self.directory / "mail-ca.pem"
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        context = _server_context(self.certificate) if self.tls != "none" else None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(
                self,
                tls_context=context if self.tls == "starttls" else None,
                require_starttls=self.tls == "starttls",
                authenticator=self._knows,
                auth_required=self.password is not None,
                auth_require_tls=self.tls == "starttls",
                hostname="mail.test",
            ),
            "127.0.0.1",
            self.port,
            ssl=context if self.tls == "tls" else None,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def subjects(self) -> list[str]:
        """What the mails say that arrived."""
        return [str(message["Subject"]) for message in self.heard]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail; called by the server."""
        if self.refuses is not None:
            return self.refuses
        content = envelope.content
        assert isinstance(content, bytes)
        await self.add(message_from_bytes(content, policy=policy.default))
        return "250 OK"

    def _knows(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        known = isinstance(given, LoginPassword) and given.password == (self.password or "").encode()
        return AuthResult(success=known, handled=False)


def _server_context(certificate: Path) -> ssl.SSLContext:
    key_file = certificate.with_suffix(".key")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    here, now = x509.IPAddress(ip_address("127.0.0.1")), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    unsealed = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unsealed))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key_file)
    return context
