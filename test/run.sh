#!/bin/sh
# The whole test suite, on a machine that may never have seen the project: installs what is missing,
# builds, tests. By default every suite with gcc; unit, sim, runtime and book once more under clang's
# address and undefined-behaviour sanitizers, runtime and some of interop under its thread sanitizer.
# --full: every suite under each. Left to the user are mutants, which takes most of an hour, and soak,
# which goes on for as long as told. Ends with meson's own summaries, the time each suite took, how many
# of the RFCs' requirements are tested, and "N passed, N failed".
#
# Exit status: 0 all passed, 1 something failed, 2 usage.

set -u
cd "$(dirname "$0")/.." || exit 1
. setup/deps.sh

full=
case "${1-}" in
'') ;;
--full) full=1 ;;
--help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) echo "run.sh: unknown argument: $1 (try --help)" >&2; exit 2 ;;
esac

deps_ensure test || exit 1
PATH=$PATH:/usr/sbin:/sbin

passed=0 failed=0 times=''

# build DIR CC MESON-OPTIONS...
build() {
    dir=$1 cc=$2
    shift 2
    # Anew also where there is a build: it may be older than the libraries that the tests need.
    again=
    [ ! -f "$dir/build.ninja" ] || again=--reconfigure
    # shellcheck disable=SC2086  # nothing, or one word
    CC=$cc meson setup $again "$dir" -Dwerror=true "$@" >"$dir.log" 2>&1 || {
        cat "$dir.log"
        rm -f "$dir.log"
        return 1
    }
    rm -f "$dir.log"
    ninja -C "$dir" >"$dir/build.log" 2>&1 || { cat "$dir/build.log"; return 1; }
}

# count DIR WORDS: the sum of these lines of meson's summary.
count() {
    awk -F: -v words="^($2)\$" '$1 ~ words { n += $2 } END { print n + 0 }' "$1/suite.log"
}

# suite DIR NAME: runs one suite, adds up what meson counted.
suite() {
    began=$(date +%s)
    echo "==== $1: $2"
    $steady meson test -C "$1" --no-rebuild --suite "$2" --print-errorlogs \
        </dev/null >"$1/suite.log" 2>&1
    status=$?
    cat "$1/suite.log"
    cp "$1/meson-logs/testlog.json" "$1/ran-$2.json"
    ok=$(count "$1" 'Ok')
    bad=$(count "$1" 'Fail|Unexpected Pass|Timeout')
    # A run that printed no count, or failed without counting a failure, is itself a failure.
    [ $((ok + bad)) -gt 0 ] || bad=1
    [ $status -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + ok)) failed=$((failed + bad))
    times="$times$(printf '%6d s  %-12s %s\n' $(($(date +%s) - began)) "$1" "$2")
"
}

# suites_of DIR: the names of its suites, but for those that take most of an hour, or as long as told.
suites_of() {
    meson introspect --tests "$1" |
        python3 -c 'import json, sys
names = {s.split(":")[-1] for test in json.load(sys.stdin) for s in test["suite"]}
print(*sorted(names - {"mutants", "soak", "threads"}))'
}

variant() { # variant SUITES|all DIR CC MESON-OPTIONS...
    wanted=$1 dir=$2
    shift
    rm -f "$dir"/ran-*.json
    if ! build "$@"; then
        echo "run.sh: $dir: the build failed"
        failed=$((failed + 1))
        return
    fi
    [ "$wanted" = all ] && wanted=$(suites_of "$dir")
    if [ -z "$wanted" ]; then
        echo "run.sh: $dir: there are no tests"
        failed=$((failed + 1))
    fi
    for s in $wanted; do
        suite "$dir" "$s"
    done
}

sanitized='unit sim runtime book' threaded='runtime threads'
[ -n "$full" ] && sanitized=all threaded=all

steady=
variant all build gcc
# Where the kernel spreads memory over more bits than a sanitizer of this age can take
# (vm.mmap_rnd_bits above 28), its programs would not start.
! setarch -R true 2>/dev/null || steady='setarch -R'
variant "$sanitized" build-asan clang -Db_sanitize=address,undefined -Db_lundef=false
variant "$threaded" build-tsan clang -Db_sanitize=thread -Db_lundef=false

echo
printf '%s' "$times"
# A test that a requirement rests on and that has not run is a failure as well.
python3 test/rfc/requirements.py build/ran-*.json || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
