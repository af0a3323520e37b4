#!/bin/sh
# Throughput of one connection and round trip of 64 octets, ours and the kernel's in turn, in one
# private lab: A B A B ..., five pairs. Prints medians, ranges and the ratio ours / kernel, and
# writes build-bench/results.json. --quick: three pairs of one second.
#
# Exit status: 0 done, 1 failed, 2 usage.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$here/build-bench

inside() { # inside PAIRS SECONDS COUNT
    port=40000
    for _ in $(seq "$1"); do
        for who in nstcp kernel; do
            port=$((port + 1))
            log=$(mktemp)
            "$here/setup/netns.sh" exec host2 "$build/test/bench/bench" $who serve 10.0.1.1 $port \
                </dev/null 2>"$log" &
            server=$!
            until grep -q listening "$log"; do
                kill -0 $server || { cat "$log" >&2; exit 1; }
                sleep 0.05
            done
            ask() {
                "$here/setup/netns.sh" exec host1 "$build/test/bench/bench" $who "$1" 10.0.1.1 \
                    $port "$2" </dev/null
            }
            bulk=$(ask bulk "$2")
            rtt=$(ask rtt "$3")
            kill -9 $server
            wait $server || :
            rm -f "$log"
            echo "$who $bulk $rtt"
        done
    done
}

case "${1-}" in
'') set -- 5 3 20000 ;;
--quick) set -- 3 1 5000 ;;
--inside) inside "$2" "$3" "$4"; exit ;;
--help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "bench/run.sh: unknown argument: $1 (try --help)" >&2; exit 2 ;;
esac

[ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release >&2
ninja -C "$build" test/bench/bench setup/netns >&2
export NSTCP_BUILD="$build"
"$here/setup/netns.sh" run "$here/test/bench/run.sh" --inside "$@" |
    python3 "$here/test/bench/table.py" "$build/results.json"
