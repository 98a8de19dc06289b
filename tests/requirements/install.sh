#!/bin/sh
# Installs the pinned Python tools into .venv/ of the checkout, one virtual environment each, because
# ministack and moto pin different versions of botocore. Does nothing where a lock file has not changed.
#
#   tests/requirements/install.sh [ministack] [moto] [tools] [aws] [lint] [browser] [package] [peer]      without arguments: the first five
set -eu
cd "$(dirname "$0")/../.."

fail() {
    echo "tests/requirements/install.sh: $*" >&2
    exit 1
}

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "python3 is missing: install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$("$python" --version) is too old: install Python 3.11 or newer"
# Debian and Ubuntu ship `venv` without the part that puts pip into a new environment.
"$python" -c 'import ensurepip, venv' 2>/dev/null || fail "python3 cannot make virtual environments: install python3-venv (apt-get install python3-venv)"

install() {
    lock=tests/requirements/$1.txt
    venv=.venv/$1
    cmp -s "$lock" "$venv/installed.txt" && return 0
    echo "installing $1 into $venv"
    "$python" -m venv --clear "$venv"
    # The lock file is complete, so there is nothing to resolve (and older pips cannot resolve extras with hashes).
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes -r "$lock"
    cp "$lock" "$venv/installed.txt" # last: a half-finished environment is made anew
}

[ $# -gt 0 ] || set -- ministack moto tools aws lint
pids=
for name in "$@"; do
    [ -f "tests/requirements/$name.txt" ] || fail "no lock file for '$name'"
    install "$name" &
    pids="$pids $!"
done
failed=0
for pid in $pids; do
    wait "$pid" || failed=1
done
[ $failed -eq 0 ] || fail "pip could not install the pinned tools; its message is above"
