"""`meson install`, and programs outside of the tree that are built against it by pkg-config: README's,
shared and static, and one in C++. Run in a private lab, against nc."""
import os
import re
import shutil
import subprocess
import tempfile

from lab import NETNS, check

ROOT, BUILD, SANITIZE = os.environ["ROOT"], os.environ["BUILD"], os.environ["SANITIZE"]
CC = os.environ["CC"].split()
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
FLAGS = [] if SANITIZE == "none" else [f"-fsanitize={SANITIZE}"]
CXX_PROGRAM = """
#include <nstcp.h>
#include <nstcp.h>
int main()
{
    nstcp *stack;
    nstcp_options options = nstcp_options();
    options.msl_ms = 1000;
    char why[NSTCP_WHY_MAX];
    if (nstcp_create(&stack, &options, why) < 0)
        return 1;
    int sock = nstcp_socket(stack, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    return nstcp_close(stack, sock) < 0 || nstcp_destroy(stack, 1000) < 0;
}
"""
# README's client sends "hello" and prints what nc sends.
TALK = """
set -e
exec_in() { node=$1; shift; "$NETNS" exec "$node" "$@"; }
printf 'welcome\\n' | exec_in host2 timeout 20 nc -N -l 10.0.1.1 40000 >"$1.heard" &
until [ -n "$(exec_in host2 ss -Hltn 'sport = 40000')" ]; do sleep 0.02; done
exec_in host1 timeout 20 "$1"
wait $!
cat "$1.heard"
"""


def run(*argv, **env):
    """What it prints; it must succeed."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env={**os.environ, **env})
    check(done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed:
    """What was installed into a folder, by DESTDIR."""

    def __init__(self, folder):
        run(os.environ["MESON"], "install", "-C", BUILD, "--no-rebuild", "--destdir", folder)
        self.files = sorted(os.path.join(path, name)
                            for path, _, names in os.walk(folder) for name in names)
        self.library = self.find("libnstcp.so.0")
        self.archive = self.find("libnstcp.a")
        self.header = self.find("nstcp.h")
        self.pc = self.find("nstcp.pc")
        self.prefix = os.path.dirname(os.path.dirname(self.header))

    def find(self, name):
        found = [file for file in self.files if os.path.basename(file) == name]
        check(len(found) == 1, f"{name}: {found}")
        return found[0]

    def pkg_config(self, *options):
        """As if the prefix were where the files are."""
        return run("pkg-config", *options, f"--define-variable=prefix={self.prefix}", "nstcp",
                   PKG_CONFIG_PATH=os.path.dirname(self.pc)).split()


def check_files(installed):
    """Nothing else is installed, and the shared library has what the header declares."""
    names = [os.path.basename(file) for file in installed.files]
    check(names == ["nstcp.h", "libnstcp.a", "libnstcp.so", "libnstcp.so.0", "nstcp.pc"], f"{names}")
    with open(installed.header, encoding="utf-8") as file:
        declared = set(re.findall(r"^[a-z][\w ]*[ *](nstcp_\w+)\(", file.read(), re.M))
    check(len(declared) > 15, f"{declared}")
    exported = set(run("nm", "-D", "--defined-only", "--format=just-symbols",
                       installed.library).split())
    check(exported == declared, f"exported or declared only: {exported ^ declared}")
    if SANITIZE == "none":  # which keeps data of its own
        data = [line for line in run("nm", "--format=sysv", installed.library).splitlines()
                if re.search(r"\|\.(data|bss|tdata|tbss)$", line.replace(" ", ""))
                and not re.match(r"__|completed\.", line)]  # the C runtime's
        check(data == [], f"mutable globals: {data}")


def readme_program(folder):
    """README's program, exactly as printed."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        programs = [text for text in re.findall(r"^```c\n(.*?)^```$", file.read(), re.M | re.S)
                    if "int main(" in text]
    check(len(programs) == 1, f"{len(programs)} programs in README")
    path = os.path.join(folder, "readme.c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(programs[0])
    return path


def talks(program):
    said = run(NETNS, "run", "sh", "-c", TALK, "sh", program)
    check(said == "welcome\nhello\n", f"{program}: {said!r}")


def links_to_us(program):
    return "libnstcp" in run("ldd", program)


def test_shared(installed, folder):
    program = os.path.join(folder, "shared")
    run(*CC, *FLAGS, *STRICT, "-o", program, readme_program(folder),
        *installed.pkg_config("--cflags", "--libs"),
        "-Wl,-rpath," + os.path.dirname(installed.library))
    check(links_to_us(program), "it is not the shared library")
    talks(program)


def test_static(installed, folder):
    """The archive is all that is needed besides the libraries that nstcp.pc names, and a program may
    have functions with the names of ours."""
    program, own = os.path.join(folder, "static"), os.path.join(folder, "own.c")
    with open(own, "w", encoding="utf-8") as file:
        file.write("void heap_init(void);\nvoid heap_init(void)\n{\n    __builtin_trap();\n}\n")
    check("heap_init" in run("nm", installed.archive), "there is no heap_init")
    libs = [installed.archive if word == "-lnstcp" else word
            for word in installed.pkg_config("--static", "--libs")]
    check(installed.archive in libs and "-lmnl" in libs and "-lnftnl" in libs, f"{libs}")
    run(*CC, *FLAGS, *STRICT, "-o", program, readme_program(folder), own,
        *installed.pkg_config("--cflags"), *libs)
    check(not links_to_us(program), "it is the shared library")
    talks(program)


def test_languages(installed, folder):
    """The header alone, in older and in strict C, and in C++ (without its library: linked as C)."""
    cflags = installed.pkg_config("--cflags")
    empty = os.path.join(folder, "empty.c")
    with open(empty, "w", encoding="utf-8") as file:
        file.write("#include <nstcp.h>\nint main(void) { return 0; }\n")
    for std in ("c99", "c11", "gnu17"):
        run(*CC, f"-std={std}", *STRICT, "-fsyntax-only", empty, *cflags)
    cxx = next(filter(shutil.which, ("clang++", "g++") if "clang" in CC[0] else ("g++", "clang++")))
    source, program = os.path.join(folder, "cxx.cc"), os.path.join(folder, "cxx")
    with open(source, "w", encoding="utf-8") as file:
        file.write(CXX_PROGRAM)
    for std in ("c++11", "c++20"):
        run(cxx, f"-std={std}", "-fno-exceptions", "-fno-rtti", *STRICT, "-c", source, "-o",
            program + ".o", *cflags)
    run(*CC, *FLAGS, "-o", program, program + ".o", *installed.pkg_config("--libs"),
        "-Wl,-rpath," + os.path.dirname(installed.library))
    run(NETNS, "run", NETNS, "exec", "host1", program)


with tempfile.TemporaryDirectory() as temporary:
    there = Installed(os.path.join(temporary, "there"))
    check_files(there)
    for test in (test_shared, test_static, test_languages):
        test(there, temporary)
