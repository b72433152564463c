"""Commands that are given to the house beside which a test's caretaker runs."""

from collections.abc import Callable

import pytest

from provisioning.cli import run
from tests.support.paged_house import CaretakerProcess

People = Callable[..., str]


@pytest.fixture
def people(capsys: pytest.CaptureFixture[str]) -> People:
    """Gives a command of `keyhouse people`; what it complained of, or nothing."""

    def give(caretaker: CaretakerProcess, *words: str) -> str:
        capsys.readouterr()
        run(["--data", str(caretaker.house.directory.root), "people", *words], as_json=True)
        return capsys.readouterr().err

    return give
