"""How a verdict came about, for a screen and as a document."""

from typing import Any

from rich.console import Console

from keyhouse.core.matching.judgement import Judgement


def verdict(judgement: Judgement) -> dict[str, Any]:
    """What `lexicon try` prints of a message."""
    return {
        "urgency": judgement.urgency.value,
        "category": judgement.category,
        "rules": list(judgement.rules),
        "spans": [list(span) for span in judgement.spans],
        "changed_by": list(judgement.changed_by),
    }


def explained(judgement: Judgement, text: str) -> dict[str, Any]:
    """Every rule met, with the words that met it, and what each modifier changed."""
    findings = [
        {
            "rule": finding.rule,
            "lexicon": finding.lexicon,
            "version": finding.version,
            "urgency": finding.urgency.value,
            "rule_urgency": finding.rule_urgency.value,
            "words": text[slice(*finding.span)],
            "slots": [{"slot": slot, "words": text[slice(*span)], "span": list(span)} for slot, span in finding.slots],
            "changes": [
                {"by": each.modifier, "words": text[slice(*each.span)], "from": each.before.value,
                 "to": each.after.value, "without": each.without.value}
                for each in finding.changes
            ],
        }
        for finding in judgement.findings
    ]  # fmt: skip
    more = {"nudges": list(judgement.nudges), "signposting": judgement.signposting, "whole": judgement.whole}
    return {
        **verdict(judgement),
        **more,
        "findings": findings,
        "without": {name: u.value for name, u in judgement.without},
    }


def print_explanation(console: Console, judgement: Judgement, text: str) -> None:
    """Print the same for people."""
    document = explained(judgement, text)
    lines = [f"{judgement.urgency.value}" + (f" ({judgement.category})" if judgement.category else "")]
    for finding in document["findings"]:
        lines.append(f'{finding["rule"]} of {finding["lexicon"]} {finding["version"]}: "{finding["words"]}"')
        lines += [f'  {slot["slot"]}: "{slot["words"]}"' for slot in finding["slots"]]
        lines += [f'  {each["by"]} ("{each["words"]}"): {each["from"]} → {each["to"]}' for each in finding["changes"]]
        lines.append(f"  urgency: {finding['urgency']}")
    lines += [f"without {name} it would be {urgency}" for name, urgency in document["without"].items()]
    lines += [f"a private word to the author, and no alert: {nudge}" for nudge in judgement.nudges]
    if not judgement.whole:
        lines.append("It could not be judged in full, so a human is asked to look.")
    told = judgement.findings or not judgement.whole
    console.print("\n".join(lines) if told else "none: no rule was met", markup=False)
