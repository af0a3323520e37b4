#!/bin/sh
# demo.sh - the shortest way to see it work: installs what is missing, builds, brings up a private
# lab, runs echoserver in host1 and echoclient in host2, and shows the echo.
#
# What comes on stdin is sent, and what comes back is all there is on stdout; everything else goes
# to stderr. On a terminal, or without stdin, two lines of its own are sent. The lab is private
# (netns.sh run): a lab that is up is not disturbed, and nothing is left behind.
#
# Exit status: 0 echoed, 1 failed, 2 usage.
set -eu

# The input is descriptor 3 from here on: only echoclient is to have it.
[ -e /proc/self/fd/0 ] || exec </dev/null
exec 3<&0 </dev/null

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
server_addr=10.0.0.1 port=40000

# The second half, inside the private lab: demo.sh --inside BUILD-DIR
inside() {
    log=$(mktemp)
    "$here/setup/netns.sh" exec host1 "$1/examples/echoserver" "$server_addr" "$port" \
        3<&- >"$log" 2>&1 &
    server=$!
    until grep -q listening "$log"; do
        kill -0 $server 2>/dev/null || { cat "$log" >&2; rm -f "$log"; exit 1; }
        sleep 0.05
    done
    status=0
    "$here/setup/netns.sh" exec host2 "$1/examples/echoclient" "$server_addr" "$port" \
        <&3 3<&- || status=$?
    kill $server && wait $server || :
    cat "$log" >&2
    rm -f "$log"
    exit $status
}

case "${1-}" in
'') ;;
--inside) inside "$2" ;;
--help)
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
*)
    echo "demo.sh: unknown argument: $1 (try --help)" >&2
    exit 2
    ;;
esac

. "$here/setup/deps.sh"
deps_ensure build || exit 1

# A checkout that is not ours to write in is built elsewhere, for this once; so is one in whose build
# folder somebody else, such as root, has built since.
NSTCP_BUILD=$here/build
if ! mkdir -p "$NSTCP_BUILD" 2>/dev/null ||
    [ -n "$(find "$NSTCP_BUILD" ! -type l ! -writable -print -quit 2>&1)" ]; then
    NSTCP_BUILD=$(mktemp -d)
    trap 'rm -rf "$NSTCP_BUILD"' EXIT
fi
export NSTCP_BUILD
build() {
    [ -f "$NSTCP_BUILD/build.ninja" ] || meson setup "$NSTCP_BUILD" "$here" || return
    ninja -C "$NSTCP_BUILD" examples/echoserver examples/echoclient setup/netns
}
echo "demo.sh: building" >&2
if ! log=$(build 2>&1); then
    printf '%s\n' "$log" >&2
    echo "demo.sh: build: failed, see above" >&2
    exit 1
fi

demo() {
    "$here/setup/netns.sh" run "$here/setup/demo.sh" --inside "$NSTCP_BUILD" 3<&-
}
if [ -t 3 ] || [ "$(readlink /proc/self/fd/3)" = /dev/null ]; then
    printf 'hello\nhoge\n' | demo
else
    demo <&3
fi
