#!/usr/bin/env bash
# Ceph on one host: monitor, one object store daemon on a sparse file, object gateway. Non-root, loopback inside.
set -euo pipefail

data="$EODATA_HOME/ceph"

write_conf() {
    cat >"$CEPH_CONF" <<CONF
[global]
fsid = $(cat "$data/fsid")
mon host = [v2:127.0.0.1:3300]
public addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = $EODATA_RUN
admin socket =
log file =
log to stderr = false
err to stderr = true
mon data = $data/mon
mon allow pool size one = true
mon cluster log file =
mon data avail warn = 2
mon data avail crit = 1
paxos propose interval = 0.05
osd data = $data/osd
osd objectstore = bluestore
osd memory target = 939524096
osd client watch timeout = 15
osd crush update on start = false
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
bluestore block size = $((${EODATA_DISK_GB:-20} * 1024 ** 3))
rgw data = $data/rgw
rgw override bucket index max shards = 1
rgw frontends = beast port=$S3_PORT
CONF
}

start_monitor() {
    ceph-mon --foreground --id a &
    until ceph --connect-timeout 2 mon stat >/dev/null 2>&1; do
        kill -0 $! || exit 1
        sleep 0.1
    done
}

start_store() {
    ceph osd down 0 >/dev/null 2>&1 # after a kill the monitor still believes in the dead one
    ceph-osd --foreground --id 0 &
    until ceph osd stat | grep -q '1 up'; do
        kill -0 $! || exit 1
        sleep 0.1
    done
}

# The store's identity is registered before it is made: otherwise the monitor meets a stranger.
make_store() {
    local uuid
    uuid="$(cat /proc/sys/kernel/random/uuid)"
    ceph osd new "$uuid" >/dev/null
    ceph-osd --mkfs --id 0 --osd-uuid "$uuid"
    ceph osd crush add osd.0 1.0 root=default host=localhost 2>/dev/null
}

initialise() {
    rm -rf "$data"
    mkdir -p "$data"/{mon,osd,rgw}
    cat /proc/sys/kernel/random/uuid >"$data/fsid"
    write_conf
    monmaptool --create --fsid "$(cat "$data/fsid")" --addv a '[v2:127.0.0.1:3300]' "$EODATA_RUN/monmap" >/dev/null
    ceph-mon --mkfs --id a --monmap "$EODATA_RUN/monmap"
    start_monitor
    make_store
    start_store
    touch "$data/initialised"
}

has_key() {
    radosgw-admin user info --uid clearground 2>/dev/null | tr -d ' \n' |
        grep -qF "\"access_key\":\"$AWS_ACCESS_KEY_ID\",\"secret_key\":\"$AWS_SECRET_ACCESS_KEY\""
}

# A change waits until gateways that were killed a moment ago are forgotten, so it is made only where it is needed.
ensure_key() {
    local key=(--uid clearground --access-key "$AWS_ACCESS_KEY_ID" --secret-key "$AWS_SECRET_ACCESS_KEY")
    has_key && return
    radosgw-admin user create "${key[@]}" --display-name Clearground >/dev/null 2>&1 ||
        radosgw-admin key create "${key[@]}" --key-type s3 >/dev/null
}

if [ -e "$data/initialised" ]; then
    write_conf
    start_monitor
    start_store
else
    initialise
fi
radosgw --foreground --name client.rgw &
ensure_key
touch "$EODATA_RUN/s3"
wait -n
exit 1
