#!/usr/bin/env python3
"""Tests the tests: plants the bugs of mutants.txt in copies of the tree, one at a time in each, builds,
and runs tests that need no network, the likeliest and shortest first, until one fails. A bug that none
finds is a survivor.

usage: mutants.py [--check] [--fresh] [--jobs N] [--only NAME]... SOURCE_DIR WORK_DIR

  --check      only whether every bug can be planted: builds and runs nothing
  --fresh      forget what earlier runs found
  --jobs N     that many copies at work; as many as there are processors if not said
  --only NAME  this one; may be said again

A run that was stopped goes on where it was. One of another tree begins anew, but with the test that
caught the bug the last time. Prints the table: mutant, what caught it. Exit status: 0 all were
caught (or can be planted), 1 not all, 2 wrong usage.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

SUITES = ('unit', 'rfc', 'sim', 'packetdrill')

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


def files_of(source):
    names = subprocess.run(['git', '-C', source, '-c', 'safe.directory=*', 'ls-files', '-z',
                            '--cached', '--others', '--exclude-standard'],
                           capture_output=True, text=True, check=True).stdout.split('\0')
    return [n for n in sorted(set(names)) if n and os.path.exists(os.path.join(source, n))]


def key_of(source):
    """What is tested: all that is built from, and the tests."""
    h = hashlib.sha256()
    for name in files_of(source):
        if not name.endswith('.md'):
            with open(os.path.join(source, name), 'rb') as f:
                h.update(name.encode() + b'\0' + hashlib.sha256(f.read()).digest())
    return h.hexdigest()


class Copy:
    """A copy of the tree, and what is built from it."""

    def __init__(self, source, at):
        self.tree, self.build = os.path.join(at, 'tree'), os.path.join(at, 'build')
        shutil.rmtree(at, ignore_errors=True)  # a run that was stopped may have left a bug in it
        for name in files_of(source):
            path = os.path.join(self.tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy2(os.path.join(source, name), path)
        # Most of the time goes by in linking the tests: without debug information, by gold, and each
        # file by itself ("plain": no -flto).
        subprocess.run(['meson', 'setup', self.build, self.tree, '-Ddebug=false',
                        '-Doptimization=plain', '-Dc_args=-O1', '-Dc_link_args=-fuse-ld=gold'],
                       stdout=subprocess.DEVNULL, check=True)
        info = os.path.join(self.build, 'meson-info')
        with open(os.path.join(info, 'intro-targets.json'), encoding='utf-8') as f:
            files = {t['id']: t['filename'] for t in json.load(f)}
        with open(os.path.join(info, 'intro-tests.json'), encoding='utf-8') as f:
            self.tests = {f'{t["suite"][0].split(":")[-1]}: {t["name"]}': t for t in json.load(f)
                          if t['suite'][0].split(':')[-1] in SUITES}
        for t in self.tests.values():
            t['built'] = [os.path.relpath(name, self.build)
                          for target in t['depends'] for name in files[target]]

    def make(self, names, jobs=1):
        """Whether all that these tests need can be built."""
        targets = sorted({b for n in names for b in self.tests[n]['built']})
        r = subprocess.run(['ninja', '-C', self.build, f'-j{jobs}', *targets],
                           capture_output=True, text=True, stdin=subprocess.DEVNULL,
                           start_new_session=True)  # Ctrl-C is not for it: no verdict by that
        if r.returncode:
            print(r.stdout + r.stderr, file=sys.stderr)
        return r.returncode == 0

    def fails(self, name, limit):
        """How the test fails, as text; '' when it does not. As meson runs it."""
        test = self.tests[name]
        env = {**os.environ, 'MALLOC_PERTURB_': '37', **test['env']}
        p = subprocess.Popen(test['cmd'], env=env, cwd=test['workdir'] or self.build,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            return '' if p.wait(limit) in (0, 77) else name  # 77: skipped
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)  # its children, too
            p.wait()
            return name + ' (takes too long)'


def likeliest(mutant, lasts, last):
    """The tests, by how soon they may catch the bug: what caught it the last time; then the shortest
    first, but those of its file (output's are output, output_cork, ...) and of the RFC it breaks
    before others as long."""
    stem = os.path.splitext(os.path.basename(mutant.file[0]))[0]
    named = {'rfc' + n for n in re.findall(r'RFC (\d+)', mutant.what)}
    named |= {n.replace('.', '_') for n in re.findall(r'\b3(?:\.\d+)+', mutant.what)}

    def cost(name):
        if name == last:
            return 0
        suite, _, test = name.partition(': ')
        if suite == 'unit' and (test == stem or test.startswith(stem + '_')):
            return lasts[name] / 1000
        section = test.removeprefix('section ')
        return lasts[name] / (30 if section in named or section.split('_')[0] in named else 1)
    return sorted(lasts, key=cost)


def caught_by(copy, mutant, lasts, last):
    """Which test fails, as text; '' when none does; None when it does not build."""
    order, begin = likeliest(mutant, lasts, last), 0
    while begin < len(order):
        step = order[begin:begin + max(begin, 1)]  # 1, 1, 2, 4, ...: few links for a quick catch
        if not copy.make(step):
            return None
        for name in step:
            found = copy.fails(name, 10 + 10 * lasts[name])
            if found:
                return found
        begin += len(step)
    return ''


def baseline(copy, jobs):
    """How long each test takes without any mutant."""
    if not copy.make(copy.tests, jobs):
        sys.exit('mutants.py: without any mutant: does not build')

    def lasts(name):
        began = time.monotonic()
        found = copy.fails(name, copy.tests[name]['timeout'] * 4)
        return found, time.monotonic() - began
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        took = dict(zip(copy.tests, pool.map(lasts, copy.tests)))
    failed = [found for found, _ in took.values() if found]
    if failed:
        sys.exit(f'mutants.py: without any mutant: {", ".join(failed)}')
    return {name: seconds for name, (_, seconds) in took.items()}


def verdict_of(copy, mutant, lasts, last):
    path = os.path.join(copy.tree, mutant.file[0])
    before = open(path, encoding='utf-8').read()
    began, after = time.monotonic(), plant(copy.tree, mutant)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(after)
    found = caught_by(copy, mutant, lasts, last)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(before)
    verdict = 'DOES NOT BUILD' if found is None else found or 'SURVIVED: ' + mutant.what
    return f'{mutant.name:24} {time.monotonic() - began:4.0f} s  {verdict}'


def work_on(copy, todo, lasts, earlier, table):
    """Takes mutants until there are none or the run is stopped; each line is in the table before the
    next begins."""
    while not table['stopped'].is_set():
        try:
            mutant = todo.get_nowait()
        except queue.Empty:
            return
        line = verdict_of(copy, mutant, lasts, earlier.get(mutant.name))
        with table['lock'], open(table['path'], 'a', encoding='utf-8') as f:
            f.write(line + '\n')


def lines_of(path):
    """Those that are whole, by mutant."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding='utf-8') as f:
        return {line.split()[0]: line.rstrip('\n') for line in f if line.endswith('\n')}


def found_earlier(work, at):
    """By mutant the test that caught it the last time, in whichever tree. What else earlier trees
    have left is removed."""
    path, earlier = os.path.join(work, 'earlier.json'), {}
    if os.path.exists(path):
        with open(path, encoding='utf-8') as f:
            earlier = json.load(f)
    for tree in os.listdir(work):
        for name, line in lines_of(os.path.join(work, tree, 'table')).items():
            found = re.search(r' s  ((?:%s): .*?)( \(takes too long\))?$' % '|'.join(SUITES), line)
            if found:
                earlier[name] = found[1]
    with open(path + '.new', 'w', encoding='utf-8') as f:
        json.dump(earlier, f, indent=0)
    os.rename(path + '.new', path)
    for tree in os.listdir(work):
        if os.path.join(work, tree) not in (at, path):
            shutil.rmtree(os.path.join(work, tree), ignore_errors=True)
    return earlier


def run(source, work, mutants, jobs, fresh):
    at = os.path.join(work, key_of(source)[:16])
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    os.makedirs(at, exist_ok=True)
    earlier = found_earlier(work, at)
    table, lasts = os.path.join(at, 'table'), os.path.join(at, 'lasts.json')
    done, todo = lines_of(table), queue.SimpleQueue()
    with open(table, 'w', encoding='utf-8') as f:  # without a line that was cut off
        f.writelines(line + '\n' for line in done.values())
    for m in mutants:
        if m.name not in done:
            todo.put(m)
    jobs = min(jobs, todo.qsize())
    if jobs:
        copies = [Copy(source, os.path.join(work, str(n))) for n in range(jobs)]
        if not os.path.exists(lasts):
            took = baseline(copies[0], jobs)
            with open(lasts + '.new', 'w', encoding='utf-8') as f:
                json.dump(took, f)
            os.rename(lasts + '.new', lasts)
        with open(lasts, encoding='utf-8') as f:
            took = json.load(f)
        shared = {'path': table, 'lock': threading.Lock(), 'stopped': threading.Event()}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            ends = [pool.submit(work_on, c, todo, took, earlier, shared) for c in copies]
            try:
                for end in ends:
                    end.result()
            finally:
                shared['stopped'].set()  # those that are being looked at are finished
    done = lines_of(table)
    lines = [done[m.name] for m in mutants]
    print(*lines, sep='\n')
    survivors = sum('  SURVIVED: ' in line for line in lines)
    broken = sum(line.endswith('  DOES NOT BUILD') for line in lines)
    print(f'{len(mutants)} mutants, {survivors} survivors, {broken} that do not build')
    return survivors + broken == 0


def main():
    args = argparse.ArgumentParser(usage=__doc__)
    args.add_argument('--check', action='store_true')
    args.add_argument('--fresh', action='store_true')
    args.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)))
    args.add_argument('--only', action='append')
    args.add_argument('source')
    args.add_argument('work', nargs='?')
    o = args.parse_args()
    mutants = read(os.path.join(o.source, 'test', 'mutants', 'mutants.txt'))
    if o.only:
        mutants = [m for m in mutants if m.name in o.only]
    if not mutants or not (o.check or o.work) or o.jobs < 1:
        args.error('which mutants, and where to?')
    good = check(o.source, mutants) and (o.check or run(o.source, o.work, mutants, o.jobs,
                                                      o.fresh))
    sys.exit(0 if good else 1)


if __name__ == '__main__':
    main()
