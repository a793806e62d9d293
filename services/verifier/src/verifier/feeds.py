"""The three streams, believed only while they speak."""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from verifier.ports import Policies, RiskFeed, TrustFeed
from verifier.reasons import Code, Rejection
from verifier.risk import Risks
from verifier.rules.policy import Policy, Unsupported
from verifier.trust import Trust


@dataclass(frozen=True, slots=True)
class Feeds:
    """Policies, trust and risk. A stream that was silent for longer than `stale_after` seconds tells nothing more."""

    policies: Policies
    trust_feed: TrustFeed
    risk_feed: RiskFeed
    stale_after: float

    def policy(self, cluster: str) -> Policy | Unsupported:
        """The cluster's active policy. Raises Rejection POLICY_STALE or POLICY_MISSING."""
        self._check(Code.POLICY_STALE, "policy service", self.policies.age())
        policy = self.policies.of(cluster)
        if policy is None:
            raise Rejection(Code.POLICY_MISSING, f"The cluster {cluster!r} has no active policy.")
        return policy

    def trust(self) -> Trust:
        """Keys and revocations. Raises Rejection TRUST_STALE."""
        self._check(Code.TRUST_STALE, "signer", self.trust_feed.age())
        return self.trust_feed.current()

    def risks(self) -> Risks:
        """The risk of images. Raises Rejection RISK_UNAVAILABLE."""
        self._check(Code.RISK_UNAVAILABLE, "scanner", self.risk_feed.age())
        return self.risk_feed.current()

    def problems(self) -> Mapping[str, Callable[[], str | None]]:
        """What keeps the verifier from being ready, by stream: policies and trust must be fresh, risk must have been
        told once, for only rules with a scan condition need it.
        """
        return {
            "policy": lambda: self._problem(self.policies.age(), self.stale_after),
            "signer": lambda: self._problem(self.trust_feed.age(), self.stale_after),
            "scanner": lambda: self._problem(self.risk_feed.age(), sys.float_info.max),
        }

    def _problem(self, age: float, most: float) -> str | None:
        return f"Its stream {_silence(age)}." if age > most else None

    def _check(self, code: Code, whose: str, age: float) -> None:
        if age > self.stale_after:
            raise Rejection(code, f"The stream of the {whose} {_silence(age)}; what it said may not hold any more.")


def _silence(age: float) -> str:
    return "has never spoken" if math.isinf(age) else f"has been silent for {age:.0f} seconds"
