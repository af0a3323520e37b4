#!/bin/sh
# Measures nstcp beside the kernel's TCP, and lwIP's where liblwip-dev is installed, in turn (A B A B
# ...), in a lab of its own: throughput of one connection and of sixteen, with offloads and without,
# to and from the kernel; round trips of one connection and of a thousand; connections per second;
# what idle ones cost; what a segment costs the engine in memory. Five pairs in under ten minutes;
# --quick: one pair in one minute. KEYs: these only (bench.py has them). Prints medians, ranges and
# the ratio ours / kernel; build/bench has them as results.json, and plots.
#
# Exit status: 0 done, 1 failed, 2 usage.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$here/setup/deps.sh"
build=$here/build-bench pairs=5 seconds=2

while [ $# -gt 0 ]; do
    case $1 in
    --quick) pairs=1 seconds=0.5 ;;
    --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "bench/run.sh: unknown argument: $1 (try --help)" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done

deps_ensure bench
again=
[ ! -f "$build/build.ninja" ] || again=--reconfigure # lwIP may be there by now
meson setup $again "$build" "$here" --buildtype=release >&2
ninja -C "$build" bench setup/netns >&2
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
"$build/setup/netns" run python3 "$here/test/bench/bench.py" "$build/test/bench" \
    "$build/setup/netns" $pairs $seconds "$@" >"$figures"
python3 "$here/test/bench/report.py" "$here/build/bench" <"$figures"
