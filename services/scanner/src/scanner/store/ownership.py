"""Which members of package sets count for findings: all but those that are left to the distribution's advisories."""

from sqlalchemy import ColumnElement, func, not_, or_, select

from scanner.store.tables import affected, set_members


def counts() -> ColumnElement[bool]:
    """Whether a member of a package set counts.

    What a package of the distribution owns does not, as long as some advisory speaks of the owner: in the release, or
    in all of them. The advisories that are held now decide, as they do of findings.
    """
    of_all = affected.c.ecosystem + ":"
    speaks = or_(
        affected.c.ecosystem == set_members.c.owner_ecosystem,
        func.substr(set_members.c.owner_ecosystem, 1, func.length(of_all)) == of_all,
    )
    of_owner = select(affected.c.number).where(affected.c.name == set_members.c.owner, speaks)
    return or_(set_members.c.owner == "", not_(of_owner.correlate(set_members).exists()))
