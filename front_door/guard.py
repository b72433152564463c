"""What holds for every answer: its headers, its refusals, and that a form comes from our own page."""

from collections.abc import Callable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "keyhouse",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

LARGEST_BODY = 16 * 1024

_AGAIN = "Please open the page again from the link in your letter."
_SENTENCES = {
    403: f"This form was sent from another website, so nothing was done. {_AGAIN}",
    404: f"There is no such page here. {_AGAIN}",
    408: "Your connection was too slow, and nothing was done. Please try again in a minute.",
    413: "That is far too long for a code. Please type it again from your letter.",
}

RefusalPage = Callable[[int, str], web.Response]


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on an answer that is about to leave."""
    response.headers.update(HEADERS)


def refusals_as_pages(page: RefusalPage) -> Middleware:
    """Say every 4xx in a plain sentence, on a page of ours. page: draws one from a status and a sentence."""

    @web.middleware
    async def plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPClientError as refusal:
            return page(refusal.status, _SENTENCES.get(refusal.status, f"This did not work. {_AGAIN}"))

    return plainly


def visitor_of(request: web.Request) -> str | None:
    """Say for whom a proxy before this page asks, so that the homeserver can count tries; None: nobody said.

    The page listens on this machine alone, so whoever says it is a program of this machine.
    """
    told = request.headers.getall("X-Forwarded-For", [])
    return told[-1].encode("ascii", "replace").decode() if told else None


def is_from_another_site(request: web.Request) -> bool:
    """Say whether a browser sent this form from a page that is not ours.

    The page knows nobody by a cookie, so a stranger's form could only spend a code that the stranger has already.
    Hence no token and no cookie: browsers say themselves where a form comes from. Where a browser does not, its
    Origin counts; "null" is what our own Referrer-Policy makes of it in browsers of before 2023.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin", "null")
    return origin not in ("null", f"https://{request.host}", f"http://{request.host}")
