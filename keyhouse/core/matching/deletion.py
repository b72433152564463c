"""A message that was taken away before anybody, the house included, could read it."""

from keyhouse.core.urgency import Urgency

DELETED_BEFORE_READ = "deleted_before_read"
RULE = "house.deleted_before_read"


def urgency_of_deletion(*, by_its_author: bool, was_judged: bool) -> Urgency:
    """Say how soon a human must look at a deletion.

    What was judged keeps its alert, whatever becomes of it. What somebody else took away was read by them.
    """
    return Urgency.WATCH if by_its_author and not was_judged else Urgency.NONE
