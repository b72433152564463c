"""The booking file, and times as people write them."""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from keyhouse.core.booking_rules import BookingRules
from keyhouse.core.slots import MOST_AT_ONCE
from keyhouse.settings.booking import load_booking
from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.times import TimeFault, read_day, read_moment, read_weekly
from tests.support.therapy import LONDON, utc

SHIPPED = Path(__file__).parents[3] / "config" / "booking.yaml"


def test_the_shipped_file_says_what_a_house_without_one_has(tmp_path: Path) -> None:
    usual = BookingRules(ZoneInfo("Europe/London"))

    assert load_booking(SHIPPED) == load_booking(tmp_path / "booking.yaml") == usual


def _written(tmp_path: Path, old: str, new: str) -> Path:
    words = SHIPPED.read_text()
    assert old in words
    file = tmp_path / "booking.yaml"
    file.write_text(words.replace(old, new))
    return file


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("open_at_most: 2", "open_at_most: 0", "booking.yaml: open_at_most: Input should be greater than"),
        ("open_at_most: 2", "most: 2", "booking.yaml: most: is not a known key"),
        ("cancel_before: 24h", "cancel_before: 24", "cancel_before: is not a duration"),
        ('"21:00"', "21:00", 'offers_until: is not a time of day; write it in quotes, such as "21:00"'),
        ('"21:00"', '"late"', 'offers_until: is not a time of day; write it like "21:00"'),
        ('"21:00"', '"08:00"', "offers_from: is not before offers_until"),
        ("Europe/London", "Europe/Londres", "zone: is not a zone; write one like Europe/London"),
        ("Europe/London", "../secret", "zone: is not a zone"),
        ("kept_after_days: 7", "kept_after_days: soon", "kept_after_days: "),
    ],
    ids=["nought", "unknown", "no unit", "unquoted", "words", "no day", "zone", "a path", "days"],
)
def test_a_fault_is_said_with_its_place(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(SettingsFault) as found:
        load_booking(_written(tmp_path, old, new))

    assert fault in str(found.value)


def test_what_a_service_settles_counts(tmp_path: Path) -> None:
    rules = load_booking(_written(tmp_path, '"21:00"', '"18:30"'))

    assert (rules.offers_until, rules.cancel_before) == (time(18, 30), timedelta(hours=24))


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2027-03-29 10:00", utc(2027, 3, 29, 9)),
        ("2027-01-29T10:00", utc(2027, 1, 29, 10)),
        (" 2027-03-29 10:00 ", utc(2027, 3, 29, 9)),
        ("2027-03-29T10:00Z", utc(2027, 3, 29, 10)),
        ("2026-10-25T01:30+01:00", utc(2026, 10, 25, 0, 30)),
        ("2026-10-25T01:30+00:00", utc(2026, 10, 25, 1, 30)),
    ],
    ids=str,
)
def test_a_time_without_a_zone_is_londons(written: str, moment: datetime) -> None:
    assert read_moment(written, LONDON) == moment


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("tomorrow", "is not a time; write it like 2027-03-29 10:00"),
        ("2027-03-29", "is not a time; write it like 2027-03-29 10:00"),
        ("2027-02-30 10:00", "is not a time"),
        ("29/03/2027 10:00", "is not a time"),
        ("9999-12-31 23:59", "is not a time"),
        ("", "is not a time"),
        ("2026-03-29 01:30", "29 March 2026, 01:30 does not exist"),
        ("2026-10-25 01:30", "25 October 2026, 01:30 happens twice"),
    ],
    ids=str,
)
def test_a_time_that_cannot_be_meant_is_one_sentence(written: str, fault: str) -> None:
    with pytest.raises(TimeFault) as found:
        read_moment(written, LONDON)

    assert fault in str(found.value)
    assert "\n" not in str(found.value)


def test_a_day_is_read_and_what_is_none_is_said() -> None:
    assert read_day("2027-09-30") == date(2027, 9, 30)
    with pytest.raises(TimeFault, match="'autumn' is not a day; write it like 2027-03-29"):
        read_day("autumn")


def test_a_weekly_series_keeps_the_wall_clock_over_both_changes_of_the_clocks() -> None:
    spring = read_weekly("2027-03-22 10:00", date(2027, 4, 5), [], LONDON)
    autumn = read_weekly("2027-10-25 10:00", date(2027, 11, 8), [], LONDON)

    assert spring == [utc(2027, 3, 22, 10), utc(2027, 3, 29, 9), utc(2027, 4, 5, 9)]
    assert autumn == [utc(2027, 10, 25, 9), utc(2027, 11, 1, 10), utc(2027, 11, 8, 10)]


def test_a_series_leaves_days_out_and_ends_on_its_last_day() -> None:
    left_out = [date(2027, 4, 12), date(2027, 4, 13)]

    series = read_weekly("2027-04-05 10:00", date(2027, 4, 26), left_out, LONDON)

    assert [moment.day for moment in series] == [5, 19, 26]
    assert read_weekly("2027-04-05 10:00", date(2027, 4, 4), [], LONDON) == []


def test_a_series_that_names_a_zone_goes_by_the_wall_clock_of_the_house() -> None:
    assert read_weekly("2027-03-22T10:00Z", date(2027, 3, 29), [], LONDON) == [
        utc(2027, 3, 22, 10),
        utc(2027, 3, 29, 9),
    ]


def test_a_series_without_an_end_is_refused_and_one_to_the_end_of_time_is_cut() -> None:
    with pytest.raises(TimeFault, match="needs an end; say until which day with --until"):
        read_weekly("2027-04-05 10:00", None, [], LONDON)

    assert len(read_weekly("2027-04-05 10:00", date(9999, 12, 31), [], LONDON)) == MOST_AT_ONCE + 1


def test_every_occurrence_that_is_no_moment_or_two_is_told() -> None:
    with pytest.raises(TimeFault) as found:
        read_weekly("2026-03-22 01:30", date(2026, 11, 1), [], LONDON)

    assert [line.split(",")[0] for line in str(found.value).splitlines()] == ["29 March 2026", "25 October 2026"]
