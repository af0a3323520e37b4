"""Runs the cells of loss.sh, inside a lab that is its own, and keeps what each has given.

usage: loss.py PROGRAMS NETNS FOLDER REPEATS SECONDS [CELL]...

FOLDER/loss.json has what was measured so far, by cell; what is there is not measured again. With
CELLs, these only. A repeat is one transfer of ours and one of the kernel's, in turn, through a
router that is impaired by the same seed.
"""
import json
import os
import statistics
import subprocess
import sys

from bench import Lab, log

# One bandwidth-delay product of 100 Mbit/s, in octets, for each millisecond of round trip.
BDP_MS = 12500


def path(rtt_ms, rate='100mbit', queue=None, **more):
    """Options of `impair`: what goes to host2 is as bad as that, what comes back only late."""
    there = {'rate': rate, 'queue': f'{queue or BDP_MS * rtt_ms}b', **more, 'delay': f'{rtt_ms / 2:g}ms'}
    return [*[word for name, value in there.items() for word in (f'--{name}', str(value))],
            '--dir', 'host2', '--delay', f'{rtt_ms / 2:g}ms', '--dir', 'host1']


OURS, THEIRS = ('nstcp', 'nstcp'), ('kernel', 'kernel')
CELLS = {
    **{f'loss {loss}%, {rtt} ms': (path(rtt, loss=f'{loss}%') if loss else path(rtt), OURS)
       for loss in (0, 0.1, 1, 3) for rtt in (20, 100)},
    'loss 1%, 1 ms, 1 Gbit/s': (path(1, rate='1gbit', queue=125000, loss='1%'), OURS),
    'reordering 1%, 20 ms': (path(20, reorder='1%,5ms'), OURS),
    'reordering 5%, 20 ms': (path(20, reorder='5%,5ms'), OURS),
    'bursts of 5, 1%, 20 ms': (path(20, loss='1%', burst=5), OURS),
    'black hole over 1400, 20 ms': (path(20, mtu='1400,silent'), OURS),
    'policer, 20 ms': (path(20, rate='100mbit,64kb', queue=0), OURS),
    'to the kernel, 1%, 20 ms': (path(20, loss='1%'), ('nstcp', 'kernel')),
    'from the kernel, 1%, 20 ms': (path(20, loss='1%'), ('kernel', 'nstcp')),
    'to the kernel, 0.1%, 100 ms': (path(100, loss='0.1%'), ('nstcp', 'kernel')),
    'from the kernel, 0.1%, 100 ms': (path(100, loss='0.1%'), ('kernel', 'nstcp')),
    'the kernel with itself, 1%, 20 ms': (path(20, loss='1%'), THEIRS),
}


def impair(lab, options, seed):
    subprocess.run([lab.netns, 'impair', *options, '--seed', str(seed)], check=True,
                   stdout=subprocess.DEVNULL)


def transfer(lab, client, server, seconds):
    """Mbit/s; 0 when the transfer did not end."""
    try:
        c, _ = lab.measure('bulk', client, server, '-a', seconds)
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        log(f'  {client} to {server}: {e}')
        return 0
    return c['octets'] * 8 / c['seconds'] / 1e6


def cell(lab, options, ends, repeats, seconds):
    got = {'nstcp': [], 'kernel': []}
    for seed in range(1, repeats + 1):
        for who, pair in (('nstcp', ends), ('kernel', THEIRS)):
            impair(lab, options, seed)
            got[who].append(transfer(lab, *pair, seconds))
    return got


def summed_up(got):
    ratios = [a / b for a, b in zip(got['nstcp'], got['kernel']) if b]
    ratio = statistics.median(ratios) if ratios else 0
    return {**got, 'ratio': ratio, 'ratio_range': [min(ratios, default=0), max(ratios, default=0)]}


def main():
    programs, netns, folder, repeats, seconds, *wanted = sys.argv[1:]
    for name in wanted:
        if name not in CELLS:
            sys.exit(f'loss.py: no such cell: {name}; there are: {"; ".join(CELLS)}')
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, 'loss.json')
    results = json.load(open(file, encoding='utf-8')) if os.path.exists(file) else {}
    lab = Lab(programs, netns)
    for name in wanted or CELLS:
        if name not in results:
            options, ends = CELLS[name]
            results[name] = summed_up(cell(lab, options, ends, int(repeats), float(seconds)))
            with open(file, 'w', encoding='utf-8') as f:
                json.dump(results, f, indent=1)
        r = results[name]
        print(f'{name:36} {statistics.median(r["nstcp"]):8.2f} {statistics.median(r["kernel"]):8.2f} '
              f'Mbit/s  {r["ratio"]:5.2f} [{r["ratio_range"][0]:.2f}-{r["ratio_range"][1]:.2f}]',
              flush=True)


main()
