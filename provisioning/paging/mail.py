"""Pages as mail."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from ssl import SSLContext

from keyhouse.settings.pager import Mail, read_secret
from provisioning.paging.pager import TAKES_AT_MOST_S, Page, PageNotTaken


class MailChannel:
    """Hands each page to a mail server, in a thread."""

    def __init__(self, name: str, settings: Mail, within_s: float = TAKES_AT_MOST_S) -> None:
        self.name = name
        self._settings, self._within_s = settings, within_s

    async def send(self, page: Page) -> None:
        """Hand the page over; raises PageNotTaken. After the time the thread ends by itself, within as long again."""
        message = _message(page, self._settings)
        try:
            async with asyncio.timeout(self._within_s):
                await asyncio.to_thread(self._hand_over, message)
        except (smtplib.SMTPException, OSError, UnicodeDecodeError) as fault:
            raise PageNotTaken(_why(fault)) from None

    def _hand_over(self, message: EmailMessage) -> None:
        settings = self._settings
        with self._connected() as server:
            if settings.tls == "starttls":
                server.starttls(context=self._trusted())
            if settings.user is not None and settings.password_file is not None:
                server.login(settings.user, read_secret(settings.password_file))
            refused = server.send_message(message)
        if len(refused) == len(settings.to):
            raise smtplib.SMTPRecipientsRefused(refused)

    def _connected(self) -> smtplib.SMTP:
        at, within_s = (self._settings.host, self._settings.port), self._within_s / 2
        if self._settings.tls == "tls":
            return smtplib.SMTP_SSL(*at, timeout=within_s, context=self._trusted())
        return smtplib.SMTP(*at, timeout=within_s)

    def _trusted(self) -> SSLContext:
        return ssl.create_default_context(cafile=self._settings.ca_file)


def _message(page: Page, settings: Mail) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = f"{page.house}: {page.text}"
    message["From"], message["To"] = settings.sender, ", ".join(settings.to)
    message["Date"] = format_datetime(page.at)
    message["Message-ID"] = f"<{page.id}@{settings.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Keyhouse-Kind"] = page.kind
    message.set_content(
        f"{page.text}\n\n`keyhouse doctor` says more; docs/operating.md says what to do ({page.kind}).\n"
    )
    return message


def _why(fault: Exception) -> str:
    """Say why in our words: a server's own may repeat the password's user, or an address."""
    match fault:
        case smtplib.SMTPAuthenticationError():
            return f"its mail server refused the login with status {fault.smtp_code}"
        case smtplib.SMTPResponseException():
            return f"its mail server refused the page with status {fault.smtp_code}"
        case smtplib.SMTPRecipientsRefused():
            return "its mail server knows none of the receivers"
        case smtplib.SMTPNotSupportedError():
            return "its mail server does not offer what pager.yaml asks for (tls or login)"
        case ssl.SSLError():
            return "its mail server's certificate cannot be trusted"
        case _:
            return f"its mail server does not answer ({type(fault).__name__})"
