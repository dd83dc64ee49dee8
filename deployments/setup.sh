#!/bin/sh
# Makes .venv from requirements.lock, and gets what the system lacks: with apt when root, else says what to type.
set -eu
cd "$(dirname "$0")/.."

need_packages() { # package names; installs them or names the command
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing with apt: $*"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    else
        echo "Missing on this machine. Type: sudo apt install $*" >&2
        exit 1
    fi
}

find_python() {
    for candidate in python3.11 python3.12 python3.13 python3; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
}

make_venv() {
    python=$(find_python)
    if [ -z "$python" ]; then
        need_packages python3 python3-venv
        python=$(find_python)
        [ -n "$python" ] || { echo "Clearground needs Python 3.11 to 3.13; this system offers none of them." >&2; exit 1; }
    fi
    "$python" -c 'import ensurepip, venv' 2>/dev/null || need_packages "$(basename "$(readlink -f "$(command -v "$python")")")-venv"
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    .venv/bin/python -m pip install -q --disable-pip-version-check uv==0.13.8
    VIRTUAL_ENV=.venv .venv/bin/uv pip install -q --compile-bytecode --require-hashes -r requirements.lock
    VIRTUAL_ENV=.venv .venv/bin/uv pip install -q --no-deps --no-build-isolation -e .
    touch .venv/ready
}

embedded_tools() {
    missing=
    command -v grass >/dev/null || missing="$missing grass-core"
    command -v gdalwarp >/dev/null || missing="$missing gdal-bin"
    # shellcheck disable=SC2086  # a list of package names
    [ -z "$missing" ] || need_packages $missing
}

case "${1:-venv}" in
venv) make_venv ;;
tools) embedded_tools ;;
*) echo "usage: $0 venv|tools" >&2; exit 2 ;;
esac
