"""A lexicon with faults is refused with all of them at once, each with its file, its place and a hint."""

from pathlib import Path

import pytest

from keyhouse.settings.faults import SettingsFault
from keyhouse.settings.lexicons import default_lexicon_directory, load_compiled_lexicon, load_lexicons

GOOD = """
lexicon: eating
version: 1
owner: Eating-disorder lead
clinically_reviewed: false
slots:
  PURGE: [purge, purg(ed|ing)]
  FOOD: [food]
rules:
  - id: eating.purging
    when: [PURGE, {gap: 3}, FOOD]
    urgency: concern
    category: eating_disorder_behaviour
    examples: {fires: [purging all my food], silent: [purge my inbox]}
"""


def folder_with(tmp_path: Path, **files: str) -> Path:
    folder = tmp_path / "lexicons"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def faults_in(folder: Path) -> tuple[str, ...]:
    with pytest.raises(SettingsFault) as caught:
        load_lexicons(folder)
    return caught.value.faults


def test_a_good_lexicon_is_read(tmp_path: Path) -> None:
    [lexicon] = load_lexicons(folder_with(tmp_path, eating=GOOD))

    [rule] = lexicon.rules
    assert [(step.slots, step.gap) for step in rule.when][1] == (("FOOD",), 3)
    assert lexicon.clinically_reviewed is False


def test_every_lexicon_that_comes_along_is_read_and_says_it_is_not_reviewed() -> None:
    lexicons = load_lexicons(default_lexicon_directory())

    assert len(lexicons) >= 8
    assert not any(lexicon.clinically_reviewed for lexicon in lexicons)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param("[PURGE, {gap: 3}, FOOD]", "[]",
                     "rules[0].when: is empty; an empty rule would match everything", id="an empty rule"),
        pytest.param("[PURGE, {gap: 3}, FOOD]", "[PURGED]",
                     "rules[0].when: no slot is called PURGED; did you mean PURGE?", id="an unknown slot"),
        pytest.param("[PURGE, {gap: 3}, FOOD]", "[PURGE, {gap: many}]",
                     "rules[0].when: item 2 is not a gap; write {gap: 3} with a number from 0 to 20", id="a wrong gap"),
        pytest.param("[PURGE, {gap: 3}, FOOD]", "[PURGE, {gap: 3}]",
                     "rules[0].when: begins or ends with a gap; a gap stands between two slots", id="a gap at the end"),
        pytest.param("urgency: concern", "urgency: none",
                     "rules[0].urgency: Input should be 'urgent', 'concern' or 'watch'", id="a rule without urgency"),
        pytest.param("owner: Eating", "ovner: Eating", "owner: is missing; add it", id="a missing key"),
        pytest.param("owner: Eating", "ovner: Eating",
                     "ovner: is not a known key; remove it or correct its spelling", id="an unknown key"),
        pytest.param("[food]", "[no]", 'slots.FOOD[0]: is not text; put it in quotes: "False" '
                     "(YAML reads no, yes, on and off as true or false)", id="a word that YAML takes for false"),
        pytest.param("[food]", "['(food|']", 'slots.FOOD[0]: "(food|" opens a "(" that is never closed',
                     id="an open bracket"),
        pytest.param("[food]", "[]", "slots.FOOD: Tuple should have at least 1 item after validation, not 0",
                     id="an empty slot"),
        pytest.param("silent: [purge my inbox]", "silent: []",
                     "rules[0].examples.silent: Tuple should have at least 1 item after validation, not 0",
                     id="no silent example"),
        pytest.param("    urgency: concern", "    urgency: concern\n    softened_by: {irony: watch}",
                     "rules[0].softened_by: no modifier is called irony; write it under slots, or correct its spelling",
                     id="an unknown modifier"),
        pytest.param("version: 1", "version: 1\nversion: 2",
                     'line 4: is not valid YAML; the key "version" stands twice; keep one', id="a key twice"),
        pytest.param("slots:", "slots: [", None, id="no YAML at all"),
    ],
)  # fmt: skip
def test_a_fault_names_its_file_its_place_and_what_to_do(tmp_path: Path, old: str, new: str, fault: str | None) -> None:
    assert old in GOOD

    faults = faults_in(folder_with(tmp_path, eating=GOOD.replace(old, new)))

    assert all(line.startswith("lexicons/eating.yaml: ") for line in faults)
    assert fault is None or f"lexicons/eating.yaml: {fault}" in faults


def test_every_fault_of_every_file_is_said_at_once(tmp_path: Path) -> None:
    faults = faults_in(
        folder_with(
            tmp_path,
            one=GOOD.replace("version: 1", "version: soon").replace("urgency: concern", "urgency: now"),
            two=GOOD.replace("owner: Eating-disorder lead\n", ""),
        )
    )

    assert len(faults) == 3
    assert {fault.split(":")[0] for fault in faults} == {"lexicons/one.yaml", "lexicons/two.yaml"}


@pytest.mark.parametrize(
    ("where", "what"),
    [("lexicon", "lexicon eating"), ("slots.PURGE", "slot PURGE"), ("rules[0].id", "rule eating.purging")],
)
def test_the_same_name_in_two_files_is_a_fault(tmp_path: Path, where: str, what: str) -> None:
    faults = faults_in(folder_with(tmp_path, one=GOOD, two=GOOD))

    already = f"the {what} is already in lexicons/one.yaml; give one of them another name"
    assert f"lexicons/two.yaml: {where}: {already}" in faults


def test_a_folder_without_lexicons_is_a_fault(tmp_path: Path) -> None:
    assert "nothing would be watched" in faults_in(folder_with(tmp_path))[0]


def test_a_file_that_is_not_text_is_a_fault(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, eating=GOOD)
    (folder / "eating.yaml").write_bytes(b"\xff\xfe\x00")

    assert faults_in(folder) == ("lexicons/eating.yaml: is not UTF-8 text; save it as UTF-8",)


def test_slots_of_one_file_serve_the_rules_of_another(tmp_path: Path) -> None:
    before, after = GOOD.split("rules:")
    rules = f"lexicon: rules\nversion: 1\nowner: lead\nclinically_reviewed: true\nrules:{after}"

    compiled = load_compiled_lexicon(folder_with(tmp_path, words=before, rules=rules))

    assert [rule.id for rule in compiled.rules] == ["eating.purging"]
    assert not compiled.clinically_reviewed
