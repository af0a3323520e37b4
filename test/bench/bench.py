"""Runs the measurements, inside a lab that is its own, and prints the figures as JSON.

usage: bench.py BENCH NETNS PAIRS SECONDS [KEY]...

BENCH and NETNS are the programs; PAIRS, how often each measurement is made, all that are compared in
turn (A B A B ...); SECONDS, how long one lasts. With KEYs, these only.

A figure is a list of what each turn gave: {"bulk": {"nstcp": [41.2, ...], "kernel": [...]}, ...}.
The client's end has processor 0, the server's processor 1, whoever's TCP it is.
"""
import json
import os
import subprocess
import sys

SERVER = '10.0.1.1'
DEVICES = {'host1': ['host1-veth1'], 'host2': ['host2-veth1'],
           'router': ['router-veth1', 'router-veth2']}
OFFLOADS = ['tso', 'gso', 'gro', 'tx', 'rx']


def log(text):
    print(text, file=sys.stderr, flush=True)


class Lab:
    def __init__(self, bench, netns):
        self.bench, self.netns = bench, netns
        self.port = 20000
        self.turns = os.sched_getaffinity(0)

    def on(self, host, *command, cpu=None, **more):
        pin = None
        if cpu is not None and cpu in self.turns:
            pin = lambda: os.sched_setaffinity(0, {cpu})  # noqa: E731
        return subprocess.Popen([self.netns, 'exec', host, *command], preexec_fn=pin, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **more)

    def measure(self, kind, client, server, *args):
        """One measurement: what the client has printed, and what the server."""
        self.port += 64 if kind == 'cps' else 1
        args = [SERVER, str(self.port), *map(str, args)]
        s = self.on('host2', self.bench, server, kind, 'serve', *args, cpu=1,
                    stderr=subprocess.PIPE)
        try:
            for line in s.stderr:
                if line == 'listening\n':
                    break
                log(f'{kind}: {server}: {line.strip()}')
            c = self.on('host1', self.bench, client, kind, 'ask', *args, cpu=0)
            out = c.communicate(timeout=120)[0]
            if c.returncode != 0:
                raise RuntimeError(f'{kind}: the client ({client}) failed')
            said = s.communicate(timeout=20)[0]
            if s.returncode != 0:
                raise RuntimeError(f'{kind}: the server ({server}) failed')
            return json.loads(out or '{}'), json.loads(said or '{}')
        finally:
            s.kill()
            s.wait()

    def offloads(self, on):
        for host, devices in DEVICES.items():
            for device in devices:
                words = [w for o in OFFLOADS for w in (o, 'on' if on else 'off')]
                if self.on(host, 'ethtool', '-K', device, *words).wait() != 0:
                    raise RuntimeError(f'ethtool -K {device} failed')


class Results(dict):
    def add(self, key, who, figure):
        at = self
        for part in key.split():
            at = at.setdefault(part, {})
        at.setdefault(who, []).append(figure)


def throughput(lab, into, key, who, kind, client, server, *args):
    c, s = lab.measure(kind, client, server, *args)
    gbit = c['octets'] * 8 / c['seconds'] / 1e9
    log(f'{key:16} {who:14} {gbit:8.2f} Gbit/s')
    into.add(key, who, gbit)
    into.add(f'{key} cpu', who, (c['cpu_s'] + s['cpu_s']) / (c['octets'] / 1e9))


BOTH = ('nstcp', 'kernel')


def bulk(lab, into, seconds):
    for who in BOTH:
        throughput(lab, into, 'bulk', who, 'bulk', who, who, '-a', seconds)
    throughput(lab, into, 'raw', 'raw', 'raw', 'kernel', 'kernel', '-a', seconds)


def bulk_check(lab, _, seconds):
    for who in BOTH:
        lab.measure('bulk', who, who, '-a', seconds, '-k')
        lab.measure('bulk', who, who, '-a', seconds, '-k', '-n', 16)


def bulk_nooffload(lab, into, seconds):
    lab.offloads(False)
    for who in BOTH:
        throughput(lab, into, 'bulk_nooffload', who, 'bulk', who, who, '-a', seconds)
    lab.offloads(True)


def bulk_mixed(lab, into, seconds):
    for key, client, server in (('bulk_to_kernel', 'nstcp', 'kernel'),
                                ('bulk_from_kernel', 'kernel', 'nstcp')):
        throughput(lab, into, key, 'nstcp', 'bulk', client, server, '-a', seconds)
        throughput(lab, into, key, 'kernel', 'bulk', 'kernel', 'kernel', '-a', seconds)


def bulk_16(lab, into, seconds):
    for who in BOTH:
        throughput(lab, into, 'bulk_16', who, 'bulk', who, who, '-a', seconds, '-n', 16)


def rtt(lab, into, seconds):
    for name, who, args in (('nstcp', 'nstcp', []), ('nstcp_sleep', 'nstcp', ['-w']),
                            ('kernel', 'kernel', []), ('kernel_spin', 'kernel', ['-s'])):
        c, _ = lab.measure('rtt', who, who, '-a', 15000 * seconds, *args)
        log(f'{"rtt":16} {name:14} {c["p50_us"]:8.2f} us, p99 {c["p99_us"]:.2f} us')
        into.add('rtt p50', name, c['p50_us'])
        into.add('rtt p99', name, c['p99_us'])


def per_second(kind, key, *args):
    def run(lab, into, seconds):
        for who in BOTH:
            c, _ = lab.measure(kind, who, who, '-a', seconds, *args)
            log(f'{key:16} {who:14} {c["per_s"]:8.0f} per second')
            into.add(key, who, c['per_s'])
    return run


def idle(lab, into, seconds):
    for who in BOTH:
        c, s = lab.measure('idle', who, who, '-a', 10 if seconds > 1 else 2)
        count = c['switches'] + s['switches']
        log(f'{"idle":16} {who:14} {count:8} context switches')
        into.add('idle', who, count)


def memory(lab, into, seconds):
    for who in BOTH:
        c, s = lab.measure('memory', who, who, '-n', 10000 if seconds > 1 else 1000)
        octets = (c['octets'] + s['octets']) / 2
        log(f'{"memory":16} {who:14} {octets:8.0f} octets')
        into.add('memory', who, octets)


KEYS = {
    'bulk': bulk, 'bulk_nooffload': bulk_nooffload, 'bulk_mixed': bulk_mixed, 'bulk_16': bulk_16,
    'rtt': rtt, 'rtt_1000': per_second('crowd', 'rtt_1000', '-n', 1000),
    'cps': per_second('cps', 'cps'), 'idle': idle, 'memory': memory,
}
ONCE = {'bulk_check': bulk_check}


def main():
    bench, netns, pairs, seconds, *keys = sys.argv[1:]
    lab, results = Lab(bench, netns), Results()
    wanted = keys or [*KEYS, *ONCE]
    for _ in range(int(pairs)):
        for key in wanted:
            if key in KEYS:
                KEYS[key](lab, results, int(seconds))
    for key in wanted:
        if key in ONCE:
            ONCE[key](lab, results, int(seconds))
    json.dump(results, sys.stdout)


main()
