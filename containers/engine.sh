#!/usr/bin/env bash
# Makes a Docker engine and the base image available. Safe to repeat: it does only what is missing.
# Installing needs root on Debian or Ubuntu; anywhere else it says what to do instead.
set -euo pipefail

base="${BASE:-debian:trixie-slim}"
log="${ENGINE_LOG:-/var/log/dockerd.log}"
# Docker gives up on an unreachable registry after 15 s by itself; this limit is for a stalled one.
pull_limit_s=120

say() { printf 'engine: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
answers() { docker version >/dev/null 2>&1; }
may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install() {
    local missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

wait_for_socket() {
    for _ in $(seq 100); do
        answers && return 0
        sleep 0.2
    done
    return 1
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    elif pgrep -x dockerd >/dev/null; then
        say "a dockerd is already starting" # a second one would take the first one's network away
    else
        command -v dockerd >/dev/null || fail "the Docker client is here, but no dockerd: apt-get install docker.io"
        setsid dockerd --exec-opt native.cgroupdriver=cgroupfs --log-opt max-size=10m \
            </dev/null >>"$log" 2>&1 &
    fi
    wait_for_socket || fail "dockerd does not answer after 20 s; its log is $log"
}

ensure_engine() {
    answers && return 0
    may_install || fail "no Docker engine answers. Either run 'make engine' as root on Debian or Ubuntu
        (or start your own engine), or do without one: RUNNER=local make demo"
    command -v dockerd >/dev/null || install docker.io
    command -v docker >/dev/null || install docker-cli # a package of its own since Debian 13
    answers || start_engine
}

# What Debian's own slim image leaves out. dpkg keeps to it for every later package.
write_slim_rules() {
    cat >"$1/etc/dpkg/dpkg.cfg.d/slim" <<'RULES'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/lintian/*
RULES
    cat >"$1/etc/apt/apt.conf.d/slim" <<'RULES'
APT::Install-Recommends "false";
Acquire::Languages "none";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
RULES
}

slim() {
    write_slim_rules "$1"
    find "$1/usr/share/doc" -type f ! -name copyright -delete
    find "$1/usr/share/doc" -type d -empty -delete
    rm -rf "$1"/usr/share/{man,info,lintian}/* "$1"/var/lib/apt/lists/* "$1"/var/cache/{apt,debconf}/* "$1"/var/log/*
    find "$1/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
}

# The machine's own certificate authorities go where every later update-ca-certificates finds them.
trust_private_authorities() {
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$1/usr/local/share/ca-certificates/" \;
    chroot "$1" update-ca-certificates >/dev/null 2>&1
}

make_base() {
    local bundle=/etc/ssl/certs/ca-certificates.crt suite="${base#debian:}"
    install debootstrap debian-archive-keyring ca-certificates
    root="$(mktemp -d)" # not local: the trap outlives this function
    trap 'rm -rf "$root" "$root.log"' EXIT
    say "no registry answers: making $base with debootstrap (a minute or two)"
    debootstrap --variant=minbase --include=ca-certificates "${suite%-slim}" "$root" >"$root.log" 2>&1 ||
        fail "debootstrap failed: $(tail -n 3 "$root.log")"
    trust_private_authorities "$root"
    slim "$root"
    tar -C "$root" --one-file-system --sort=name -c . | docker import \
        --change "ENV SSL_CERT_FILE=$bundle PIP_CERT=$bundle REQUESTS_CA_BUNDLE=$bundle" \
        --change 'CMD ["bash"]' - "$base" >/dev/null
}

ensure_base() {
    docker image inspect "$base" >/dev/null 2>&1 && return 0
    timeout "$pull_limit_s" docker pull --quiet "$base" >/dev/null 2>&1 && return 0
    may_install || fail "the engine has no image $base and no registry answers. Either run 'docker pull $base' where one
        does (or 'make engine' as root on Debian or Ubuntu, which makes it), or do without Docker: RUNNER=local make demo"
    [[ "$base" == debian:*-slim ]] || fail "cannot make $base: only debian:<suite>-slim can be made here"
    make_base
}

ensure_engine
ensure_base
say "$(docker version --format 'Docker {{.Server.Version}}') with $base is ready"
