"""The verifier's three streams as a test wants them: what they said, and how long they have been silent."""

from collections.abc import Iterable

from verifier.risk import RiskRecord, Risks
from verifier.rules.policy import Policy, Unsupported
from verifier.trust import Trust, TrustRecord


class FakePolicies:
    """Active policies by cluster."""

    def __init__(self, *policies: Policy | Unsupported) -> None:
        self.policies = {policy.cluster: policy for policy in policies}
        self.silent = 0.0

    def of(self, cluster: str) -> Policy | Unsupported | None:
        return self.policies.get(cluster)

    def age(self) -> float:
        return self.silent


class FakeTrust:
    """Keys and revocations."""

    def __init__(self, records: Iterable[TrustRecord] = ()) -> None:
        self.trust = Trust(records)
        self.silent = 0.0

    def current(self) -> Trust:
        return self.trust

    def age(self) -> float:
        return self.silent


class FakeRisk:
    """The risk of images."""

    def __init__(self, records: Iterable[RiskRecord] = ()) -> None:
        self.risks = Risks(records)
        self.silent = 0.0

    def current(self) -> Risks:
        return self.risks

    def age(self) -> float:
        return self.silent
