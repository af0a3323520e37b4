#!/usr/bin/env python3
"""Plays packetdrill's scripts against a shared object, without packetdrill.

    play.py [--so FILE] [--preload FILE | --no-preload] [--commands run|skip|refuse] [--so_flags FLAGS]
            [--families] [packetdrill's options] SCRIPT|DIRECTORY...

Prints PASS or FAIL for each script, and why; a directory stands for all scripts in it. The verdict is
packetdrill's, with three things added: TCP checksums are verified, a packet that will never come is
told as that, and what the player has no notion of (UDP, encapsulation, ancillary data) is an error.

Commands, in backticks, are run by the shell in a network namespace of the script's own, so that what
they set ends with it; or skipped; or a script that has some fails.

--families: each script over IPv4, over IPv4 by an IPv6 socket, and over IPv6, there with an MTU larger
by as much as the headers are, so that segments are of one size. One that says which, only so.

Status 0: all passed. 1: some failed. 2: usage.
"""
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from player import namespace  # noqa: E402
from player.config import Config  # noqa: E402
from player.errors import Failure, ScriptError  # noqa: E402
from player.lexer import strip_options  # noqa: E402
from player.parser import parse  # noqa: E402
from player.runner import Runner  # noqa: E402
from player.table import Table  # noqa: E402

BUILT = os.path.join(HERE, '../../build/test/packetdrill')
PATIENCE_S = 60  # of real time, for one script
FAMILIES = ('ipv4', 'ipv4-mapped-ipv6', 'ipv6')
IPV6_MTU = 1520


def usage(message):
    print(f'play.py: {message}\n{__doc__}', file=sys.stderr)
    sys.exit(2)


class Arguments:
    def __init__(self, argv):
        self.so = os.path.join(BUILT, 'libnstcp_packetdrill.so')
        self.preload = os.path.join(BUILT, 'libnstcp_packetdrill_preload.so')
        self.commands = 'run'
        self.options = []  # packetdrill's
        self.families = False
        self.scripts = []
        argv = list(argv)
        while argv:
            self.take(argv.pop(0), argv)
        if not self.scripts:
            usage('no script')

    def take(self, arg, rest):
        name, equals, value = arg.partition('=')
        if arg in ('-h', '--help'):
            print(__doc__)
            sys.exit(0)
        if arg == '-v':
            self.options.append(('verbose', None))
        elif arg == '--no-preload':
            self.preload = None
        elif arg == '--families':
            self.families = True
        elif name in ('--so', '--preload', '--commands', '-D'):
            value = value if equals else rest.pop(0) if rest else usage(f'{name} of what?')
            self.set(name.lstrip('-'), value)
        elif arg.startswith('--'):
            self.options.append((name[2:], value if equals else None))
        elif os.path.isdir(arg):
            found = [os.path.join(path, f) for path, _, files in os.walk(arg) for f in files]
            self.scripts += sorted(f for f in found if f.endswith('.pkt'))
        else:
            self.scripts.append(arg)

    def set(self, name, value):
        if name == 'D':
            self.options.append(('define', value))
        elif name == 'commands' and value not in ('run', 'skip', 'refuse'):
            usage(f'--commands {value}')
        else:
            setattr(self, name, value)


def read(path):
    """The options at its beginning, and the script."""
    with open(path, encoding='utf-8') as f:
        return strip_options(f.read())


def families_of(path, args):
    """Those that it is to be played in; None: as it says, or IPv4."""
    if not args.families:
        return (None,)
    try:
        options, _ = read(path)
    except ScriptError:  # play() will say so
        return (None,)
    return (None,) if 'ip_version' in dict(options) else FAMILIES


def play(path, args, family):
    options, text = read(path)
    config = Config()
    for name, value in options + args.options:
        config.set(name, value)
    if family:
        config.set('ip_version', family)
    if family == 'ipv6' and 'mtu=' not in (config.so_flags or ''):
        config.so_flags = ','.join(filter(None, (config.so_flags, f'mtu={IPV6_MTU}')))
    config.finish()
    script = parse(text, config.define, path)
    if script.commands():
        if args.commands == 'refuse':
            raise ScriptError(f'{path}: commands are refused: {script.commands()[0]}')
        if args.commands == 'run':
            namespace.enter()
    table = Table(args.so, config.so_flags, args.preload)
    Runner(script, config, table, path, args.commands).play()


def play_in_child(path, args, family):
    """One process for each script: one that fails leaves a thread in a call. Whether it passed."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE_S)
        status = 1
        try:
            play(path, args, family)
            status = 0
        except (Failure, ScriptError, OSError) as e:
            print(str(e), file=sys.stderr)
        except Exception:  # the player's own fault
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        what = signal.Signals(os.WTERMSIG(status)).name
        print(f'{path}: ended by {what}', file=sys.stderr, flush=True)
    return status == 0


def main():
    args = Arguments(sys.argv[1:])
    played = failed = 0
    for path in args.scripts:
        for family in families_of(path, args):
            begin = time.monotonic()
            ok = play_in_child(path, args, family)
            played += 1
            failed += not ok
            print(f'{"PASS" if ok else "FAIL"} {path} {family + " " if family else ""}'
                  f'({time.monotonic() - begin:.2f} s)', flush=True)
    print(f'{played - failed} passed, {failed} failed')
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
