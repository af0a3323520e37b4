"""How the plots look, and that gnuplot draws them where it is installed."""
import os
import shutil
import subprocess

BARS = '''
set terminal pngcairo size 960,440 font ",10"
set style data histogram
set style fill solid 0.85 noborder
set yrange [0:*]
set grid ytics
set xtics rotate by -20
set datafile separator "\\t"
set datafile missing "-"
'''


def write(folder, name, lines):
    """What is drawn: NAME.tsv."""
    with open(os.path.join(folder, f'{name}.tsv'), 'w', encoding='utf-8') as f:
        for line in lines:
            print(*['-' if v is None else v for v in line], sep='\t', file=f)


def draw(folder, script):
    if shutil.which('gnuplot'):
        subprocess.run(['gnuplot'], input=BARS + script, text=True, cwd=folder, check=True)
