"""Lock files as their tools write them, and what is to be found in them."""

import json

GEMFILE = """\
GIT
  remote: https://example.org/forked.git
  revision: 1234
  specs:
    forked (0.1)

PATH
  remote: .
  specs:
    own (9.9)
      rails (>= 7)

GEM
  remote: https://rubygems.org/
  specs:
    actionpack (7.0.4)
      rack (~> 2.0, >= 2.2.0)
    nokogiri (1.15.4-x86_64-linux)
      racc (~> 1.4)
    rails (7.0.4.rc1)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  rails (~> 7)

BUNDLED WITH
   2.4.1
"""
COMPOSER = json.dumps(
    {
        "packages": [{"name": "monolog/monolog", "version": "2.9.1"}],
        "packages-dev": [{"name": "phpunit/phpunit", "version": "9"}],
    }
)
NUGET = json.dumps(
    {
        "version": 1,
        "dependencies": {
            "net6.0": {
                "Serilog": {"type": "Direct", "requested": "[2.12.0, )", "resolved": "2.12.0", "contentHash": "x"},
                "System.Memory": {"type": "Transitive", "resolved": "4.5.5"},
                "own": {"type": "Project"},
            },
            "net6.0/linux-x64": {"System.Memory": {"type": "Transitive", "resolved": "4.5.5"}},
        },
    }
)
NUGET_CONFIG = """\
<?xml version="1.0" encoding="utf-8"?>
<packages>
  <package id="jQuery" version="3.1.1" targetFramework="net46" />
  <package id="StyleCop" version="1.0" developmentDependency="true" />
</packages>
"""
NPM_1 = json.dumps(
    {
        "name": "app",
        "version": "1.0.0",
        "lockfileVersion": 1,
        "dependencies": {
            "express": {"version": "4.18.2", "dependencies": {"debug": {"version": "2.6.9", "resolved": "x"}}},
            "aliased": {"version": "npm:@scope/real@1.2.3"},
            "mocha": {"version": "10.0.0", "dev": True},
            "local": {"version": "file:../local"},
            "forked": {"version": "git+ssh://git@example.org/forked.git#12"},
        },
    }
)
NPM_3 = json.dumps(
    {
        "name": "app",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "app", "version": "1.0.0"},
            "node_modules/express": {"version": "4.18.2", "resolved": "x", "engines": {"node": ">= 0.10.0"}},
            "node_modules/express/node_modules/debug": {"version": "2.6.9"},
            "node_modules/aliased": {"name": "@scope/real", "version": "1.2.3"},
            "node_modules/@scope/other": {"version": "2.0.0", "optional": True},
            "node_modules/mocha": {"version": "10.0.0", "dev": True},
            "node_modules/own": {"resolved": "packages/own", "link": True},
            "packages/own": {"version": "0.0.1"},
        },
    }
)
NPM_ROWS = [("npm", "@scope/real", "1.2.3"), ("npm", "debug", "2.6.9"), ("npm", "express", "4.18.2")]
YARN_1 = """\
# yarn lockfile v1


"@babel/code-frame@^7.0.0", "@babel/code-frame@^7.12.13":
  version "7.12.13"
  resolved "https://example.org/code-frame.tgz#1"
  dependencies:
    "@babel/highlight" "^7.12.13"

aliased@npm:real@^1, aliased@npm:real@^2:
  version "2.0.1"

left-pad@>=1 <2, left-pad@1:
  version "1.3.0"

"own@file:./own":
  version "0.0.0"
"""
YARN_BERRY = """\
__metadata:
  version: 6
  cacheKey: 8

"@babel/code-frame@npm:^7.0.0, @babel/code-frame@npm:^7.12.13":
  version: 7.12.13
  resolution: "@babel/code-frame@npm:7.12.13"
  dependencies:
    version: ^9
  checksum: 1234
  languageName: node
  linkType: hard

"aliased@npm:real@^2":
  version: 2.0.1
  resolution: "real@npm:2.0.1"

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."

"left-pad@patch:left-pad@^1.3.0#fix.patch":
  version: 1.3.0
  resolution: "left-pad@patch:left-pad@npm%3A1.3.0#fix.patch::version=1.3.0"
"""
YARN_ROWS = [("npm", "@babel/code-frame", "7.12.13"), ("npm", "left-pad", "1.3.0"), ("npm", "real", "2.0.1")]
PNPM_5 = """\
lockfileVersion: 5.4

specifiers:
  react-dom: ^17.0.0

dependencies:
  react-dom: 17.0.2_react@17.0.2

packages:

  /@babel/core/7.0.0_supports-color@8.1.1:
    resolution: {integrity: sha512-x}
    dependencies:
      /no/9: 1
    dev: false

  /react-dom/17.0.2_react@17.0.2:
    resolution: {integrity: sha512-x}

  /mocha/10.0.0:
    resolution: {integrity: sha512-x}
    dev: true

  github.com/x/y/1234:
    name: y
"""
PNPM_6 = """\
lockfileVersion: '6.0'

packages:

  /@babel/core@7.0.0(supports-color@8.1.1):
    resolution: {integrity: sha512-x}
    dev: false

  /mocha@10.0.0:
    dev: true

  /react-dom@17.0.2(react@17.0.2):
    dev: false
"""
PNPM_9 = """\
lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

importers:

  .:
    dependencies:
      react-dom:
        specifier: ^17.0.0
        version: 17.0.2(react@17.0.2)

packages:

  '@babel/core@7.0.0':
    resolution: {integrity: sha512-x}

  react-dom@17.0.2:
    resolution: {integrity: sha512-x}

  y@https://example.org/y.tgz:
    resolution: {tarball: x}

snapshots:

  '@babel/core@7.0.0(supports-color@8.1.1)': {}
"""
PNPM_ROWS = [("npm", "@babel/core", "7.0.0"), ("npm", "react-dom", "17.0.2")]
POETRY = """\
# This file is automatically @generated by Poetry 2.1.1 and should not be changed by hand.

[[package]]
name = "requests"
version = "2.31.0"
description = "Python HTTP for Humans."
optional = false
python-versions = ">=3.7"
groups = ["main", "dev"]
files = [
    {file = "requests-2.31.0.tar.gz", hash = "sha256:x"},
]

[package.dependencies]
name = ">=1"
urllib3 = ">=1.21.1,<3"

[[package]]
name = "old-dev"
version = "1"
category = "dev"

[[package]]
name = "pytest"
version = "8.0.0"
groups = ["dev"]

[[package]]
name = "own"
version = "0.1"

[package.source]
type = "directory"
url = "own"

[[package]]
name = "Urllib3"
version = "2.0.7"

[metadata]
lock-version = "2.1"
name = "not a package"
version = "9"
"""
UV = """\
version = 1
requires-python = ">=3.12"

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [
    { name = "requests" },
]

[[package]]
name = "requests"
version = "2.31.0"
source = { registry = "https://example.org/simple" }
sdist = { url = "https://example.org/requests-2.31.0.tar.gz", hash = "sha256:x", size = 1 }

[package.metadata]
version = "3"

[[package]]
name = "forked"
version = "1"
source = { git = "https://example.org/forked" }
"""
PIPFILE = json.dumps(
    {
        "_meta": {"sources": [{"name": "index"}]},
        "default": {
            "requests": {"hashes": ["sha256:x"], "index": "index", "version": "==2.31.0"},
            "own": {"editable": True, "path": "."},
        },
        "develop": {"pytest": {"version": "==8.0.0"}},
    }
)
REQUIREMENTS = """\
# pinned
requests==2.31.0
urllib3[socks] == 2.0.7 ; python_version >= "3.8"  # why
Jinja2===3.1.2 \\
    --hash=sha256:1234
torch==2.1.0+cpu --hash=sha256:1
flask>=2
django==4.*
idna==3.4,<4
-r other.txt
name @ https://example.org/name.tar.gz
"""
CARGO = """\
# This file is automatically @generated by Cargo.
version = 3

[[package]]
name = "app"
version = "0.1.0"
dependencies = [
 "serde",
]

[[package]]
name = "serde"
version = "1.0.193"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "12"

[[package]]
name = "forked"
version = "0.2.0"
source = "git+https://example.org/forked#1234"

[metadata]
"checksum x" = "1"
"""
GRADLE = """\
# This is a Gradle generated file for dependency locking.
# Manual edits: can break the build
com.google.guava:guava:31.1-jre=compileClasspath,runtimeClasspath
junit:junit:4.13.2=testCompileClasspath,testRuntimeClasspath
empty=annotationProcessor
"""
Rows = list[tuple[str, str, str]]
LOCKS: dict[str, tuple[str, Rows]] = {
    "package-lock.json": (NPM_3, [("npm", "@scope/other", "2.0.0"), *NPM_ROWS]),
    "npm-shrinkwrap.json": (NPM_1, NPM_ROWS),
    "yarn.lock": (YARN_1, YARN_ROWS),
    "pnpm-lock.yaml": (PNPM_9, PNPM_ROWS),
    "poetry.lock": (POETRY, [("PyPI", "Urllib3", "2.0.7"), ("PyPI", "requests", "2.31.0")]),
    "uv.lock": (UV, [("PyPI", "forked", "1"), ("PyPI", "requests", "2.31.0")]),
    "Pipfile.lock": (PIPFILE, [("PyPI", "requests", "2.31.0")]),
    "requirements.txt": (
        REQUIREMENTS,
        [
            ("PyPI", "Jinja2", "3.1.2"),
            ("PyPI", "requests", "2.31.0"),
            ("PyPI", "torch", "2.1.0+cpu"),
            ("PyPI", "urllib3", "2.0.7"),
        ],
    ),
    "Cargo.lock": (CARGO, [("crates.io", "forked", "0.2.0"), ("crates.io", "serde", "1.0.193")]),
    "gradle.lockfile": (GRADLE, [("Maven", "com.google.guava:guava", "31.1-jre")]),
    "Gemfile.lock": (
        GEMFILE,
        [
            ("RubyGems", "actionpack", "7.0.4"),
            ("RubyGems", "forked", "0.1"),
            ("RubyGems", "nokogiri", "1.15.4"),
            ("RubyGems", "rails", "7.0.4.rc1"),
        ],
    ),
    "composer.lock": (COMPOSER, [("Packagist", "monolog/monolog", "2.9.1")]),
    "packages.lock.json": (NUGET, [("NuGet", "Serilog", "2.12.0"), ("NuGet", "System.Memory", "4.5.5")]),
    "packages.config": (NUGET_CONFIG, [("NuGet", "jQuery", "3.1.1")]),
}
"""A text of each kind by the name of the file, and its packages: ecosystem, name and version."""
