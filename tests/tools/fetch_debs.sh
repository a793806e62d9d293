#!/bin/sh
# Unpacks Debian packages without installing them: fetch_debs.sh DIR SUITE PACKAGE...   The files are then under DIR/fs.
# Needs no root. The mirror is the machine's own. Runs that ask for one DIR wait for each other; the first one fetches.
set -eu
dir=$1
suite=$2
shift 2
mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/empty" "$dir/debs" "$dir/fs"
exec 9>"$dir/lock"
flock 9
[ "$(cat "$dir/done" 2>/dev/null)" != "$*" ] || exit 0
: >"$dir/status"
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep -v security | head -n1)
[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list | grep -v security | head -n1)
printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$mirror" "$suite" \
  /usr/share/keyrings/debian-archive-keyring.gpg >"$dir/only.sources"
private_apt() {
  apt-get -q -o Dir::Etc::sourcelist="$dir/only.sources" -o Dir::Etc::sourceparts="$dir/empty" \
    -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" -o Dir::State::status="$dir/status" \
    -o APT::Sandbox::User="$(id -un)" "$@"
}
private_apt update
(cd "$dir/debs" && private_apt download "$@")
for deb in "$dir"/debs/*.deb; do dpkg -x "$deb" "$dir/fs"; done
echo "$*" >"$dir/done"
