#!/usr/bin/env python3
"""requirements.tsv: every requirement of RFC 9293 and what shows that it is met.

Run, it prints how many are met. The lint rule `requirements` checks the table itself.
"""
import collections
import os

FIELDS = ('label', 'level', 'section', 'requirement', 'status', 'tests', 'reason')
STATUSES = ('tested', 'deviation', 'not applicable', 'missing')

# RFC 9293 Appendix B; U are those without a label, in the order of the text.
LABELS = [f'{kind}-{n}' for kind, last in (('MUST', 69), ('SHLD', 31), ('MAY', 18), ('REC', 1), ('U', 9))
          for n in range(1, last + 1)]
LEVELS = {'MUST': 'MUST', 'MUST NOT': 'MUST', 'SHOULD': 'SHOULD', 'SHOULD NOT': 'SHOULD',
          'RECOMMENDED': 'SHOULD', 'MAY': 'MAY'}


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


def counts(rows):
    """'MUST n/n, SHOULD n/n, MAY n/n': tested, of those that apply; and what became of the rest."""
    tested, apply, status = (collections.Counter() for _ in range(3))
    for row in rows:
        level = LEVELS[row['level']]
        tested[level] += row['status'] == 'tested'
        apply[level] += row['status'] != 'not applicable'
        status[row['status']] += 1
    met = ', '.join(f'{level} {tested[level]}/{apply[level]}' for level in ('MUST', 'SHOULD', 'MAY'))
    return f"RFC 9293: {met} ({status['deviation']} deviations, {status['missing']} missing)"


if __name__ == '__main__':
    print(counts(row for _, row in read(os.path.join(os.path.dirname(__file__), 'requirements.tsv'))))
