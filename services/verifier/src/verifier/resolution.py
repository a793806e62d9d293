"""Finds the digests behind tags, so that a Pod names what was verified. Nothing is judged, nothing recorded."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from verifier.feeds import Feeds
from verifier.judging import check_supported, parse_image
from verifier.ports import Tags
from verifier.reasons import Rejection
from verifier.rules.policy import FixedVerdict
from verifier.rules.selection import select
from verifier.verification import check_count


@dataclass(frozen=True, slots=True)
class Resolved:
    """An image with what to name instead; where `pinned` is empty, `left_because` says why it is left as it is."""

    image: str
    pinned: str = ""
    left_because: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Pins tags. Images that a rule allows as they are stay as they are, and so does whatever cannot be resolved."""

    feeds: Feeds
    tags: Tags

    async def resolve(self, cluster: str, namespace: str, images: Sequence[str], seconds: float) -> list[Resolved]:
        """What to name instead of each image, in order, within so many seconds. Raises TooManyImages."""
        check_count(len(images))
        return await asyncio.gather(*(self._resolve(cluster, namespace, image, seconds) for image in images))

    async def _resolve(self, cluster: str, namespace: str, text: str, seconds: float) -> Resolved:
        try:
            image = parse_image(text)
            if image.digest:
                return Resolved(text, left_because="It names a digest.")
            rule = select(check_supported(self.feeds.policy(cluster)), namespace, image)
            if isinstance(rule.decision, FixedVerdict):
                return Resolved(text, left_because=f"The rule {rule.name!r} does not ask what it is.")
            async with asyncio.timeout(seconds):
                digest = await self.tags.resolve(image)
        except Rejection as rejection:
            return Resolved(text, left_because=rejection.reason.message)
        except TimeoutError:
            return Resolved(text, left_because="The time given did not suffice.")
        return Resolved(text, pinned=str(replace(image, digest=digest)))
