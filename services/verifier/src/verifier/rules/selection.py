"""Which rule decides: the first that matches, else the policy's default."""

from registry.references import Reference

from verifier.rules.policy import Policy, Rule


def select(policy: Policy, namespace: str, image: Reference) -> Rule:
    """The rule that decides about this image (normalised) in this namespace (may be empty)."""
    return next((rule for rule in policy.rules if _matches(rule, namespace, image)), policy.default)


def _matches(rule: Rule, namespace: str, image: Reference) -> bool:
    return (not rule.namespaces or any(pattern.matches(namespace) for pattern in rule.namespaces)) and (
        not rule.images or any(pattern.matches(image.name) for pattern in rule.images)
    )
