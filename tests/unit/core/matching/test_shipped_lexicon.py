"""The words that come along: what must be heard is heard, what is ordinary is left alone."""

import pytest

from keyhouse.core.matching.checking import kept_under_disguise, lost_under_disguise
from keyhouse.core.matching.examples import failing_examples
from keyhouse.core.matching.judgement import Place, judge
from keyhouse.core.matching.lexicon import CompiledLexicon, ContextLine
from keyhouse.core.urgency import Urgency
from keyhouse.settings.lexicon_cases import load_cases
from keyhouse.settings.lexicons import default_lexicon_directory
from provisioning.lexicon_trial import replay

SEED_WORDS = [
    "suicide", "suicidal", "feeling suicidally low", "cutting", "cutting again", "I cut myself", "purging", "purge",
    "I purged", "she purges in secret tonight", "overdose", "overdosed", "I keep overdosing", "thoughts of overdose",
]  # fmt: skip
PLAIN_STATEMENTS = {
    "I am going to kill myself tonight": Urgency.URGENT,
    "gonna kill meself": Urgency.URGENT,
    "I've taken all my tablets": Urgency.URGENT,
    "I’ve taken an overdose": Urgency.URGENT,
    "I'm having thoughts of hurting my baby": Urgency.URGENT,
    "the voices are telling me to kill my sister": Urgency.URGENT,
    "I cut myself and it won't stop bleeding": Urgency.URGENT,
    "he's not breathing": Urgency.URGENT,
    "she won't wake up and her lips are blue": Urgency.URGENT,
    "he hits me when he's drunk": Urgency.CONCERN,
    "he hit me with a belt": Urgency.URGENT,
    "I can't go on": Urgency.CONCERN,
    "I want to die": Urgency.CONCERN,
    "i jus wanna die lol": Urgency.CONCERN,
    "I want to kms": Urgency.CONCERN,
    "thinking of unaliving myself": Urgency.CONCERN,
    "I've been cutting again": Urgency.CONCERN,
    "urges to sh are bad again": Urgency.CONCERN,
    "I purged after dinner": Urgency.CONCERN,
    "I've been making myself sick after meals": Urgency.CONCERN,
    "I haven't eaten since Sunday": Urgency.CONCERN,
    "I binged and purged again": Urgency.CONCERN,
    "my husband hit me again last night": Urgency.CONCERN,
}
ORDINARY = [
    "awful night, appointment tomorrow", "cutting the cake", "purge my inbox", "this traffic is killing me",
    "suicide prevention day leaflet", "I'd never kill myself", "binged the whole series last night", "see you Tuesday",
    "my phone is dying", "cutting down on sugar", "could murder a curry", "an overdose of Christmas telly",
    "if you feel suicidal please call Samaritans on 116 123", "the baby slept through the night", "help", "call me",
]  # fmt: skip


def test_every_example_of_every_rule_holds(shipped: CompiledLexicon) -> None:
    assert list(failing_examples(shipped)) == []


def test_no_example_is_changed_by_a_disguise_that_nobody_can_see(shipped: CompiledLexicon) -> None:
    assert list(lost_under_disguise(shipped)) == []


def test_most_examples_are_found_when_they_have_to_be_guessed(shipped: CompiledLexicon) -> None:
    assert [kept for kept in kept_under_disguise(shipped) if kept.kept < 0.8 * kept.of] == []


def test_every_case_of_the_checklist_can_be_replayed(shipped: CompiledLexicon) -> None:
    files = load_cases(default_lexicon_directory())

    alerted = {name: sum(replay(cases, shipped, None).alerted.values()) for name, cases in files.items()}

    assert {name.split()[0] for name in files} == {"checklist", "evasion"}
    assert all(count > 0 for count in alerted.values())


def test_every_rule_has_examples_of_both_kinds(shipped: CompiledLexicon) -> None:
    assert [rule.id for rule in shipped.rules if not (rule.fires and rule.silent)] == []


def test_it_says_that_no_clinician_reviewed_it(shipped: CompiledLexicon) -> None:
    assert not shipped.clinically_reviewed


@pytest.mark.parametrize("text", SEED_WORDS)
def test_a_seed_word_in_any_inflection_alerts(shipped: CompiledLexicon, text: str) -> None:
    assert judge(text, shipped).urgency.alerts()


@pytest.mark.parametrize(("text", "urgency"), PLAIN_STATEMENTS.items(), ids=PLAIN_STATEMENTS.keys())
def test_a_plain_statement_is_heard(shipped: CompiledLexicon, text: str, urgency: Urgency) -> None:
    assert judge(text, shipped).urgency is urgency


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_message_alerts_nobody(shipped: CompiledLexicon, text: str) -> None:
    assert not judge(text, shipped).urgency.alerts()


@pytest.mark.parametrize(
    ("text", "urgency"),
    [("help", Urgency.CONCERN), ("Call me", Urgency.CONCERN), ("999", Urgency.URGENT), ("!book 3", Urgency.NONE)],
)
def test_in_the_desk_room_a_plain_word_is_enough(shipped: CompiledLexicon, text: str, urgency: Urgency) -> None:
    assert judge(text, shipped, place=Place("desk")).urgency is urgency


def test_an_answer_to_are_you_safe_is_heard(shipped: CompiledLexicon) -> None:
    asked = [ContextLine("other", "are you safe?")]

    assert judge("no", shipped, asked).urgency is Urgency.CONCERN
    assert judge("yes", shipped, asked).urgency is Urgency.NONE


@pytest.mark.parametrize("text", ["my daughter is suicidal", "our son says he is suicidal"])
def test_among_carers_talk_of_a_third_person_is_not_softened(shipped: CompiledLexicon, text: str) -> None:
    assert judge(text, shipped, place=Place("living_room", carers=True)).urgency is Urgency.CONCERN


@pytest.mark.parametrize("text", ["my friend is suicidal and not answering", "she is suicidal tonight"])
def test_a_third_person_in_present_danger_is_never_below_concern(shipped: CompiledLexicon, text: str) -> None:
    assert judge(text, shipped).urgency.alerts()
