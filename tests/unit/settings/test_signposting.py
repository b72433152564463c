"""The crisis lines."""

from datetime import date
from pathlib import Path

import pytest

from keyhouse.core.signposting import Signposting
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.signposting import load_signposting

SHIPPED = Path(__file__).parents[3] / "config" / "signposting.yaml"


@pytest.mark.parametrize("number", ["999", "111", "116 123", "85258"])
def test_the_shipped_lines_hold_every_number_that_is_promised(number: str) -> None:
    assert any(number in line for line in load_signposting(SHIPPED).lines)


def test_a_line_without_a_source_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "signposting.yaml"
    path.write_text(SHIPPED.read_text().replace("    source: Samaritans\n", ""))

    with pytest.raises(SettingsFault, match=r"lines\[2\]\.source"):
        load_signposting(path)


def test_on_its_last_day_a_line_still_holds_and_a_day_later_it_is_overdue() -> None:
    signposting = Signposting(("call",), date(2026, 1, 1), date(2026, 7, 1))

    assert not signposting.is_overdue(date(2026, 7, 1))
    assert signposting.is_overdue(date(2026, 7, 2))
