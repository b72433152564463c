"""How a refusal reaches the client: our sentence and our code, wherever Synapse lets us."""

from http import HTTPStatus
from typing import Literal

from synapse.api.errors import Codes, LoginError, SynapseError
from synapse.module_api import NOT_SPAM, JsonDict

from keyhouse.core.sentences import error_code, sentence
from keyhouse.core.verdict import Reason, Refused, Verdict

Answer = tuple[Codes, JsonDict] | Literal["NOT_SPAM"]
"""What Synapse's spam checker callbacks give back: NOT_SPAM, or a code and what replaces Synapse's own text."""


def refusal(reason: Reason) -> SynapseError:
    """Say no to a request."""
    return SynapseError(HTTPStatus.FORBIDDEN, sentence(reason), error_code(reason))


def refused_code(reason: Reason) -> LoginError:
    """Say no to a code; the client may try another one in the same registration."""
    return LoginError(HTTPStatus.UNAUTHORIZED, sentence(reason), error_code(reason))


def answer(verdict: Verdict) -> Answer:
    """Turn a verdict into what a spam checker callback gives back."""
    if isinstance(verdict, Refused):
        fields = {"error": sentence(verdict.reason), "errcode": error_code(verdict.reason)}
        return Codes.FORBIDDEN, fields
    return NOT_SPAM


def raise_if_refused(verdict: Verdict) -> None:
    """Raise the refusal, if the verdict is one."""
    if isinstance(verdict, Refused):
        raise refusal(verdict.reason)
