"""Runs the cells of loss.sh, inside a lab that is its own, and keeps what each has given.

usage: loss.py PROGRAMS NETNS FOLDER REPEATS SECONDS [CELL]...

FOLDER/loss.json has what was measured so far, by cell; what is there is not measured again. With
CELLs, these only. A repeat is one transfer of ours and one of the kernel's, in turn, through a
router that is impaired by the same seed. Cells of the same path are measured together, their
transfers in turn, and have the kernel's in common.

Of a cell it has by who sends, "nstcp" and "kernel", the Mbit/s of each repeat, and under "in vain"
the segments that the peer has got twice, as its D-SACKs say; "ratio", the median of the repeats'
ratios. "spurious" is such segments alone, the sums of more and shorter transfers: one has but a few.
Where flows share a path, "nstcp" is the part of it that ours got beside one of the kernel's,
or Jain's index of eight of ours. "geometric mean" is that of the ratios of all cells with ours at
both ends. loss.png shows the ratios, where gnuplot is installed.
"""
import concurrent.futures
import json
import math
import os
import statistics
import subprocess
import sys

import gnuplot
from bench import Lab, log

# One bandwidth-delay product of 100 Mbit/s, in octets, for each millisecond of round trip.
BDP_MS = 12500
PATIENCE = 10  # seconds that a transfer may take longer than told
EIGHT = 8
PLOT = '''
set style histogram errorbars gap 1
set output "loss.png"
set title "Throughput over bad paths, nstcp to the kernel's TCP (the line: as the kernel)"
plot 1 with lines lc rgb "#888888" notitle, \\
     "loss.tsv" using 2:3:4:xtic(1) lc rgb "#3366aa" notitle
'''


def towards(host, stages):
    return ['--dir', host, *[word for name, value in stages.items()
                             for word in (f'--{name}', str(value))]]


def path(rtt_ms, rate='100mbit', queue=None, **more):
    """Arguments of `impair`: what goes to host2 is as bad as that, what comes back only late."""
    late = {'delay': f'{rtt_ms / 2:g}ms'}
    queue = BDP_MS * rtt_ms if queue is None else queue
    there = {'rate': rate, 'queue': f'{queue}b', **late, **more}
    return [*towards('host2', there), *towards('host1', late)]


OURS, THEIRS = ('nstcp', 'nstcp'), ('kernel', 'kernel')
CELLS = {
    'the kernel with itself, 1%, 20 ms': (path(20, loss='1%'), THEIRS),
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
}
BESIDE = {f'beside the kernel, {rtt} ms': path(rtt) for rtt in (20, 100)}
ALIKE = {f'{EIGHT} alike, {rtt} ms': path(rtt) for rtt in (20, 100)}
SPURIOUS = {f'spurious, {cell}': CELLS[cell][0] for cell in CELLS if cell.startswith('reordering')}


def impair(lab, options, seed):
    subprocess.run([lab.netns, 'impair', *options, '--seed', str(seed)], check=True,
                   stdout=subprocess.DEVNULL)


def impaired(lab):
    """How many packets to host2 met with what, since impair()."""
    said = subprocess.run([lab.netns, 'impair'], check=True, text=True, stdout=subprocess.PIPE)
    line = next(li for li in said.stdout.splitlines() if li.startswith('to host2:'))
    return {name: int(n) for n, name in (word.split() for word in line[9:].split(','))}


def check_impaired(options, counts):
    """Each stage has done something in one of the transfers: else its cell is another."""
    stages = {'lost': '--loss' in options, 'late': '--reorder' in options, 'mtu': '--mtu' in options,
              'queue': '0b' in options}
    for counter, wanted in stages.items():
        if wanted and not any(c[counter] for c in counts):
            raise RuntimeError(f'impair {" ".join(options)}: no packet is counted as {counter}')


def transfer(lab, client, server, seconds, conns=1):
    """What the client said; None when the transfer did not end."""
    try:
        c, _ = lab.measure('bulk', client, server, '-a', seconds, '-n', conns,
                           patience=seconds + PATIENCE)
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        log(f'  {client} to {server}: {e}')
        return None
    return c


def mbit(c):
    return c['octets'] * 8 / c['seconds'] / 1e6 if c else 0


def cells(lab, options, ends, repeats, seconds):
    """By name what its transfers gave, of all the cells of a path; ends: by name whose they are."""
    all_ends = {**ends, None: THEIRS}
    got = {name: [] for name in all_ends}
    counts = []
    for seed in range(1, repeats + 1):
        for name, pair in all_ends.items():
            impair(lab, options, seed)
            got[name].append(transfer(lab, *pair, seconds))
            counts.append(impaired(lab))
    check_impaired(options, counts)
    return {name: compared(got[name], got[None]) for name in ends}


def compared(ours, kernels):
    by = {'nstcp': [mbit(c) for c in ours], 'kernel': [mbit(c) for c in kernels]}
    ratios = [a / b for a, b in zip(by['nstcp'], by['kernel']) if b]
    return {**by, 'in vain': {who: [c['twice'] if c else None for c in all_of]
                              for who, all_of in (('nstcp', ours), ('kernel', kernels))},
            'ratio': statistics.median(ratios) if ratios else None,
            'ratio_range': [min(ratios), max(ratios)] if ratios else None}


def beside(lab, options, repeats, seconds):
    """Our part of a path that one of ours and one of the kernel's share."""
    other = Lab(lab.programs, lab.netns, first_port=30000)
    parts = []
    for seed in range(1, repeats + 1):
        impair(lab, options, seed)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            ours = pool.submit(transfer, lab, *OURS, seconds)
            theirs = pool.submit(transfer, other, *THEIRS, seconds)
            ours, theirs = ours.result(), theirs.result()
        both = mbit(ours) + mbit(theirs)
        parts.append(mbit(ours) / both if ours and theirs else None)
    return {'nstcp': parts}


def jain(flows):
    return sum(flows) ** 2 / len(flows) / sum(x * x for x in flows)


def alike(lab, options, repeats, seconds):
    got = []
    for seed in range(1, repeats + 1):
        impair(lab, options, seed)
        c = transfer(lab, *OURS, seconds, EIGHT)
        got.append(jain(c['each']) if c else None)
    return {'nstcp': got}


def spurious(lab, options, repeats, seconds):
    """Twice as many transfers, a fifth as long."""
    short = cells(lab, options, {'': OURS}, 2 * repeats, seconds / 5)['']['in vain']
    return {who: None if None in twice else sum(twice) for who, twice in short.items()}


def measure(lab, names, repeats, seconds):
    """Of the first of them, and of those that are measured together with it."""
    name = names[0]
    for kind, how in ((SPURIOUS, spurious), (BESIDE, beside), (ALIKE, alike)):
        if name in kind:
            return {name: how(lab, kind[name], repeats, seconds)}
    options = CELLS[name][0]
    ends = {n: CELLS[n][1] for n in names if n in CELLS and CELLS[n][0] == options}
    return cells(lab, options, ends, repeats, seconds)


def known(values):
    return [v for v in values if v is not None]


def median(values):
    return f'{statistics.median(known(values)):8.2f}' if known(values) else f'{"-":>8}'


def low_high(values):
    return f'[{min(known(values)):.2f}-{max(known(values)):.2f}]' if known(values) else '[-]'


def show(name, r):
    if name in CELLS:
        ratio = '     none of the kernel\'s ended' if r['ratio'] is None else \
            f'{r["ratio"]:5.2f} [{r["ratio_range"][0]:.2f}-{r["ratio_range"][1]:.2f}]'
        print(f'{name:36}{median(r["nstcp"])}{median(r["kernel"])} Mbit/s {ratio:22} in vain'
              f'{median(r["in vain"]["nstcp"])}{median(r["in vain"]["kernel"])}', flush=True)
    elif name in SPURIOUS:
        print(f'{name:36}{r["nstcp"]!s:>8}{r["kernel"]!s:>8} segments', flush=True)
    else:
        print(f'{name:36}{"part" if name in BESIDE else "Jain"}{median(r["nstcp"])} '
              f'{low_high(r["nstcp"])}', flush=True)


def ratios(results):
    return {name: results[name] for name in CELLS
            if CELLS[name][1] == OURS and results.get(name, {}).get('ratio') is not None}


def geometric_mean(results):
    """0 when one of them is; None when there is none."""
    found = [r['ratio'] for r in ratios(results).values()]
    return math.prod(found) ** (1 / len(found)) if found else None


def plot(folder, results):
    gnuplot.write(folder, 'loss', ([name, r['ratio'], *r['ratio_range']]
                                   for name, r in ratios(results).items()))
    gnuplot.draw(folder, PLOT)


def main():
    programs, netns, folder, repeats, seconds, *wanted = sys.argv[1:]
    names = [*CELLS, *SPURIOUS, *BESIDE, *ALIKE]
    for name in wanted:
        if name not in names:
            sys.exit(f'loss.py: no such cell: {name}; there are: {"; ".join(names)}')
    os.makedirs(folder, exist_ok=True)
    file = os.path.join(folder, 'loss.json')
    results = json.load(open(file, encoding='utf-8')) if os.path.exists(file) else {}
    lab = Lab(programs, netns)
    wanted = wanted or names
    for name in wanted:
        if name not in results:
            todo = [n for n in wanted if n not in results]
            results.update(measure(lab, todo, int(repeats), float(seconds)))
            results['geometric mean'] = geometric_mean(results)
            with open(file, 'w', encoding='utf-8') as f:
                json.dump(results, f, indent=1)
        show(name, results[name])
    if ratios(results):
        print(f'{"geometric mean":36}{results["geometric mean"]:8.2f}')
        plot(folder, results)


main()
