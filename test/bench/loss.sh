#!/bin/sh
# Measures nstcp beside the kernel's TCP (CUBIC) over bad paths: the same transfer, in turn, through a
# router that loses, delays, reorders or polices by the same seeds. CELLs: these only (loss.py has
# them). What was measured is kept in build/bench/loss.json and not measured again, so that it can
# be broken off and go on; --anew forgets it. Five repeats of 15 s for each cell take about an hour;
# --quick: one of 5 s.
#
# Exit status: 0 done, 1 failed, 2 usage.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
. "$here/setup/deps.sh"
build=$here/build-bench folder=$here/build/bench repeats=5 seconds=15

while [ $# -gt 0 ]; do
    case $1 in
    --quick) repeats=1 seconds=5 ;;
    --anew) rm -f "$folder/loss.json" ;;
    --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "bench/loss.sh: unknown argument: $1 (try --help)" >&2; exit 2 ;;
    *) break ;;
    esac
    shift
done

deps_ensure bench
[ -f "$build/build.ninja" ] || meson setup "$build" "$here" --buildtype=release >&2
ninja -C "$build" bench setup/netns >&2
exec "$build/setup/netns" run python3 "$here/test/bench/loss.py" "$build/test/bench" \
    "$build/setup/netns" "$folder" $repeats $seconds "$@"
