"""The seal of the embedded vault in the database."""

from chassis.database import Database
from sqlalchemy import insert, select

from signer.errors import WrongSecret
from signer.keys.embedded import NAME, Seal
from signer.keys.secrets import Protection
from signer.keys.vault import Made
from signer.store.tables import key_versions, vault_seals


class SealRows:
    """Reads and keeps the seal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> Seal | None:
        """Return the seal; None before the vault's first start. Raises WrongSecret where keys are there without it."""
        async with self._database.read() as session:
            query = select(vault_seals).where(vault_seals.c.vault == NAME)
            row = (await session.execute(query)).mappings().one_or_none()
            if row is None and (await session.execute(select(key_versions.c.key).limit(1))).first():
                raise WrongSecret("The database holds keys, but not the seal of their vault: restore it from a backup.")
        if row is None:
            return None
        protection = Protection(row["salt"], row["cost"])
        return Seal(protection, Made(row["check_public_key"], row["check_handle"]))

    async def keep(self, seal: Seal) -> None:
        """Keep the seal of a new vault."""
        values = {
            "vault": NAME,
            "salt": seal.protection.salt,
            "cost": seal.protection.cost,
            "check_public_key": seal.check.public_key,
            "check_handle": seal.check.handle,
        }
        async with self._database.begin() as session:
            await session.execute(insert(vault_seals).values(**values))
