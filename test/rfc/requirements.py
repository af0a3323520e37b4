#!/usr/bin/env python3
"""The tables beside this: every requirement of RFC 9293 (requirements.tsv) and of other RFCs that the
engine implements, and what shows that it is met.

    requirements.py [TESTLOG.json...]

Prints how many are met. Given meson's logs of a whole run, also each test that a table names and that
did not pass in it, and then ends with status 1. The lint rule `requirements` checks the tables
themselves.
"""
import collections
import json
import os
import re
import sys

FIELDS = ('label', 'level', 'section', 'requirement', 'status', 'tests', 'reason')
STATUSES = ('tested', 'deviation', 'not applicable', 'missing')
LEVELS = {'MUST': 'MUST', 'MUST NOT': 'MUST', 'SHOULD': 'SHOULD', 'SHOULD NOT': 'SHOULD',
          'RECOMMENDED': 'SHOULD', 'MAY': 'MAY'}

# RFC 9293 Appendix B; U are those without a label, in the order of the text.
LABELS = [f'{kind}-{n}' for kind, last in (('MUST', 69), ('SHLD', 31), ('MAY', 18), ('REC', 1), ('U', 9))
          for n in range(1, last + 1)]

# The others have no labels: their normative sentences are counted, in the order of the text; and the
# steps of RFC 6937 and 4015, and what RFC 4987 says of SYN cookies, which have no such words, as MUST.
OTHERS = {'6298': 19, '5681': 51, '6582': 10, '7323': 60, '6528': 5, '5961': 16, '1337': 6, '6191': 7,
          '5927': 10, '1191': 17, '8201': 27, '6429': 6, '6691': 7, '6928': 13, '6093': 5, '6056': 10,
          '3042': 3, '9438': 25, '9406': 9, '2018': 19, '2883': 3, '8985': 30, '6675': 32,
          '6937': 11, '4015': 12, '3465': 10, '3168': 39, '4987': 15, '3522': 8}

HERE = os.path.dirname(os.path.abspath(__file__))


def tables():
    """RFC, name of the table, and the labels that it must have."""
    yield 'RFC 9293', 'requirements.tsv', LABELS
    for rfc, last in OTHERS.items():
        yield f'RFC {rfc}', f'rfc{rfc}.tsv', [str(n) for n in range(1, last + 1)]


def read(path):
    """Line number and fields of each line; fields that are not there are empty."""
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            cells = line.rstrip('\n').split('\t')
            if number > 1:
                yield number, dict(zip(FIELDS, cells + [''] * len(FIELDS)))


def tests(row):
    """'unit/test_a.c: b, c; ...' as (file, name) pairs."""
    for part in filter(None, row['tests'].split(';')):
        file, _, names = part.partition(':')
        for name in names.split(','):
            yield file.strip(), name.strip()


def counts(rfc, rows):
    """'RFC n: MUST n/n, SHOULD n/n, MAY n/n': tested, of those that apply; and what became of the rest."""
    tested, apply, status = (collections.Counter() for _ in range(3))
    for row in rows:
        level = LEVELS[row['level']]
        tested[level] += row['status'] == 'tested'
        apply[level] += row['status'] != 'not applicable'
        status[row['status']] += 1
    met = ', '.join(f'{level} {tested[level]}/{apply[level]}' for level in ('MUST', 'SHOULD', 'MAY'))
    return f"{rfc}: {met} ({status['deviation']} deviations, {status['missing']} missing)"


def program_of(command):
    """The test program of a command as the tables name it: its source, seen from test/."""
    for word in command:
        m = re.search(r'(?:^|/)test/([a-z]+/\w+)(\.py)?$', word)
        if m:
            return m.group(1) + (m.group(2) or '.c')
    return None


def passed(logs):
    """(file, name) of each test that passed, by the lines that cmocka writes (and run_all() too): every
    time that it ran, in a program that passed as a whole."""
    ok, failed = set(), set()
    for log in logs:
        with open(log, encoding='utf-8') as f:
            for run in map(json.loads, f):
                file = program_of(run['command'])
                output = run.get('stdout', '') + run.get('stderr', '')
                for verdict, name in re.findall(r'^\[ +(OK|FAILED|ERROR) +\] (\w+)', output, re.M):
                    good = verdict == 'OK' and run['result'] == 'OK'
                    (ok if good else failed).add((file, name))
    return ok - failed


def main(logs):
    ran, wanted = passed(logs), set()
    for rfc, name, _ in tables():
        rows = [row for _, row in read(os.path.join(HERE, name))]
        print(counts(rfc, rows))
        wanted.update(test for row in rows for test in tests(row))
    missed = sorted(wanted - ran) if logs else []
    for file, name in missed:
        print(f'{file}: {name} did not run, or failed')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
