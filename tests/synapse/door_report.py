"""Goes every route as everybody on a house of its own, shows the table, and writes docs/door.md.

`python -m tests.synapse.door_report`; ends with 1, and writes nothing, when an answer is not what the table says.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.support.door import lift_limits, running_house
from tests.support.synapse import Answer
from tests.synapse.routes import ROUTES
from tests.synapse.routes_outcomes import Part, Route
from tests.synapse.routes_setting import Setting, Who

PAGE = Path(__file__).parents[2] / "docs" / "door.md"
BEGIN, END = "<!-- routes: begin -->", "<!-- routes: end -->"

Answers = Mapping[tuple[str, Who], Answer]


def listed() -> str:
    """Return the whole table as docs/door.md has it, between its markers."""
    return "\n".join(_lines())


def with_table(page: str) -> str:
    """Return a page with the table as it is now between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{listed()}\n{END}{after}"


def _lines() -> Iterator[str]:
    for part in Part:
        routes = [route for route in ROUTES if route.part is part]
        asked = [who for who in Who if any(who in route.outcomes for route in routes)]
        yield f"\n### {part}\n"
        yield f"| route | {' | '.join(asked)} |"
        yield "|---|" + "---|" * len(asked)
        for route in routes:
            yield f"| {route.name} | {' | '.join(_word(route, who) for who in asked)} |"
    yield ""


def _word(route: Route, who: Who) -> str:
    return route.outcomes[who].word if who in route.outcomes else "–"


async def _answers() -> Answers:
    with tempfile.TemporaryDirectory(prefix="keyhouse-door-") as folder:
        async with running_house(Path(folder)) as house:
            await lift_limits(house)
            setting = await Setting.make(house)
            return {(route.name, who): await route.asks(setting, who) for route in ROUTES for who in route.outcomes}


def _show(console: Console, answers: Answers) -> int:
    wrong = 0
    for part in Part:
        table = Table("route", "who", "answer", title=part.value, title_justify="left", box=None, header_style="bold")
        for route in (route for route in ROUTES if route.part is part):
            for who, outcome in route.outcomes.items():
                answer = answers[(route.name, who)]
                fits = outcome.fits(answer)
                wrong += not fits
                said = outcome.word if fits else f"[red]{answer.status} {answer.errcode}, should be {outcome.word}"
                table.add_row(route.name, who.value, said)
        console.print(table)
    return wrong


def main() -> int:
    """Go every route; return 1 when one did not end as the table says."""
    console = Console()
    answers = asyncio.run(_answers())
    wrong = _show(console, answers)
    console.print(f"{len(answers)} answers on {len(ROUTES)} routes, {wrong} other than the table says", style="bold")
    if wrong:
        return 1
    PAGE.write_text(with_table(PAGE.read_text()))
    console.print(f"{PAGE.name} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
