"""Settings: frozen, from file and environment, with errors that name file and key."""

from pathlib import Path

import msgspec
import pytest
from chassis.config import ConfigError, Logging, Server, load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    server: Server
    logging: Logging = Logging()


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return file


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, '[server]\naddress = "127.0.0.1:1"\n')
    environ = {"HALLMARK_SERVER__MOST_CALLS": "7", "HALLMARK_LOGGING__LEVEL": "DEBUG", "HALLMARK_HOME": "/x"}
    read = load(Settings, file, environ)
    assert (read.server.address, read.server.most_calls, read.logging.level) == ("127.0.0.1:1", 7, "DEBUG")
    with pytest.raises(AttributeError):
        read.server.address = "other"  # type: ignore[misc]  # that it is frozen is what is tested


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "server"),
        ('[server]\naddress = "a:1"\ncolour = "red"', "colour"),
        ('[server]\naddress = "a:1"\nmost_calls = "many"', "most_calls"),
        ("[server", "no TOML"),
    ],
)
def test_an_error_names_file_and_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as error:
        load(Settings, write(tmp_path, text), {})
    assert "settings.toml" in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("HALLMARK_SERVER__COLOUR", "red", r"unknown field `colour` - at `\$\.server`"),
        ("HALLMARK_COLOURS__SKY", "blue", "unknown field `colours`"),
        ("HALLMARK_SERVER__MOST_CALLS", "many", r"\$\.server\.most_calls"),
        ("HALLMARK_SERVER__MOST_CALLS", "0", r">= 1 - at `\$\.server\.most_calls`"),
        ("HALLMARK_SERVER__DEFAULT_DEADLINE", "-1", r"\$\.server\.default_deadline"),
        ("HALLMARK_SERVER__DEFAULT_DEADLINE", "nan", r"\$\.server\.default_deadline"),
        ("HALLMARK_LOGGING__LEVEL", "LOUD", r"'LOUD' - at `\$\.logging\.level`"),
    ],
)
def test_an_override_that_cannot_be_used_is_named_with_its_key(
    tmp_path: Path, variable: str, value: str, named: str
) -> None:
    file = write(tmp_path, '[server]\naddress = "a:1"\n')
    with pytest.raises(ConfigError, match=named) as error:
        load(Settings, file, {variable: value})
    assert variable in str(error.value)


def test_a_key_of_a_section_that_the_file_has_not_comes_from_the_environment(tmp_path: Path) -> None:
    read = load(Settings, write(tmp_path, ""), {"HALLMARK_SERVER__ADDRESS": "a:1", "HALLMARK_SERVER__DRAIN": "1.5"})
    assert (read.server.address, read.server.drain) == ("a:1", 1.5)


def test_a_missing_file_and_a_stray_variable_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml cannot be read"):
        load(Settings, tmp_path / "absent.toml", {})
    file = write(tmp_path, '[server]\naddress = "a:1"\n')
    with pytest.raises(ConfigError, match="HALLMARK_SERVER__ADDRESS__X"):
        load(Settings, file, {"HALLMARK_SERVER__ADDRESS__X": "1"})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.binary(max_size=200))
def test_garbage_is_a_config_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError):
        load(Settings, file, {})
