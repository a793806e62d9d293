"""One module for each group of subcommands."""

from hallmark_cli.commands.decisions import decisions
from hallmark_cli.commands.feeds import feeds
from hallmark_cli.commands.images import images
from hallmark_cli.commands.keys import keys
from hallmark_cli.commands.policies import policy
from hallmark_cli.commands.scans import scan, scans
from hallmark_cli.commands.signatures import sign, signatures
from hallmark_cli.commands.suite import down, status, up
from hallmark_cli.commands.targets import targets
from hallmark_cli.commands.verdicts import verify, why
from hallmark_cli.commands.vulns import vulns

COMMANDS = (
    *(up, down, status),
    *(targets, feeds, scan, scans, images, vulns),
    *(keys, sign, signatures),
    *(policy, verify, why, decisions),
)
