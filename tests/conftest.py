"""What every test can ask for."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures.registries"]

# How long an example takes depends on what else runs on the machine: no property is about that.
settings.register_profile("hallmark", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", settings.get_profile("hallmark"), max_examples=5000)
settings.load_profile("hallmark")
