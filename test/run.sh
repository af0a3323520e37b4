#!/bin/sh
# The whole test suite, on a machine that may never have seen the project: installs what is missing,
# builds, tests. By default every suite with gcc; unit, sim, runtime and book once more under clang's
# address and undefined-behaviour sanitizers, runtime and some of interop under its thread sanitizer.
# --full: every suite under each. Left to the user are mutants, which takes most of an hour, and soak,
# which goes on for as long as told. Ends with meson's own summaries, the time each took, how many of the
# RFCs' requirements are tested, and "N passed, N failed".
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

# configure DIR CC MESON-OPTIONS...
configure() {
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
}

# count DIR WORDS: the sum of these lines of meson's summary.
count() {
    awk -F: -v words="^($2)\$" '$1 ~ words { n += $2 } END { print n + 0 }' "$1/run.log"
}

# tests DIR SUITES: runs them, adds up what meson counted. Many wait for a network's time most of
# theirs: one more at once than there are processors.
tests() {
    dir=$1
    shift
    echo "==== $dir: $*"
    # shellcheck disable=SC2046,SC2086  # words
    $steady meson test -C "$dir" --no-rebuild --num-processes $(($(nproc) + 1)) --print-errorlogs \
        $(printf -- ' --suite %s' "$@") </dev/null >"$dir/run.log" 2>&1
    status=$?
    cat "$dir/run.log"
    ok=$(count "$dir" 'Ok')
    bad=$(count "$dir" 'Fail|Unexpected Pass|Timeout')
    # A run that printed no count, or failed without counting a failure, is itself a failure.
    [ $((ok + bad)) -gt 0 ] || bad=1
    [ $status -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + ok)) failed=$((failed + bad))
}

# suites_of DIR BUT-THESE...: the names of its suites.
suites_of() {
    dir=$1
    shift
    meson introspect --tests "$dir" |
        python3 -c 'import json, sys
names = {s.split(":")[-1] for test in json.load(sys.stdin) for s in test["suite"]}
print(*sorted(names - set(sys.argv[1:])))' "$@"
}

# needed_by DIR SUITES: the files that their tests need to be built.
needed_by() {
    python3 -c 'import json, os, sys
def info(what):
    with open(f"{sys.argv[1]}/meson-info/intro-{what}.json", encoding="utf-8") as f:
        return json.load(f)
files = {t["id"]: t["filename"] for t in info("targets")}
print(*{os.path.relpath(name, sys.argv[1]) for t in info("tests") for s in t["suite"]
        if s.split(":")[-1] in sys.argv[2:] for target in t["depends"] for name in files[target]})' "$@"
}

# variant all|SUITES everything|needed DIR CC MESON-OPTIONS...: builds everything, or what the suites
# need, and runs them.
variant() {
    wanted=$1 what=$2 dir=$3 began=$(date +%s) targets=
    shift 2
    rm -f "$dir/build.log" "$dir/meson-logs/testlog.json"
    # shellcheck disable=SC2086  # words
    if ! { configure "$@" &&
        { [ "$what" = everything ] || targets=$(needed_by "$dir" $wanted); } &&
        ninja -C "$dir" $targets >"$dir/build.log" 2>&1; }; then
        [ ! -f "$dir/build.log" ] || cat "$dir/build.log"
        echo "run.sh: $dir: the build failed"
        failed=$((failed + 1))
        return
    fi
    built=$(date +%s)
    # Not those that take most of an hour, or as long as told; and threads are some of the others.
    [ "$wanted" = all ] && wanted=$(suites_of "$dir" mutants soak threads)
    known=$(suites_of "$dir")
    for s in $wanted; do
        case " $known " in *" $s "*) continue ;; esac
        echo "run.sh: $dir: there is no suite $s"
        failed=$((failed + 1))
    done
    if [ -z "$wanted" ]; then
        echo "run.sh: $dir: there are no tests"
        failed=$((failed + 1))
    else
        # shellcheck disable=SC2086  # words
        tests "$dir" $wanted
    fi
    times="$times$(printf '%-12s built in %d s, tested in %d s' "$dir" $((built - began)) \
        $(($(date +%s) - built)))
"
}

sanitized='unit sim runtime book' threaded='runtime threads'
threaded_needs=needed
[ -n "$full" ] && sanitized=all threaded=all threaded_needs=everything

steady=
variant all everything build gcc
# Where the kernel spreads memory over more bits than a sanitizer of this age can take
# (vm.mmap_rnd_bits above 28), its programs would not start.
! setarch -R true 2>/dev/null || steady='setarch -R'
variant "$sanitized" everything build-asan clang -Db_sanitize=address,undefined -Db_lundef=false
variant "$threaded" "$threaded_needs" build-tsan clang -Db_sanitize=thread -Db_lundef=false

echo
printf '%s' "$times"
# A test that a requirement rests on and that has not run is a failure as well.
python3 test/rfc/requirements.py build/meson-logs/testlog.json || failed=$((failed + 1))
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
