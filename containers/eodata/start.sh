#!/usr/bin/env bash
# The local EODATA in one container: object gateway on $S3_PORT, STAC API on $STAC_PORT, and the archive that is mounted
# at /archive. All data lies in the volume $EODATA_HOME: initialised once, started from it ever after, kill or not.
set -euo pipefail

: "${AWS_ACCESS_KEY_ID:?names the key that the gateway will accept}" "${AWS_SECRET_ACCESS_KEY:?its secret}"
scripts="$(dirname "$(readlink -f "$0")")"
archive=/archive
export HOME=/tmp
rm -rf "${EODATA_RUN:?}"/* # what a killed container left

trap 'trap - TERM INT; kill 0; wait' TERM INT
"$scripts/ceph.sh" &
"$scripts/stac.sh" &

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
await() {
    until [ -e "$EODATA_RUN/$1" ] && answers "$2"; do
        [ "$(jobs -pr | wc -l)" = 2 ] || exit 1
        sleep 0.1
    done
}

# The bucket and the catalogue hold exactly the mounted archive.
load_archive() {
    local id
    id="$(sha256sum "$archive/items.json" | cut -d' ' -f1)"
    [ "$(cat "$EODATA_HOME/archive" 2>/dev/null)" = "$id" ] && return
    rm -f "$EODATA_HOME/archive"
    AWS_S3_ENDPOINT="127.0.0.1:$S3_PORT" AWS_HTTPS=NO AWS_VIRTUAL_HOSTING=FALSE \
        python -m containers.eodata.load --archive "$archive" --prune
    python -m containers.eodata.ingest "$archive/items.json"
    echo "$id" >"$EODATA_HOME/archive"
}

await s3 "$S3_PORT"
await stac "$STAC_PORT"
[ ! -e "$archive/items.json" ] || load_archive
touch "$EODATA_RUN/ready"
echo "eodata: ready after $SECONDS s"
wait -n # any part that ends takes the container with it
exit 1
