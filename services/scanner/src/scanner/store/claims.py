"""Documents that persons gave about what is in images, in the database."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from scanner.inventory.model import Claim, Origin
from scanner.store.inventories import InventoryRows
from scanner.store.tables import images, inventory_claims


class ClaimRows:
    """Implements the port Claims within one transaction."""

    def __init__(self, session: AsyncSession, inventories: InventoryRows) -> None:
        self._session = session
        self._inventories = inventories

    async def given(self, repository: str, digest: str) -> Sequence[Claim]:
        """Return what was given about a platform manifest, the oldest first."""
        query = (
            select(inventory_claims)
            .join(images, images.c.number == inventory_claims.c.image)
            .where(images.c.repository == repository, images.c.digest == digest)
            .order_by(inventory_claims.c.given, inventory_claims.c.document)
        )
        rows = (await self._session.execute(query)).mappings().all()
        return [
            Claim(
                document=row["document"],
                origin=Origin.GIVEN,
                format=row["format"],
                packages=tuple(await self._inventories.every_package(row["package_set"])),
                left_out=row["left_out"],
            )
            for row in rows
        ]

    async def put(self, image: int, claim: Claim, package_set: int, given: datetime) -> None:
        """Store what was given about a platform manifest, by its number, in the place of the same document."""
        same = (inventory_claims.c.image == image) & (inventory_claims.c.document == claim.document)
        await self._session.execute(delete(inventory_claims).where(same))
        values = {
            "image": image,
            "document": claim.document,
            "format": claim.format,
            "package_set": package_set,
            "left_out": dict(claim.left_out),
            "given": given,
        }
        await self._session.execute(insert(inventory_claims).values(**values))

    async def remove(self, image: int) -> None:
        """Remove whatever was given about a platform manifest, by its number."""
        await self._session.execute(delete(inventory_claims).where(inventory_claims.c.image == image))
