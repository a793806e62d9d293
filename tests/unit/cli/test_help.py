"""What every command says of itself: its role, its output, and its place in docs/cli.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hallmark_cli.__main__ import hallmark

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text()
LOCAL = {"up", "down", "status"}
ROLES = {
    "scan": "developer",
    "sign": "reviewer",
    "signatures revoke": "reviewer",
    "keys create": "custodian",
    "keys update": "custodian",
    "keys rotate": "custodian",
    "keys enable": "custodian",
    "keys disable": "custodian",
    "keys revoke": "custodian",
    "policy validate": "cluster-admin",
    "policy apply": "cluster-admin",
    "policy activate": "cluster-admin",
    "policy rollback": "cluster-admin",
    "policy require": "cluster-admin",
    "targets create": "operator",
    "targets update": "operator",
    "targets delete": "operator",
    "targets rotate-token": "operator",
    "feeds import": "operator",
    "images import": "operator",
}


def commands(group: click.Group = hallmark, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command, by its path."""
    for name, command in group.commands.items():
        here = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, here)
        else:
            yield here, command


COMMANDS = dict(commands())


def helped(name: str) -> str:
    """The --help of a command, on one line."""
    command = COMMANDS[name]
    return " ".join(command.get_help(click.Context(command, info_name=name)).split())


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - LOCAL))
def test_help_names_the_role_by_default(name: str) -> None:
    assert f"--as ROLE The identity to act as. [default: {ROLES.get(name, 'auditor')}]" in helped(name)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_says_what_it_does(name: str) -> None:
    assert COMMANDS[name].get_short_help_str(200).endswith(".")


def test_the_roles_of_the_page_are_those_of_the_commands() -> None:
    listed = {}
    for cell, role in re.findall(r"^\| (`.*?) \| ([a-z-]+) \|$", PAGE, re.MULTILINE):
        group = ""
        for name in re.findall(r"`([^`]+)`|(?<=;) ", cell):
            if not name:
                continue
            if " " in name:
                group = name.partition(" ")[0]
            listed[name if " " in name or name in COMMANDS else f"{group} {name}"] = role
    assert listed == ROLES


def test_the_page_says_what_json_each_command_prints() -> None:
    (table,) = re.findall(r"^\| command \| value \|\n.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    listed: set[str] = set()
    for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        group = ""
        for written in re.findall(r"`([^`]+)`", cell):
            name = re.sub(r" --.*", "", written)
            group = name.partition(" ")[0] if " " in name else group
            listed.add(name if " " in name or name in COMMANDS else f"{group} {name}")
    printing = {name for name, command in COMMANDS.items() if any("--output" in one.opts for one in command.params)}
    assert listed == printing
