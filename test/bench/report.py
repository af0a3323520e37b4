"""Turns bench.py's figures into results.json, a table and plots.

usage: report.py FOLDER <FIGURES

results.json has, per key and what was compared, the median and the range, and in "ratio" the median
of the pairs' ratios, ours to the kernel's. The plots are drawn by gnuplot where it is installed.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys

UNITS = {'bulk': 'Gbit/s', 'raw': 'Gbit/s', 'bulk_nooffload': 'Gbit/s', 'bulk_16': 'Gbit/s',
         'bulk_to_kernel': 'Gbit/s', 'bulk_from_kernel': 'Gbit/s', 'rtt': 'us', 'cpu': 's/GB',
         'rtt_1000': '1/s', 'cps': '1/s', 'idle': 'switches', 'memory': 'octets'}

PLOT = '''
set terminal pngcairo size 900,420 font ",10"
set output "ratios.png"
set style data histogram
set style fill solid 0.8 noborder
set boxwidth 0.8 relative
set title "nstcp to the kernel's TCP (1.0 is the kernel)"
set yrange [0:*]
set grid ytics
set xtics rotate by -25
plot 1 with lines lc rgb "#888888" notitle, "ratios.tsv" using 2:xtic(1) lc rgb "#3366aa" notitle
'''


def row(figures):
    """One key's figures, summed up."""
    out = {}
    for who, values in figures.items():
        out[who] = statistics.median(values)
        out[f'{who}_range'] = [min(values), max(values)]
    if 'nstcp' in figures and 'kernel' in figures:
        ratios = [a / b for a, b in zip(figures['nstcp'], figures['kernel']) if b]
        if ratios:
            out['ratio'] = statistics.median(ratios)
            out['ratio_range'] = [min(ratios), max(ratios)]
    return out


def sum_up(figures):
    """Lists are figures; dicts among them are keys below this one."""
    here = {who: v for who, v in figures.items() if isinstance(v, list)}
    below = {key: sum_up(v) for key, v in figures.items() if isinstance(v, dict)}
    return {**row(here), **below}


def rows(results, name=()):
    for key, value in results.items():
        if isinstance(value, dict):
            if any(isinstance(v, float | int) for v in value.values()):
                yield ' '.join((*name, key)), value
            yield from rows(value, (*name, key))


def cell(value, who):
    if who not in value:
        return ''
    low, high = value[f'{who}_range']
    digits = 0 if value[who] >= 1000 else 2
    return f'{value[who]:.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]'


def main():
    folder = sys.argv[1]
    results = sum_up(json.load(sys.stdin))
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'results.json'), 'w', encoding='utf-8') as f:
        json.dump(results, f, indent=2)
    print(f'{"":20}{"unit":>9}{"nstcp":>26}{"kernel":>26}{"ratio":>20}')
    with open(os.path.join(folder, 'ratios.tsv'), 'w', encoding='utf-8') as f:
        for key, value in rows(results):
            words = key.split()
            unit = UNITS.get(words[-1]) or UNITS.get(words[0], '')
            first = 'nstcp' if 'nstcp' in value else next(iter(value))
            print(f'{key:20}{unit:>9}{cell(value, first):>26}{cell(value, "kernel"):>26}'
                  f'{cell(value, "ratio"):>20}')
            for who in value:
                if who not in (first, 'kernel', 'ratio') and f'{who}_range' in value:
                    print(f'  {who:18}{unit:>9}{"":26}{cell(value, who):>26}')
            if 'ratio' in value:
                print(f'{key.replace("_", " ")}\t{value["ratio"]}'.replace(' ', '-', 1), file=f)
    if shutil.which('gnuplot'):
        subprocess.run(['gnuplot'], input=PLOT, text=True, cwd=folder, check=True)


main()
