#!/usr/bin/env bash
# Runs an image's tests inside it: containers/test.sh IMAGE [pytest arguments]
# test_serve.py is left out: the embedded S3 server belongs to the host.
set -euo pipefail
cd "$(dirname "$0")/.."

image="${1:?which image: gdal, grass, tensorflow, eodata}"
shift
name="clearground/$image:${IMAGE_TAG:-local}-test"
. containers/builder.sh
"$docker" build --quiet --target test --file "containers/$image/Dockerfile" --tag "$name" . >/dev/null
"$docker" run --rm --init --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    --tmpfs /tmp:exec,mode=1777 --env HOME=/tmp --env HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis \
    --volume "$PWD/tests:/opt/clearground/tests:ro" --volume "$PWD/pyproject.toml:/opt/clearground/pyproject.toml:ro" \
    --workdir /opt/clearground "$name" \
    python -m pytest -q -p no:cacheprovider -m "not container" --ignore-glob "*/test_serve.py" \
    "tests/containers/$image" "$@"
