#!/usr/bin/env python3
"""Tests the tests: plants the bugs of mutants.txt in a copy of the tree, one at a time, builds, and
runs the unit tests of the file, then the suites that need no network, until one fails. A bug that
none finds is a survivor.

usage: mutants.py [--check] [--only NAME]... SOURCE_DIR WORK_DIR

  --check      only whether every bug can be planted: builds and runs nothing
  --only NAME  this one; may be said again

Prints the table: mutant, what caught it. Exit status: 0 all were caught (or can be planted), 1 not
all, 2 wrong usage.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import time

SUITES = ('unit', 'rfc', 'sim', 'packetdrill')  # the cheapest first
SHOWN = 1                                       # tests that catch a mutant are enough

Mutant = collections.namedtuple('Mutant', 'name what file old new')


def read(path):
    """The mutants of mutants.txt."""
    mutants = []
    for line in open(path, encoding='utf-8').read().split('\n'):
        if line.startswith('= '):
            name, _, what = line[2:].partition(': ')
            mutants.append(Mutant(name, what, [], [], []))
        elif line.startswith('@ ') and mutants:
            mutants[-1].file.append(line[2:])
        elif mutants and mutants[-1].file and line[:1] in (' ', '-', '+'):
            if line[0] != '+':
                mutants[-1].old.append(line[1:])
            if line[0] != '-':
                mutants[-1].new.append(line[1:])
    return mutants


def plant(root, mutant):
    """The file's text with the bug in it; None when the place is not there exactly once."""
    if len(mutant.file) != 1 or mutant.old == mutant.new:
        return None
    try:
        text = open(os.path.join(root, mutant.file[0]), encoding='utf-8').read()
    except FileNotFoundError:
        return None
    old, new = ('\n' + '\n'.join(lines) + '\n' for lines in (mutant.old, mutant.new))
    return text.replace(old, new) if text.count(old) == 1 else None


def check(root, mutants):
    names = [m.name for m in mutants]
    bad = [f'{m.name}: cannot be planted' for m in mutants if plant(root, m) is None]
    bad += [f'{name}: twice' for name in set(names) if names.count(name) > 1]
    for line in bad:
        print(line)
    print(f'{len(mutants)} mutants')
    return not bad


def copy_tree(source, to):
    names = subprocess.run(['git', '-C', source, '-c', 'safe.directory=*', 'ls-files', '-z',
                            '--cached', '--others', '--exclude-standard'],
                           capture_output=True, text=True, check=True).stdout.split('\0')
    for name in filter(None, names):
        if os.path.exists(os.path.join(source, name)):
            path = os.path.join(to, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy2(os.path.join(source, name), path)


def failed_tests(build):
    with open(os.path.join(build, 'meson-logs', 'testlog.json'), encoding='utf-8') as f:
        results = [json.loads(line) for line in f]
    return [r['name'].split(' / ')[-1] for r in results
            if r['result'] in ('FAIL', 'TIMEOUT', 'ERROR')]  # not: INTERRUPT, after the third


def unit_tests(build, stem):
    """Those of the file: heap's is heap, output's are output, output_cork, ..."""
    with open(os.path.join(build, 'meson-info', 'intro-tests.json'), encoding='utf-8') as f:
        tests = json.load(f)
    return [t['name'] for t in tests if 'nstcp:unit' in t['suite'] and
            (t['name'] == stem or t['name'].startswith(stem + '_'))]


def caught_by(build, stem=None):
    """Which suite and tests fail, as text; '' when none does; None when it does not build. stem:
    the name of the file with the bug."""
    log = os.path.join(build, 'meson-logs', 'testlog.json')
    steps = [(suite, ['--suite', suite]) for suite in SUITES]
    own = unit_tests(build, stem) if stem else []
    if own:
        steps.insert(0, ('unit', own))  # one program to link, not all
    for suite, which in steps:
        if os.path.exists(log):
            os.remove(log)
        r = subprocess.run(['meson', 'test', '-C', build, '--timeout-multiplier', '0.5',
                            '--maxfail', str(SHOWN), *which],
                           capture_output=True, text=True,
                           stdin=subprocess.DEVNULL)
        if r.returncode == 0:
            continue
        if not os.path.exists(log):
            if 'No suitable tests defined' in r.stdout + r.stderr:
                continue
            print(r.stdout + r.stderr, file=sys.stderr)
            return None
        return f'{suite}: {", ".join(failed_tests(build)[:SHOWN])}'
    return ''


def set_up(source, work):
    shutil.rmtree(work, ignore_errors=True)
    tree, build = os.path.join(work, 'tree'), os.path.join(work, 'build')
    copy_tree(source, tree)
    # Most of the time goes by in linking the tests: without debug information and by gold, half of it.
    subprocess.run(['meson', 'setup', build, tree, '-Ddebug=false', '-Dc_link_args=-fuse-ld=gold'],
                   stdout=subprocess.DEVNULL, check=True)
    found = caught_by(build)
    if found != '':
        sys.exit(f'mutants.py: without any mutant: {found or "does not build"}')
    return tree, build


def run(source, work, mutants):
    tree, build = set_up(source, work)
    survivors = broken = 0
    for m in mutants:
        path = os.path.join(tree, m.file[0])
        before = open(path, encoding='utf-8').read()
        began, after = time.monotonic(), plant(tree, m)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(after)
        found = caught_by(build, os.path.splitext(os.path.basename(path))[0])
        with open(path, 'w', encoding='utf-8') as f:
            f.write(before)
        survivors += found == ''
        broken += found is None
        verdict = 'DOES NOT BUILD' if found is None else found or 'SURVIVED: ' + m.what
        print(f'{m.name:24} {time.monotonic() - began:4.0f} s  {verdict}', flush=True)
    print(f'{len(mutants)} mutants, {survivors} survivors, {broken} that do not build')
    return survivors + broken == 0


def main():
    args = argparse.ArgumentParser(usage=__doc__)
    args.add_argument('--check', action='store_true')
    args.add_argument('--only', action='append')
    args.add_argument('source')
    args.add_argument('work', nargs='?')
    o = args.parse_args()
    mutants = read(os.path.join(o.source, 'test', 'mutants', 'mutants.txt'))
    if o.only:
        mutants = [m for m in mutants if m.name in o.only]
    if not mutants or not (o.check or o.work):
        args.error('which mutants, and where to?')
    good = check(o.source, mutants) and (o.check or run(o.source, o.work, mutants))
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
