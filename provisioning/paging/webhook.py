"""Pages as JSON, posted to an address."""

import aiohttp

from keyhouse.settings.pager import Webhook, read_secret
from provisioning.paging.pager import TAKES_AT_MOST_S, Page, PageNotTaken


class WebhookChannel:
    """Posts each page; any answer but 2xx is a refusal, also one that sends us elsewhere."""

    def __init__(self, name: str, settings: Webhook, within_s: float = TAKES_AT_MOST_S) -> None:
        self.name = name
        self._settings, self._within_s = settings, within_s

    async def send(self, page: Page) -> None:
        """Post the page; raises PageNotTaken."""
        try:
            url, headers = read_secret(self._settings.url_file), self._headers(page)
        except (OSError, UnicodeDecodeError) as fault:
            raise PageNotTaken("its address or secret cannot be read; look at pager.yaml") from fault
        timeout = aiohttp.ClientTimeout(total=self._within_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as http,
                http.post(url, json=page.document(), headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            # Not the fault's own words: they name the address.
            raise PageNotTaken(f"its address does not answer ({type(fault).__name__})") from None
        if not 200 <= status < 300:
            raise PageNotTaken(f"its address refused the page with status {status}")

    def _headers(self, page: Page) -> dict[str, str]:
        headers = {"Idempotency-Key": page.id}
        if self._settings.secret_file is not None:
            headers[self._settings.header] = read_secret(self._settings.secret_file)
        return headers
