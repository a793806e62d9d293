"""Whether the database answers, asked every few seconds: a check for `chassis.health`."""

import asyncio
import logging
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import Database
from chassis.errors import Refusal

log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
"""How long to wait for an answer, for a connection to ask over included."""
_READ: Final = text("SELECT version_num FROM alembic_version")


class DatabaseHealth:
    """Whether the database answered when it was asked last.

    Made when it has answered: a service reads the version of its schema before it serves. That is also what is asked
    for, since SQLite would answer without reading its file if nothing in there were wanted.
    """

    def __init__(self, database: Database, seconds: float = ANSWER_SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._problem: str | None = None

    def problem(self) -> str | None:
        """Why the database does not answer; None where it does."""
        return self._problem

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            await self.ask()

    async def ask(self) -> None:
        """Ask once."""
        problem = await self._asked()
        if problem and not self._problem:
            log.warning("database does not answer", extra={"problem": problem})
        elif self._problem and not problem:
            log.info("database answers again")
        self._problem = problem

    async def _asked(self) -> str | None:
        try:
            async with asyncio.timeout(self._seconds), self._database.read() as session:
                await session.execute(_READ)
        except Refusal as refusal:
            return refusal.message
        except (SQLAlchemyError, OSError) as error:  # a timeout is an OSError
            # SQLAlchemy's sentences may hold what was asked and of whom.
            return f"The database does not answer ({type(error).__name__})."
        return None
