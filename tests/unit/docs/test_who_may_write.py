"""What operators read about who may write where is what the door does."""

from pathlib import Path

import pytest

from keyhouse.core.carried import LONGEST_REACTION, WORDS_ALONE
from tests.support.speaking_table import table

PAGE = (Path(__file__).parents[3] / "docs" / "who-may-write.md").read_text(encoding="utf-8")


def test_the_page_holds_the_table_that_the_rule_makes() -> None:
    assert table() in PAGE, f"put this table there:\n{table()}"


@pytest.mark.parametrize("msgtype", sorted(WORDS_ALONE))
def test_the_page_names_every_sort_of_plain_message_that_is_carried(msgtype: str) -> None:
    assert f"`{msgtype}`" in PAGE


def test_the_page_says_how_long_a_reaction_may_be() -> None:
    assert f"{LONGEST_REACTION} characters" in PAGE
