"""The one page: the form, the refusal above the form, and the name and password that a code became."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from front_door.accounts import AccountMaker, AccountsAway, NewAccount, NotTaken
from front_door.agreements import Agreements
from front_door.guard import LARGEST_BODY, add_headers, is_from_another_site, refusals_as_pages, visitor_of
from front_door.passwords import draw_password
from keyhouse.core.codes import in_groups, read_code
from keyhouse.core.ids import localpart
from keyhouse.core.sentences import sentence
from keyhouse.core.verdict import Refused
from keyhouse.settings.rules_in_force import RulesInForce

_HERE = Path(__file__).parent
_FORM_WITHIN_S = 10
_MOST_FIELDS = 10
_LONGEST_SHOWN = 60
_MOST_DIGITS = 10

NOT_AGREED = "Please read the rules of the house and tick the box if you agree with them."
UNREADABLE = (
    "This is not a complete code. It has seven groups of four letters and numbers; "
    "please check it against your letter, one group at a time."
)
NOT_TAKEN = "This code did not open the house. Please ask the team that gave you the letter for help."
AWAY = "The house cannot answer just now. Nothing is lost and your code stays good: please try again in a minute."
PERHAPS_MADE = (
    "The house did not answer in time. Please try again in a minute; if the page then says that your code has been "
    "used, ask the team that gave you the letter for a new one."
)


@dataclass(frozen=True, slots=True)
class Notices:
    """What the pages tell of this house. homeserver: what goes into Element; crisis_lines: in their order."""

    homeserver: str
    crisis_lines: tuple[str, ...]
    rules: RulesInForce


class Pages:
    """Answers the browser. Nothing of a person is kept here or written down. counts: answers to forms, by status."""

    def __init__(self, accounts: AccountMaker, agreements: Agreements, notices: Notices, counts: Counter[str]) -> None:
        self._accounts, self._agreements = accounts, agreements
        self._rules, self._counts = notices.rules, counts
        loader = FileSystemLoader(_HERE / "templates")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        self._templates.globals.update(homeserver=notices.homeserver, crisis_lines=notices.crisis_lines)

    async def show_form(self, _: web.Request) -> web.Response:
        """Show the empty form."""
        return self._page("use_your_key.html", 200, refusal="", code="", agreed=False)

    async def use_key(self, request: web.Request) -> web.Response:
        """Make the account of the code in the form, and show its name and password this once."""
        answer = await self._answer_form(request)
        self._counts[f"forms_answered_{answer.status}"] += 1
        return answer

    def refuse(self, status: int, why: str, code: str = "", agreed: bool = False) -> web.Response:
        """Show the form again with a sentence above it. code: what was typed, so that it can be mended."""
        return self._page("use_your_key.html", status, refusal=why, code=code[:_LONGEST_SHOWN], agreed=agreed)

    async def _answer_form(self, request: web.Request) -> web.Response:
        if is_from_another_site(request):
            raise web.HTTPForbidden
        form = await _read_form(request)
        code, agreed = form.get("code", ""), "agree" in form
        symbols = read_code(code)
        if not symbols:
            return self.refuse(400, UNREADABLE, code, agreed)
        if not agreed:
            return self.refuse(400, NOT_AGREED, code, agreed)
        return await self._make_account(symbols, self._version_shown(form), visitor_of(request))

    def _version_shown(self, form: dict[str, str]) -> int:
        """Say which rules the person read: the page may have been opened before they changed."""
        now, shown = self._rules.current().version, form.get("rules", "")
        is_number = shown.isascii() and shown.isdigit() and len(shown) < _MOST_DIGITS
        return max(1, min(int(shown), now)) if is_number else now

    async def _make_account(self, symbols: str, version: int, visitor: str | None) -> web.Response:
        password, code = draw_password(), in_groups(symbols)
        try:
            made = await self._accounts.make_account(symbols, password, visitor)
        except AccountsAway as fault:
            return self.refuse(503, PERHAPS_MADE if fault.perhaps_made else AWAY, code, agreed=True)
        match made:
            case NewAccount(user_id):
                self._agreements.keep(user_id, version)
                return self._page("your_account.html", 200, pseudonym=localpart(user_id), password=password)
            case Refused(reason):
                return self.refuse(403, sentence(reason), code, agreed=True)
            case NotTaken():
                return self.refuse(403, NOT_TAKEN, code, agreed=True)

    def _page(self, template: str, status: int, **shown: str | bool) -> web.Response:
        text = self._templates.get_template(template).render(rules=self._rules.current(), **shown)
        return web.Response(text=text, status=status, content_type="text/html")


def make_app(accounts: AccountMaker, agreements: Agreements, notices: Notices, counts: Counter[str]) -> web.Application:
    """Put the page together. counts: grows with every answered form."""
    pages = Pages(accounts, agreements, notices, counts)
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[refusals_as_pages(pages.refuse)])
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/", pages.show_form)
    app.router.add_post("/", pages.use_key)
    app.router.add_get("/healthz", _say_well)
    app.router.add_static("/static", _HERE / "static")
    return app


async def _say_well(_: web.Request) -> web.Response:
    return web.Response(text="well\n")


async def _read_form(request: web.Request) -> dict[str, str]:
    """Read the form's fields; raises the refusals of 408, 413 and 400."""
    try:
        async with asyncio.timeout(_FORM_WITHIN_S):
            body = await request.read()
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=_MOST_FIELDS))
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except ValueError:
        raise web.HTTPBadRequest from None
