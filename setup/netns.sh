#!/bin/sh
# netns.sh - the front door of the lab: builds the program behind it if need be, and becomes it.
#
# What there is to say about the lab is in `netns.sh --help` and in the C files beside this one.
# NSTCP_BUILD names another build folder than build/.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0" </dev/null)/.." && pwd)
build=${NSTCP_BUILD:-$here/build}
program=$build/setup/netns

fail() {
    echo "netns: build: $1: $2" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null 2>&1 || fail "$1" "not found (Debian, Ubuntu: apt install $2)"
}

# Runs a build step; on failure shows one line of it, the one that says why.
step() {
    log=$("$@" </dev/null 2>&1) || fail "$1" \
        "$(printf '%s\n' "$log" | grep -m 1 -i 'error' || printf '%s\n' "$log" | tail -n 1)"
}

up_to_date() {
    [ -x "$program" ] && [ -z "$(find "$here/setup" "$here/lib/base" "$here/lib/wire" -name '*.[ch]' -newer "$program" </dev/null)" ]
}

if ! up_to_date; then
    need meson meson
    need ninja ninja-build
    need "${CC:-cc}" gcc
    need pkg-config pkg-config
    for library in libmnl libnftnl; do
        pkg-config --exists $library ||
            fail $library "not found (Debian, Ubuntu: apt install $library-dev)"
    done
    # One at a time: eight of us may have been started together.
    exec 9<"$here/setup"
    ! command -v flock >/dev/null 2>&1 || flock 9
    if ! up_to_date; then
        [ -f "$build/build.ninja" ] || step meson setup "$build" "$here"
        step ninja -C "$build" setup/netns
        touch "$program" # a source may be newer and yet change nothing
    fi
    exec 9<&-
fi
exec "$program" "$@"
