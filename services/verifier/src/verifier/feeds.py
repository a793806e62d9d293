"""The three streams, believed only while they speak."""

import math
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

    def _check(self, code: Code, whose: str, age: float) -> None:
        if age > self.stale_after:
            silent = "has never spoken" if math.isinf(age) else f"has been silent for {age:.0f} seconds"
            raise Rejection(code, f"The stream of the {whose} {silent}; what it said last may not hold any more.")
