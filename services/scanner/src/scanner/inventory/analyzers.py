"""Every analyzer there is, in the order in which they are asked which files they want."""

from scanner.inventory import apk, dpkg, java, npm, python, rpm
from scanner.inventory.analyzer import Analyzer

ALL: tuple[Analyzer, ...] = (dpkg.ANALYZER, apk.ANALYZER, rpm.ANALYZER, python.ANALYZER, npm.ANALYZER, java.ANALYZER)
