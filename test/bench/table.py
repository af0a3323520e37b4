"""Turns lines of `who Gbit/s p50 p99` into a table of medians and a JSON file."""
import json
import statistics
import sys

KEYS = [('bulk', 'Gbit/s'), ('rtt p50', 'us'), ('rtt p99', 'us')]

runs = {'nstcp': [], 'kernel': []}
for line in sys.stdin:
    who, *figures = line.split()
    runs[who].append([float(f) for f in figures])
if not runs['nstcp'] or len(runs['nstcp']) != len(runs['kernel']):
    sys.exit('bench: a run gave no figures')

results = {}
print(f'{"":10}{"unit":>8}{"nstcp":>26}{"kernel":>26}{"ratio":>22}')
for i, (key, unit) in enumerate(KEYS):
    ours, theirs = ([run[i] for run in runs[who]] for who in ('nstcp', 'kernel'))
    ratios = [a / b for a, b in zip(ours, theirs)]
    row = {'unit': unit}
    cells = ''
    for name, values, width in (('nstcp', ours, 26), ('kernel', theirs, 26), ('ratio', ratios, 22)):
        row[name] = statistics.median(values)
        row[name + '_range'] = [min(values), max(values)]
        cells += f'{f"{row[name]:.2f} [{min(values):.2f}-{max(values):.2f}]":>{width}}'
    print(f'{key:10}{unit:>8}{cells}')
    where = results
    for part in key.split():
        where = where.setdefault(part, {})
    where.update(row)
with open(sys.argv[1], 'w', encoding='utf-8') as f:
    json.dump(results, f, indent=2)
