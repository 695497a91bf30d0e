#!/bin/sh
# Installs those of the Debian packages named as arguments that are not installed yet, and says what it does.
# It is silent when nothing is missing, and only warns on a system without apt-get: there the packages have other names.
set -eu
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
export PATH

missing=
for package in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "deps: no apt-get here; install the likes of these yourself if the build fails:$missing" >&2
    exit 0
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps: these packages are missing and neither root nor sudo is at hand; as root run:" >&2
        echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
        exit 1
    }
    as_root="sudo"
fi
echo "deps: installing with apt-get:$missing"
# shellcheck disable=SC2086 # words are meant to be split
{
    $as_root apt-get -qq update
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >/dev/null
}
echo "deps: done"
