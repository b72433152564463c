"""What a person sees on a page."""

from dataclasses import dataclass
from html.parser import HTMLParser

from aiohttp import ClientResponse

_NEVER_CLOSED = {"br", "input", "link", "meta", "wbr"}


@dataclass(frozen=True)
class SeenPage:
    """A page as it was answered. by_id: the text of every element with an id; alert: of the one with that role."""

    status: int
    by_id: dict[str, str]
    alert: str | None
    code_field: str | None
    text: str


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[dict[str, str | None]] = []
        self.by_id: dict[str, str] = {}
        self.alert: str | None = None
        self.code_field: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if named.get("id") == "code":
            self.code_field = named.get("value")
        if tag not in _NEVER_CLOSED:
            self.open.append(named)

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for named in self.open:
            if name := named.get("id"):
                self.by_id[name] = self.by_id.get(name, "") + data
            if named.get("role") == "alert":
                self.alert = (self.alert or "") + data


async def see(response: ClientResponse) -> SeenPage:
    """Read the page of an answer."""
    text = await response.text()
    reader = _Reader()
    reader.feed(text)
    return SeenPage(response.status, reader.by_id, reader.alert, reader.code_field, text)
