#!/bin/sh
# Makes the environment: setup.sh VENV PART...   Installs the pinned requirements and every part, editable.
set -eu
venv=$1
shift
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Hallmark needs Python 3.11 or newer; $PYTHON is $("$PYTHON" --version). Set PYTHON=..." >&2
  exit 2
}
if ! "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get -q update && apt-get -q install -y python3-venv
  else
    echo "This Python lacks the venv module: install it first (Debian: apt-get install python3-venv)." >&2
    exit 2
  fi
fi
[ -x "$venv/bin/python" ] || "$PYTHON" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
set -- $(printf -- '-e %s ' "$@")
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation "$@"
