"""up, down, status: the whole suite on this machine."""

import dataclasses
from pathlib import Path

import click

from hallmark_cli import output
from hallmark_cli.failures import Exit
from hallmark_cli.local import suite
from hallmark_cli.local.records import Registry
from hallmark_cli.options import Setting, output_form


class RegistryText(click.ParamType[tuple[str, Registry]]):
    """HOST, and how it is reached where that is not anonymously over HTTPS with the system's authorities."""

    name = "host[,plain][,ca=file][,user=name,password-file=file]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Registry]:
        """The host and how it is reached."""
        host, *settings = str(value).split(",")
        given = dict(setting.partition("=")[::2] for setting in settings)
        if given.keys() - {"plain", "ca", "user", "password-file"} or given.get("plain"):
            self.fail(
                f"{value!r} is not of the form HOST[,plain][,ca=FILE][,user=NAME,password-file=FILE].", param, ctx
            )
        if not host or "/" in host:
            self.fail(f"{host!r} is no host: write it as it stands in image references.", param, ctx)
        return host, Registry(
            plain_http="plain" in given,
            ca=_absolute(given.get("ca")),
            username=given.get("user", ""),
            password_file=_absolute(given.get("password-file")),
        )


def _absolute(path: str | None) -> str:
    # The services do not run where this command was called.
    return str(Path(path).absolute()) if path else ""


@click.command()
@click.option("--cluster", help="The name of the cluster that asks the admission adapter.  [default: local]")
@click.option(
    "--registry", "registries", type=RegistryText(), multiple=True, help="A registry to work with; kept for later."
)
@click.pass_obj
def up(setting: Setting, cluster: str | None, registries: tuple[tuple[str, Registry], ...]) -> None:
    """Start the suite on this machine.

    Five processes on loopback, each with a certificate of an authority that is made here at the first start. What does
    not run yet is started, and waited for until it is ready; where all runs already, the answer is no.
    """
    suite.up(setting.home, cluster, dict(registries), lambda name: output.note(f"{name} is ready"))
    _show(suite.status(setting.home))


@click.command()
@click.pass_obj
def down(setting: Setting) -> None:
    """End the suite on this machine.

    Its own processes end, and no others. Its data stays.
    """
    ended = suite.down(setting.home)
    output.note(f"Ended: {', '.join(ended)}." if ended else "Nothing was running.")


@click.command()
@output_form
@click.pass_obj
def status(setting: Setting, form: str) -> None:
    """Show each service of the suite.

    Its process, its address, whether it is ready, and since when it runs. The answer is yes where all are ready.
    """
    services = suite.status(setting.home)
    if form == "json":
        output.document([dataclasses.asdict(service) for service in services])
    else:
        _show(services)
    if not all(service.ready for service in services):
        raise click.exceptions.Exit(Exit.NO)


def _show(services: list[suite.ServiceStatus]) -> None:
    rows = [(one.name, str(one.pid or "-"), one.address, _state(one), one.since or "-") for one in services]
    output.table(("SERVICE", "PID", "ADDRESS", "STATE", "SINCE"), rows)


def _state(service: suite.ServiceStatus) -> str:
    if service.pid is None:
        return "not running"
    return "ready" if service.ready else "not ready"
