#!/usr/bin/env bash
# Locks the Python packages of the named images (default: all images, and what their tests need), leaving out
# what Debian provides. Needs uv.
set -euo pipefail
cd "$(dirname "$0")"

[ "$#" -gt 0 ] || set -- gdal grass sarsen tensorflow eodata .
mapfile -t provided < <(grep -v '^#' debian.txt | cut -d= -f1)
for image in "$@"; do
    for list in "$image"/requirements*.in; do
        list="${list#./}"
        uv pip compile --quiet --python-version 3.13 --generate-hashes --no-header --constraint debian.txt \
            "${provided[@]/#/--no-emit-package=}" "$list" --output-file "${list%.in}.lock"
    done
done
