"""The lexicon that comes along, compiled once."""

import pytest

from keyhouse.core.matching.lexicon import CompiledLexicon
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon


@pytest.fixture(scope="session")
def shipped() -> CompiledLexicon:
    return load_compiled_lexicon(default_lexicon_directory())
