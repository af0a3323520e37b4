"""Turns bench.py's figures into results.json, a table and plots.

usage: report.py FOLDER <FIGURES

results.json has, by key, the median of each who was measured, its range, and as "ratio" the median
of the turns' ratios, ours to the kernel's (null where the kernel's is 0); of the engine's times,
lwIP's to ours. "ratio_X" is the same of a way of ours that is called nstcp_X. Of "raw" the path's
own figure stands as nstcp beside the kernel's bulk; "of_raw" of bulk and bulk_zerocopy is our part
of it.

The plots are drawn by gnuplot where it is installed.
"""
import json
import os
import statistics
import sys

import gnuplot

UNITS = {'rtt': 'us', 'cpu': 's/GB', 'rtt_1000': '1/s', 'cps': '1/s', 'idle': 'switches',
         'memory': 'octets', 'engine': 'ns', 'connections': '', 'time_wait': '', 'reused': ''}
THROUGHPUT = 'Gbit/s'
WHO = ('nstcp', 'kernel', 'lwip')

PLOT = '''
set boxwidth 0.9 relative
set style histogram clustered gap 1.5
set key top right
'''
PLOT_RATIOS = '''
set output "ratios.png"
set title "nstcp to the kernel's TCP (the line: as the kernel; of times and memory, less is better)"
plot 1 with lines lc rgb "#888888" notitle, "ratios.tsv" using 2:xtic(1) lc rgb "#3366aa" notitle
'''
TITLES = {'throughput': 'Throughput, Gbit/s',
          'latency': 'Round trip of 64 octets, us (sleep, spin: how who waits does it)',
          'engine': 'A segment of 1460 octets through both ends, in memory, ns'}
COLOURS = {'nstcp': '#3366aa', 'kernel': '#aa6633', 'lwip': '#77aa55'}


def unit_of(key):
    words = key.split()
    return next((UNITS[w] for w in reversed(words) if w in UNITS), THROUGHPUT)


def ratio_of(ours, theirs):
    ratios = [a / b for a, b in zip(ours, theirs) if b]
    return (statistics.median(ratios), [min(ratios), max(ratios)]) if ratios else (None, None)


def row(key, figures):
    """One key's figures, summed up."""
    out = {}
    for who, values in figures.items():
        out[who] = statistics.median(values)
        out[f'{who}_range'] = [min(values), max(values)]
    of = figures.get('kernel')
    for who in [w for w in figures if w.split('_')[0] == 'nstcp' and of]:
        name = who.replace('nstcp', 'ratio')
        out[name], out[f'{name}_range'] = ratio_of(figures[who], of)
    if key.startswith('engine') and 'lwip' in figures:
        out['ratio'], out['ratio_range'] = ratio_of(figures['lwip'], figures['nstcp'])
    return out


def sum_up(figures, name=''):
    """Lists are figures; dicts among them are keys below this one."""
    here = {who: v for who, v in figures.items() if isinstance(v, list)}
    below = {key: sum_up(v, f'{name} {key}'.strip())
             for key, v in figures.items() if isinstance(v, dict)}
    return {**row(name, here), **below}


def beside_raw(figures):
    """The path's own throughput takes the place of ours; true figures of ours are in bulk. Returns
    our part of it, by key."""
    raw, bulk = figures.get('raw'), figures.get('bulk')
    if not raw or not bulk:
        return {}
    for part, ours in ((raw, bulk), (raw['cpu'], bulk['cpu'])):
        part['nstcp'], part['kernel'] = part.pop('raw'), ours['kernel']
    return {key: ratio_of(figures[key]['nstcp'], raw['nstcp'])
            for key in ('bulk', 'bulk_zerocopy')}


def rows(results, name=()):
    """Key and its row, of those that have figures."""
    for key, value in results.items():
        if isinstance(value, dict):
            if 'nstcp' in value:
                yield ' '.join((*name, key)), value
            yield from rows(value, (*name, key))


def cell(value, who):
    if value.get(who) is None:
        return ''
    low, high = value[f'{who}_range']
    digits = 0 if value[who] >= 1000 else 2
    return f'{value[who]:.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]'


def suffixes(value):
    """'' and what some were done with besides: '_spin'."""
    return sorted({w.removeprefix(who) for w in value for who in WHO
                   if w.startswith(who) and not w.endswith('_range')})


def table(results):
    print(f'{"":24}{"unit":>9}{"nstcp":>24}{"kernel":>24}{"lwIP":>24}{"ratio":>20}')
    for key, value in rows(results):
        for suffix in suffixes(value):
            cells = ''.join(f'{cell(value, who + suffix):>24}' for who in WHO)
            name = f'  {suffix[1:]}' if suffix else key
            print(f'{name:24}{unit_of(key):>9}{cells}{cell(value, "ratio" + suffix):>20}')


def plot(folder, results):
    lines = {'ratios': [], 'throughput': [], 'latency': [], 'engine': []}
    for key, value in rows(results):
        unit, label = unit_of(key), key.replace('_', ' ')
        for suffix in suffixes(value):
            bars = [f'{label} {suffix[1:]}', *(value.get(who + suffix) for who in WHO)]
            into = {THROUGHPUT: 'throughput', 'us': 'latency', 'ns': 'engine'}.get(unit)
            if into:
                lines[into].append(bars)
            ratio = value.get('ratio' + suffix)
            if ratio is not None and unit and into != 'engine':
                lines['ratios'].append([bars[0], ratio])
    script = ''
    for name, content in lines.items():
        gnuplot.write(folder, name, content)
        if content and name == 'ratios':
            script = PLOT_RATIOS
        elif content:
            bars = ', '.join(f'"{name}.tsv" using {i}:xtic(1) title "{who}" lc rgb "{COLOURS[who]}"'
                             for i, who in enumerate(WHO, 2) if any(c[i - 1] for c in content))
            script += f'set output "{name}.png"\nset title "{TITLES[name]}"\nplot {bars}\n'
    gnuplot.draw(folder, PLOT + script)


def main():
    folder = sys.argv[1]
    figures = json.load(sys.stdin)
    of_raw = beside_raw(figures)
    results = sum_up(figures)
    for key, figure in of_raw.items():
        results[key]['of_raw'], results[key]['of_raw_range'] = figure
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'results.json'), 'w', encoding='utf-8') as f:
        json.dump(results, f, indent=2)
    table(results)
    plot(folder, results)


main()
