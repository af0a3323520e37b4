# What the project needs from Debian, found by name and by pkg-config. Sourced by the scripts, never
# run. Everything it says goes to stderr.
#
# deps_ensure build        what it takes to build
# deps_ensure test         and what it takes to run the whole test suite
# deps_ensure bench        what it takes to build and to measure
#
# Missing packages are installed when we are root; otherwise they are named in one line, and the
# answer is 1.

deps_build='cc:gcc ld:binutils meson:meson ninja:ninja-build pkg-config:pkg-config'
deps_build_libs='libmnl:libmnl-dev libnftnl:libnftnl-dev'
deps_test='clang:clang clang-format:clang-format nc:netcat-openbsd nft:nftables ip:iproute2
           ping:iputils-ping python3:python3 setpriv:util-linux strace:strace tcpdump:tcpdump
           git:git nm:binutils tshark:tshark'
deps_test_libs='cmocka:libcmocka-dev'
deps_bench='python3:python3 ethtool:ethtool gnuplot:gnuplot-nox'
deps_bench_libs='lwip:liblwip-dev'

# Prints the packages that are missing for $1.
deps_missing() {
    deps_commands=$deps_build deps_libs=$deps_build_libs
    if [ "$1" = test ]; then
        deps_commands="$deps_commands $deps_test" deps_libs="$deps_libs $deps_test_libs"
    fi
    if [ "$1" = bench ]; then
        deps_commands="$deps_commands $deps_bench" deps_libs="$deps_libs $deps_bench_libs"
    fi
    for dep in $deps_commands; do
        PATH=$PATH:/usr/sbin:/sbin command -v "${dep%%:*}" >/dev/null 2>&1 || echo "${dep##*:}"
    done
    [ -e /usr/include/stdio.h ] || echo libc6-dev
    for dep in $deps_libs; do
        pkg-config --exists "${dep%%:*}" 2>/dev/null || echo "${dep##*:}"
    done
    if [ "$1" = test ]; then
        [ -e /etc/services ] || echo netbase
        deps_probe=$(mktemp -d) || return
        printf 'int main(void){return 0;}' >"$deps_probe/probe.c"
        clang -fsanitize=address,undefined -o "$deps_probe/probe" "$deps_probe/probe.c" \
            >/dev/null 2>&1 || echo libclang-rt-14-dev
        rm -rf "$deps_probe"
    fi
}

deps_ensure() {
    missing=$(deps_missing "$1" | sort -u | tr '\n' ' ')
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
        echo "${0##*/}: missing: ${missing}- install with: apt-get install ${missing% }" >&2
        return 1
    fi
    echo "${0##*/}: installing ${missing% }" >&2
    # shellcheck disable=SC2086  # a list of words
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
        --no-install-recommends $missing; } </dev/null >&2 || {
        echo "${0##*/}: apt-get could not install: ${missing% }" >&2
        return 1
    }
    still=$(deps_missing "$1" | sort -u | tr '\n' ' ')
    [ -z "$still" ] || { echo "${0##*/}: still missing after apt-get: ${still% }" >&2; return 1; }
}
