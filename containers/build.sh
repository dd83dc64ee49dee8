#!/usr/bin/env bash
# Builds the images that changed: containers/build.sh [--push REGISTRY] [TAG] [IMAGE…]
# TF_PACKAGE=tensorflow[and-cuda] builds the GPU variant of tensorflow, tagged <TAG>-gpu.
# snap is built only by name, with SNAP_SHA256 (and SNAP_VERSION) of its installer: see docs/snap.md.
set -euo pipefail
cd "$(dirname "$0")/.."

registry=
if [ "${1:-}" = --push ]; then
    registry="${2:?the registry to push to}"
    shift 2
fi
tag="${1:-local}"
shift || true
[ "$#" -gt 0 ] || set -- gdal grass sarsen tensorflow eodata
base="${BASE:-debian:trixie-slim}"
state="${CLEARGROUND_STATE:-.clearground}"

# Everything that an image is made from, and the name of what it is made for.
source_of() { # image, lock
    {
        "$docker" image inspect --format '{{.Id}}' "$base"
        echo "$2"
        [ "$1" != snap ] || echo "${SNAP_VERSION:-} ${SNAP_SHA256:-}"
        find containers/base "containers/$1" containers/__init__.py containers/versions.py -type f \
            ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum
    } | sha256sum | cut -d' ' -f1
}

label_of() { "$docker" image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true; }

# What the image holds is known only when it is built, so that label comes with a second, empty layer.
label_versions() { # name, image, source
    local versions unlabelled
    unlabelled="$("$docker" image inspect --format '{{.Id}}' "$1")"
    versions="$("$docker" run --rm --network none "$1" sha256sum /opt/clearground/versions.json | cut -d' ' -f1)"
    printf 'FROM %s\nLABEL clearground.image=%s clearground.source=%s clearground.versions=sha256:%s\n' \
        "$1" "$2" "$3" "$versions" | "$docker" build --quiet --tag "$1" - >/dev/null
    "$docker" rmi "$unlabelled" >/dev/null 2>&1 || true # the legacy builder still needs it
}

build() { # name, image, lock
    local source log arguments=() started=$SECONDS
    [ "$2" != snap ] || arguments=(--build-arg SNAP_VERSION --build-arg SNAP_SHA256)
    source="$(source_of "$2" "$3")"
    if [ "$(label_of "$1" clearground.source)" = "$source" ]; then
        echo "images: $1 is up to date"
        return
    fi
    echo "images: building $1"
    log="$(mktemp)"
    "$docker" build --target image --build-arg "BASE=$base" --build-arg "LOCK=$3" "${arguments[@]}" \
        --file "containers/$2/Dockerfile" --tag "$1" . >"$log" 2>&1 \
        || { tail -n 40 "$log" >&2; rm "$log"; echo "images: $1 failed" >&2; exit 1; }
    rm "$log"
    label_versions "$1" "$2" "$source"
    echo "images: built $1 in $((SECONDS - started)) s"
}

# What this checkout has built, so that two checkouts with one tag never run each other's code.
note() { # key, name
    mkdir -p "$state"
    python3 - "$state/images.json" "$1" "$2" "$("$docker" image inspect --format '{{.Id}}' "$2")" \
        "$(label_of "$2" clearground.versions)" <<'PYTHON'
import json, pathlib, sys

path, key, image, identifier, versions = pathlib.Path(sys.argv[1]), *sys.argv[2:]
notes = json.loads(path.read_text()) if path.is_file() else {}
notes[key] = {"image": image, "id": identifier, "versions": versions}
partial = path.with_suffix(".part")
partial.write_text(json.dumps(notes, indent=1, sort_keys=True))
partial.replace(path)
PYTHON
}

push() {
    "$docker" tag "$1" "$registry/$1"
    "$docker" push --quiet "$registry/$1"
}

containers/engine.sh
. containers/builder.sh
for image in "$@"; do
    variant= lock=requirements.lock
    if [ "$image" = tensorflow ] && [ "${TF_PACKAGE:-}" = "tensorflow[and-cuda]" ]; then
        variant=-gpu lock=requirements-gpu.lock
    fi
    name="clearground/$image:$tag$variant"
    build "$name" "$image" "$lock"
    note "$image$variant" "$name"
    [ -z "$registry" ] || push "$name"
done
