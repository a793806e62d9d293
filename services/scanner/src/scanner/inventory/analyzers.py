"""Every analyzer there is, in the order in which they are asked which files they want.

Kinds that content tells come after all others; that of programs fits every path, and comes last.
"""

from scanner.inventory import apk, dotnet, dpkg, java, lock_files, npm, php, python, rpm, ruby
from scanner.inventory.analyzer import Analyzer
from scanner.inventory.programs import finding as programs

ALL: tuple[Analyzer, ...] = (
    dpkg.ANALYZER,
    apk.ANALYZER,
    rpm.ANALYZER,
    python.ANALYZER,
    npm.ANALYZER,
    java.ANALYZER,
    ruby.ANALYZER,
    php.ANALYZER,
    dotnet.ANALYZER,
    lock_files.ANALYZER,
    programs.ANALYZER,
)
