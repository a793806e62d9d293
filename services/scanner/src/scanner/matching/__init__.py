"""What follows from comparing package versions with advisories: findings, and how they change.

Which versions lie in which intervals is found by the store in one query over keys; here it is judged.
"""

from scanner.matching.changes import Changes, Held, changes_between
from scanner.matching.facts import Facts, FindingKey, Match, facts_of

__all__ = ["Changes", "Facts", "FindingKey", "Held", "Match", "changes_between", "facts_of"]
