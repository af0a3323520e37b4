"""Runs the measurements, inside a lab that is its own, and prints the figures as JSON.

usage: bench.py PROGRAMS NETNS PAIRS SECONDS [KEY]...

PROGRAMS is the folder with bench and engine, and where lwIP is installed bench_lwip and engine_lwip;
PAIRS, how often each measurement is made, all that are compared in turn (A B A B ...); SECONDS, how
long one lasts. With KEYs, these only.

A figure is a list of what each turn gave: {"bulk": {"nstcp": [41.2, ...], "kernel": [...]}, ...}.
The client's end has processor 0, the server's processor 1, whoever's TCP it is.
"""
import json
import os
import subprocess
import sys

SERVER = {'kernel': '10.0.1.1', 'nstcp': '10.0.1.1', 'lwip': '10.0.1.2'}
DEVICES = {'host1': ['host1-veth1'], 'host2': ['host2-veth1'],
           'router': ['router-veth1', 'router-veth2']}
OFFLOADS = {'tx-checksumming': 'tx', 'rx-checksumming': 'rx', 'tcp-segmentation-offload': 'tso',
            'generic-segmentation-offload': 'gso', 'generic-receive-offload': 'gro'}


def log(text):
    print(text, file=sys.stderr, flush=True)


def pin(cpu):
    """The processes started from here on run on this processor, where there is more than one."""
    return (lambda: os.sched_setaffinity(0, {cpu})) if cpu in os.sched_getaffinity(0) else None


class Lab:
    def __init__(self, programs, netns, first_port=20000):
        self.programs, self.netns = programs, netns
        self.port = first_port
        lwip = ['lwip'] if os.path.exists(self.program('engine', 'lwip')) else []
        self.all = ['nstcp', 'kernel', *lwip]
        self.engines = ['nstcp', *lwip]

    def program(self, name, who):
        return os.path.join(self.programs, f'{name}_lwip' if who == 'lwip' else name)

    def on(self, host, *command, cpu=None, **more):
        return subprocess.Popen([self.netns, 'exec', host, *command], text=True,
                                preexec_fn=None if cpu is None else pin(cpu),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **more)

    def measure(self, kind, client, server, *args, patience=120):
        """One measurement: what the client has printed, and what the server. Seconds of patience."""
        self.port += 64 if kind == 'cps' else 1
        args = [SERVER[server], str(self.port), *map(str, args)]
        s = self.on('host2', self.program('bench', server), server, kind, 'serve', *args, cpu=1,
                    stderr=subprocess.PIPE)
        try:
            for line in s.stderr:
                if line == 'listening\n':
                    break
                log(f'{kind}: {server}: {line.strip()}')
            c = self.on('host1', self.program('bench', client), client, kind, 'ask', *args, cpu=0)
            out = c.communicate(timeout=patience)[0]
            if c.returncode != 0:
                raise RuntimeError(f'{kind}: the client ({client}) failed')
            said = s.communicate(timeout=20)[0]
            if s.returncode != 0:
                raise RuntimeError(f'{kind}: the server ({server}) failed')
            return json.loads(out or '{}'), json.loads(said or '{}')
        finally:
            s.kill()
            s.wait()

    def engine(self, who, kind, *args):
        command = [self.program('engine', who), kind, *map(str, args)]
        run = subprocess.run(command, text=True, preexec_fn=pin(0), check=True,
                             stdout=subprocess.PIPE)
        return json.loads(run.stdout)

    def set_offloads(self, host, device, wanted):
        words = [word for name, on in wanted.items() for word in (name, on)]
        if self.on(host, 'ethtool', '-K', device, *words).wait() != 0:
            raise RuntimeError(f'ethtool -K {device} failed')

    def offloads_off(self):
        """Of every device. What they were before, for set_offloads()."""
        before = []
        for host, devices in DEVICES.items():
            for device in devices:
                features = self.on(host, 'ethtool', '-k', device).communicate()[0]
                was = {}
                for line in features.splitlines():
                    name, _, value = line.partition(': ')
                    if name in OFFLOADS and value:
                        was[OFFLOADS[name]] = value.split()[0]
                before.append((host, device, was))
                self.set_offloads(host, device, dict.fromkeys(was, 'off'))
        return before


class Results(dict):
    def add(self, key, who, figure):
        at = self
        for part in key.split():
            at = at.setdefault(part, {})
        at.setdefault(who, []).append(figure)


def throughput(lab, into, key, who, kind, client, server, *args):
    """Returns the figure, Gbit/s."""
    c, s = lab.measure(kind, client, server, *args)
    gbit = c['octets'] * 8 / c['seconds'] / 1e9
    log(f'{key:16} {who:14} {gbit:8.2f} Gbit/s')
    into.add(key, who, gbit)
    into.add(f'{key} cpu', who, (c['cpu_s'] + s['cpu_s']) / (c['octets'] / 1e9))
    return gbit


def bulk(lab, into, seconds):
    figure = {who: throughput(lab, into, 'bulk', who, 'bulk', who, who, '-a', seconds)
              for who in lab.all}
    throughput(lab, into, 'bulk_zerocopy', 'nstcp', 'bulk', 'nstcp', 'nstcp', '-a', seconds, '-z')
    into.add('bulk_zerocopy', 'kernel', figure['kernel'])
    throughput(lab, into, 'raw', 'raw', 'raw', 'kernel', 'kernel', '-a', seconds)


def bulk_nooffload(lab, into, seconds):
    before = lab.offloads_off()
    for who in lab.all:
        throughput(lab, into, 'bulk_nooffload', who, 'bulk', who, who, '-a', seconds)
    for device in before:
        lab.set_offloads(*device)


def bulk_mixed(lab, into, seconds):
    for key, client, server in (('bulk_to_kernel', 'nstcp', 'kernel'),
                                ('bulk_from_kernel', 'kernel', 'nstcp')):
        throughput(lab, into, key, 'nstcp', 'bulk', client, server, '-a', seconds)
        throughput(lab, into, key, 'kernel', 'bulk', 'kernel', 'kernel', '-a', seconds)


def bulk_16(lab, into, seconds):
    for who in lab.all:
        throughput(lab, into, 'bulk_16', who, 'bulk', who, who, '-a', seconds, '-n', 16)


def rtt(lab, into, seconds):
    for who in lab.all:
        for suffix, args in (('', []), ('_spin', ['-s'])) if who != 'nstcp' else (
                             ('', []), ('_sleep', ['-w'])):
            c, _ = lab.measure('rtt', who, who, '-a', int(15000 * seconds), *args)
            log(f'{"rtt":16} {who + suffix:14} {c["p50_us"]:8.2f} us, p99 {c["p99_us"]:.2f} us')
            into.add('rtt p50', who + suffix, c['p50_us'])
            into.add('rtt p99', who + suffix, c['p99_us'])


def rtt_1000(lab, into, seconds):
    for who in lab.all:
        c, _ = lab.measure('crowd', who, who, '-a', seconds, '-n', 1000)
        log(f'{"rtt_1000":16} {who:14} {c["per_s"]:8.0f} per second')
        into.add('rtt_1000', who, c['per_s'])


def cps(lab, into, seconds):
    for who in lab.all:
        for suffix, args in (('', []), ('_spin', ['-s'])) if who == 'lwip' else (('', []),):
            c, s = lab.measure('cps', who, who, '-a', seconds, *args)
            records = c['time_wait'] + s['time_wait']
            log(f'{"cps":16} {who + suffix:14} {c["per_s"]:8.0f} per second; of {c["conns"]} '
                f'{records} in TIME-WAIT, {s["reused"]} reused early')
            into.add('cps', who + suffix, c['per_s'])
            into.add('cps connections', who + suffix, c['conns'])
            into.add('cps time_wait', who + suffix, records)
            into.add('cps reused', who + suffix, s['reused'])


def idle(lab, into, seconds):
    for who in ('nstcp', 'kernel'):
        c, s = lab.measure('idle', who, who, '-a', 10 if seconds > 1 else 2)
        count = c['switches'] + s['switches']
        log(f'{"idle":16} {who:14} {count:8} context switches')
        into.add('idle', who, count)


def memory(lab, into, seconds):
    for who in lab.all:
        c, s = lab.measure('memory', who, who, '-n', 10000 if seconds > 1 else 1000)
        octets = (c['octets'] + s['octets']) / 2
        log(f'{"memory":16} {who:14} {octets:8.0f} octets')
        into.add('memory', who, octets)


def engine(lab, into, seconds):
    for kind in ('bulk', 'echo'):
        for who in lab.engines:
            ns = lab.engine(who, kind, seconds / 4)['ns']
            log(f'{"engine " + kind:16} {who:14} {ns:8.1f} ns')
            into.add(f'engine {kind}', who, ns)


def check(lab, _, seconds):
    """Every octet is looked at, where that would be the bottleneck of a measurement. (Echoes are
    compared where they are measured.)"""
    for client, server in (('nstcp', 'nstcp'), ('nstcp', 'kernel'), ('kernel', 'nstcp')):
        for args in ([], ['-n', 16]):
            lab.measure('bulk', client, server, '-a', seconds, '-k', *args)
    lab.measure('bulk', 'nstcp', 'nstcp', '-a', seconds, '-k', '-z')
    before = lab.offloads_off()
    lab.measure('bulk', 'nstcp', 'nstcp', '-a', seconds, '-k')
    for device in before:
        lab.set_offloads(*device)
    for kind in ('bulk', 'echo'):
        for who in lab.engines:
            lab.engine(who, kind, 0.2, '-k')
    log(f'{"check":16} all octets were right')


KEYS = {'bulk': bulk, 'bulk_nooffload': bulk_nooffload, 'bulk_mixed': bulk_mixed,
        'bulk_16': bulk_16, 'rtt': rtt, 'rtt_1000': rtt_1000, 'cps': cps, 'idle': idle,
        'memory': memory, 'engine': engine}
ONCE = {'check': check}


def main():
    programs, netns, pairs, seconds, *keys = sys.argv[1:]
    lab, results = Lab(programs, netns), Results()
    wanted = keys or [*KEYS, *ONCE]
    for _ in range(int(pairs)):
        for key in wanted:
            if key in KEYS:
                KEYS[key](lab, results, float(seconds))
    for key in wanted:
        if key in ONCE:
            ONCE[key](lab, results, 0.5)
    json.dump(results, sys.stdout)


if __name__ == '__main__':
    main()
