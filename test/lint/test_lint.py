#!/usr/bin/env python3
"""Each lint rule finds a breach of it: a rule that cannot fail would be no rule."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import lint  # noqa: E402

GOOD = '/* A file. */\n'


class Rules(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.root = self.dir.name
        for floor in lint.FLOORS:
            os.makedirs(os.path.join(self.root, 'lib', floor))

    def tearDown(self):
        self.dir.cleanup()

    def write(self, name, text):
        with open(os.path.join(self.root, name), 'w', encoding='utf-8') as f:
            f.write(text)

    def breaches(self, rule):
        return list(getattr(lint, 'rule_' + rule)(self.root))

    def test_clean(self):
        self.write('lib/base/a.h', GOOD)
        self.write('lib/tcp/b.c', GOOD + '#include "a.h"\n#include <stdint.h>\n')
        for rule in ('floors', 'sizes', 'files', 'headers', 'format'):
            self.assertEqual(self.breaches(rule), [], rule)

    def test_up(self):
        self.write('lib/stack/s.h', GOOD)
        self.write('lib/tcp/b.c', GOOD + '#include "s.h"\n')
        self.assertEqual(len(self.breaches('floors')), 1)

    def test_os_header(self):
        self.write('lib/tcp/b.c', GOOD + '#include <sys/socket.h>\n')
        self.assertEqual(len(self.breaches('floors')), 1)

    def test_cycle(self):
        self.write('lib/base/a.h', GOOD + '#include "b.h"\n')
        self.write('lib/base/b.h', GOOD + '#include "a.h"\n')
        self.assertEqual(len(self.breaches('floors')), 1)

    def test_sizes(self):
        self.write('lib/base/a.c', GOOD + 'x\n' * 600)
        self.write('lib/base/b.c', GOOD + 'void f(void)\n{\n' + '    x();\n' * 90 + '}\n')
        self.assertEqual(len(self.breaches('sizes')), 2)

    def test_index(self):
        self.write('lib/tcp/b.c', GOOD + 'void f(void);\n')
        self.write('lib/README.md', '| x | `tcp/b.c` `f` |\n')
        self.assertEqual(self.breaches('index'), [])
        self.write('lib/README.md', '| x | `tcp/b.c` `g` | `test_b.c` |\n| y | `tcp/c.c` |\n')
        self.assertEqual(len(self.breaches('index')), 3)

    def test_header_alone(self):
        self.write('lib/base/a.h', GOOD + 'size_t f(void);\n')
        self.assertEqual(len(self.breaches('headers')), 1)

    def test_format(self):
        self.write('lib/base/a.c', GOOD + 'int   f( void );\n')
        self.assertEqual(len(self.breaches('format')), 1)

    def test_files(self):
        self.write('lib/base/a.c', 'int x;\n/* TO' + 'DO */\n')
        self.assertEqual(len(self.breaches('files')), 2)

    def test_top(self):
        self.write('notes.txt', '')
        self.assertIn('notes.txt', ' '.join(self.breaches('top')))

    def test_top_tracked(self):
        self.write('build.txt', '')
        for argv in (['init', '-q'], ['add', 'build.txt']):
            subprocess.run(['git', '-C', self.root, *argv], check=True)
        self.assertIn('build.txt: not', ' '.join(self.breaches('top')))

    def test_calls(self):
        self.write('lib/api/nstcp.h', GOOD + 'int nstcp_a(int x);\nssize_t nstcp_b(void);\n')
        for name in ('options_get.c', 'options_set.c'):
            self.write('lib/api/' + name, GOOD + 'case OPTION(SOL_SOCKET, SO_A):\n')
        os.makedirs(os.path.join(self.root, 'test'))
        self.write('test/a.c', GOOD + 'static void works(void **state)\n')
        head, row = '| call or option | man page | what differs | test |\n|---|---|---|---|\n', \
            '| {} | a(2) | | {} |\n'
        rows = [row.format(name, '`a.c: works`') for name in ('nstcp_a', 'nstcp_b', 'SO_A')]
        self.write('lib/README.md', head + ''.join(rows))
        self.assertEqual(self.breaches('calls'), [])
        for i, test in enumerate(('', '`a.c: fails`', '`b.c: works`')):
            self.write('lib/README.md', head + ''.join(rows) + row.format('more', test))
            self.assertEqual(len(self.breaches('calls')), 1, test)
            self.write('lib/README.md', head + ''.join(rows[:i] + rows[i + 1:]))
            self.assertEqual(len(self.breaches('calls')), 1, rows[i])

    def requirements(self, rows, name='requirements.tsv'):
        text = 'label\tlevel\tsection\trequirement\tstatus\ttests\treason\n'
        self.write('test/rfc/' + name, text + ''.join('\t'.join(r) + '\n' for r in rows))
        return self.breaches('requirements')

    @mock.patch.dict(lint.requirements.OTHERS, clear=True)
    def test_requirements(self):
        for folder in ('unit', 'rfc'):
            os.makedirs(os.path.join(self.root, 'test', folder))
        self.write('test/unit/meson.build', "t = [['a'], # 'b'\n]\ntest('c', files('c_test.py'))\n")
        program = GOOD + 'static void f(void **state)\nstatic void g(void **state)\n' \
            'const struct CMUnitTest tests[] = {\n        host_test(f),\n    };\n'
        self.write('test/unit/test_a.c', program)
        self.write('test/unit/test_b.c', program)
        self.write('test/unit/c_test.py', 'def test_f():\ndef g():\n')
        good = [[label, 'MUST', '3.1', 'x', 'tested', 'unit/test_a.c: f; unit/c_test.py: test_f', '']
                for label in lint.requirements.LABELS]
        self.assertEqual(self.requirements(good), [])
        self.assertEqual(len(self.requirements(good[1:])), 1, 'one label is missing')
        self.assertEqual(len(self.requirements(good + good[:1])), 1, 'one is there twice')
        self.assertEqual(len(self.requirements([['MUST-70', *good[0][1:]]] + good)), 1)
        for column, value in ((1, 'CAN'), (4, 'done'), (4, 'missing'), (5, ''), (5, 'unit/test_a.c'),
                              (5, 'unit/test_a.c: g'), (5, 'unit/test_a.c: f, g'),
                              (5, 'unit/test_b.c: f'), (5, 'unit/test_c.c: f'),
                              (5, 'unit/c_test.py: g')):
            bad = [list(row) for row in good]
            bad[7][column] = value
            self.assertEqual(len(self.requirements(bad)), 1, value)
        for status in ('deviation', 'not applicable', 'missing'):
            good[7][4:] = status, '', 'for a reason'
            self.assertEqual(self.requirements(good), [])
        with mock.patch.dict(lint.requirements.OTHERS, {'1': 2}):
            rows = [[label, *good[0][1:]] for label in ('1', '2', '3')]
            self.assertEqual(self.requirements(rows[:2], 'rfc1.tsv'), [])
            self.assertEqual(len(self.requirements(rows[:1], 'rfc1.tsv')), 1, 'the last is missing')
            self.assertEqual(len(self.requirements(rows, 'rfc1.tsv')), 1, 'one is too many')

    def test_requirement_counts(self):
        rows = [{'level': level, 'status': status} for level, status in (
            ('MUST', 'tested'), ('MUST NOT', 'missing'), ('SHOULD', 'deviation'),
            ('SHOULD NOT', 'tested'), ('RECOMMENDED', 'tested'), ('MAY', 'not applicable'))]
        self.assertEqual(lint.requirements.counts('RFC 1', rows), 'RFC 1: MUST 1/2, SHOULD 2/3, MAY 0/0 '
                         '(1 deviations, 1 missing)')

    def ran(self, *runs):
        log = os.path.join(self.root, 'testlog.json')
        self.write('testlog.json', ''.join(
            json.dumps({'command': command.split(), 'result': result, 'stdout': text}) + '\n'
            for command, result, text in runs))
        return lint.requirements.passed([log])

    def test_requirements_that_ran(self):
        ok, failed, error = '[       OK ] f\n', '[  FAILED  ] f\n', '[  ERROR   ] f\n'
        program = '/b/test/unit/test_a'
        self.assertEqual(self.ran((program, 'OK', '[ RUN      ] f\n' + ok + '[       OK ] g\n')),
                         {('unit/test_a.c', 'f'), ('unit/test_a.c', 'g')})
        self.assertEqual(self.ran(('python3 /s/test/interop/b_test.py a', 'OK', ok)),
                         {('interop/b_test.py', 'f')})
        self.assertEqual(self.ran((program, 'OK', ok + ok)), {('unit/test_a.c', 'f')})
        for text in (ok + failed, failed + ok, ok + error, '', '[ RUN      ] f\n', 'f'):
            self.assertEqual(self.ran((program, 'OK', text)), set(), text)
        self.assertEqual(self.ran((program, 'FAIL', ok)), set(), 'it crashed afterwards')
        self.assertEqual(self.ran((program, 'OK', ok), (program, 'FAIL', ok)), set())

    def symbols(self, text, *options):
        self.write('a.c', text)
        name = os.path.join(self.root, 'a.')
        subprocess.run(['cc', '-O2', '-U_FORTIFY_SOURCE', *options, '-c', name + 'c', '-o',
                        name + 'o'], check=True)
        return list(lint.rule_symbols(self.root, name + 'o'))

    def test_symbols(self):
        clean = 'static const int a[] = {1, 2}; int f(int n); int f(int n) { return a[n & 1]; }\n'
        self.assertEqual(self.symbols(clean), [])
        for breach in ('int n;\n', 'static int n = 4; int *f(void); int *f(void) { return &n; }\n',
                       'int f(void); int f(void) { static int n; return ++n; }\n',
                       '#include <stdio.h>\nvoid f(int n); void f(int n) { printf("%d", n); }\n'):
            self.assertEqual(len(self.symbols(breach)), 1, breach)
        self.assertEqual(len(self.symbols(breach, '-D_FORTIFY_SOURCE=2')), 1, 'fortified')


if __name__ == '__main__':
    unittest.main()
