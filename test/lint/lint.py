#!/usr/bin/env python3
"""The house rules that a program can check. One rule a call: lint.py RULE SOURCE_DIR [ARG...].

Prints each breach as file:line: what, and ends with status 1 when there was one.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'rfc'))
sys.dont_write_bytecode = True
import requirements  # noqa: E402

# Floors, each with the floors it may include from. Those up to `stack` are pure: no OS header.
FLOORS = {
    'base': [],
    'wire': ['base'],
    'tcp': ['base', 'wire'],
    'stack': ['base', 'wire', 'tcp'],
    'link': ['base', 'wire'],
    'guard': ['base'],
    'runtime': ['base', 'wire', 'tcp', 'stack', 'link', 'guard'],
    'api': ['base', 'wire', 'tcp', 'stack', 'link', 'guard', 'runtime'],
}
PURE = ['base', 'wire', 'tcp', 'stack']
C_HEADERS = {'assert.h', 'limits.h', 'stdbool.h', 'stddef.h', 'stdint.h', 'string.h'}

TOP = {'lib', 'examples', 'setup', 'test', 'meson.build', 'README.md', 'LICENSE'}

FILE_MAX, FUNCTION_MAX = 500, 70


def sources(root, folders=('lib', 'examples', 'setup', 'test'), endings=('.c', '.h')):
    for folder in folders:
        for path, dirs, names in os.walk(os.path.join(root, folder)):
            dirs.sort()
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(path, name), root)


def lines(root, name):
    with open(os.path.join(root, name), encoding='utf-8') as f:
        return f.read().split('\n')


def includes(root, name):
    for number, line in enumerate(lines(root, name), 1):
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if m:
            yield number, m.group(1), m.group(2)


def rule_floors(root):
    """Nothing points up; no OS header in the engine; no include cycle."""
    where = {}
    for floor in FLOORS:
        for name in os.listdir(os.path.join(root, 'lib', floor)) \
                if os.path.isdir(os.path.join(root, 'lib', floor)) else []:
            if name.endswith('.h'):
                if name in where:
                    yield f'lib/{floor}/{name}:1: a header of this name is in {where[name]}/ too'
                where[name] = floor
    graph = {}
    for name in sources(root, ('lib',)):
        floor = name.split('/')[1]
        for number, mark, header in includes(root, name):
            if mark == '"':
                target = where.get(header)
                if target is None:
                    yield f'{name}:{number}: "{header}" is not a header of lib/'
                elif target != floor and target not in FLOORS[floor]:
                    yield f'{name}:{number}: {floor}/ must not include {target}/{header}'
                if name.endswith('.h'):
                    graph.setdefault(os.path.basename(name), []).append(header)
            elif floor in PURE and header not in C_HEADERS:
                yield f'{name}:{number}: <{header}> in the engine'
    done = set()

    def cycle(header, path):
        if header in path:
            return path[path.index(header):] + [header]
        if header in done:
            return None
        for nxt in graph.get(header, []):
            found = cycle(nxt, path + [header])
            if found:
                return found
        done.add(header)
        return None
    for header in graph:
        found = cycle(header, [])
        if found:
            yield f'{where[header]}/{header}:1: include cycle: {" -> ".join(found)}'
            return


def rule_sizes(root):
    """No file over 500 lines, no function over 70."""
    for name in sources(root):
        text = lines(root, name)
        if len(text) > FILE_MAX + 1:
            yield f'{name}:1: {len(text) - 1} lines; more than {FILE_MAX}'
        start = None
        for number, line in enumerate(text, 1):
            if line == '{':
                start = number
            elif line == '}' and start:
                if number - start + 1 > FUNCTION_MAX:
                    yield f'{name}:{start}: a function of {number - start + 1} lines; ' \
                          f'more than {FUNCTION_MAX}'
                start = None


def rule_top(root):
    """The top level is what it is said to be."""
    tracked = subprocess.run(['git', '-C', root, '-c', 'safe.directory=*', 'ls-files'],
                             capture_output=True, text=True)
    if tracked.returncode == 0:
        top = {n.split('/')[0] for n in tracked.stdout.split('\n') if n}
    else:  # without git, what was built lies among the rest
        top = {n for n in os.listdir(root) if not n.startswith('build')}
    for name in sorted(top):
        if not name.startswith('.') and name not in TOP:
            yield f'{name}: not one of {", ".join(sorted(TOP))}'
    for name in sorted(TOP - top):
        yield f'{name}: missing'


def rule_headers(root, compiler='cc'):
    """Every header compiles alone."""
    for name in sources(root, ('lib',), ('.h',)):
        floor = name.split('/')[1]
        paths = ['-I' + os.path.join(root, 'lib', f) for f in [floor] + FLOORS[floor]]
        if floor not in PURE:
            paths.append('-D_GNU_SOURCE')
        r = subprocess.run([compiler, '-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fsyntax-only',
                            '-include', os.path.join(root, name), '-x', 'c', '/dev/null'] + paths,
                           capture_output=True, text=True)
        if r.returncode:
            yield f'{name}:1: does not compile alone: {r.stderr.strip()}'


def rule_format(root):
    """clang-format has nothing to say."""
    names = [os.path.join(root, name) for name in sources(root)]
    r = subprocess.run(['clang-format', '--dry-run', '-Werror'] + names, capture_output=True,
                       text=True)
    found = set(re.findall(r'^(.+?):\d+:\d+: error:', r.stderr, re.M))
    for name in sorted(found) or ([r.stderr] if r.returncode else []):
        yield f'{os.path.relpath(name, root)}:1: not as .clang-format has it'


def rule_files(root):
    """A file begins by saying what it is; nothing is left for later."""
    for name in sources(root):
        text = lines(root, name)
        if not text[0].startswith('/*'):
            yield f'{name}:1: does not begin with what it is'
        for number, line in enumerate(text, 1):
            if re.search(r'\b(TODO|FIXME|XXX)\b', line):
                yield f'{name}:{number}: {line.strip()}'


def rule_index(root):
    """Every file, function and test that a table of lib/README.md names is there."""
    for number, line in enumerate(lines(root, 'lib/README.md'), 1):
        if not line.startswith('|'):
            continue
        text = None
        for word in re.findall(r'`([^`]+)`', line):
            test = re.fullmatch(r'test_\w+\.c', word)
            if test or re.fullmatch(r'(base|wire|tcp|stack|link|guard|runtime|api)/\w+\.[ch]', word):
                name = 'test/unit/' + word if test else 'lib/' + word
                if not os.path.exists(os.path.join(root, name)):
                    yield f'lib/README.md:{number}: there is no {name}'
                    text = None
                else:
                    text = None if test else '\n'.join(lines(root, name))
            elif word.startswith('test/') and not os.path.exists(os.path.join(root, word)):
                yield f'lib/README.md:{number}: there is no {word}'
            elif text is not None and re.fullmatch(r'[a-z_0-9]+', word) \
                    and not re.search(rf'\b{word}\(', text):
                yield f'lib/README.md:{number}: no function {word} in the file named before it'


def rule_calls(root):
    """lib/README.md has every public call and every option, each with tests, which exist."""
    readme = 'lib/README.md'
    wanted = {name: 'nstcp.h' for line in lines(root, 'lib/api/nstcp.h')
              for name in re.findall(r'^\w[\w ]*[ *](nstcp_\w+)\(', line)}
    for name in ('options_get.c', 'options_set.c'):
        for line in lines(root, 'lib/api/' + name):
            wanted.update((option, name) for option in re.findall(r'OPTION\(\w+, (\w+)\)', line)
                          if option != 'name')
    for number, line in enumerate(lines(root, readme), 1):
        cells = [cell.strip() for cell in line.split('|')]
        if len(cells) != 6 or cells[1] in ('call or option', '---'):
            continue
        wanted.pop(cells[1], None)
        tests = re.findall(r'`([^`:]+): ([^`]+)`', cells[4])
        if not tests:
            yield f'{readme}:{number}: {cells[1]} has no test'
        for file, name in tests:
            try:
                known = any(name in text for text in lines(root, 'test/' + file))
            except FileNotFoundError:
                known = False
            if not known:
                yield f'{readme}:{number}: there is no test {file}: {name}'
    for name, where in wanted.items():
        yield f'{readme}:1: {name} of {where} is not there'


def tests_that_run(root, file):
    """The names of a program's tests, None when it is not there: cmocka's that are in tests[], or
    Python's that run_all() finds. None run when the meson.build beside it does not name it."""
    try:
        text = '\n'.join(lines(root, 'test/' + file))
        build = '\n'.join(lines(root, f'test/{os.path.dirname(file)}/meson.build'))
    except FileNotFoundError:
        return None
    stem, ending = os.path.splitext(os.path.basename(file))
    short = re.sub('^test_|_test$', '', stem)
    if not re.search(rf"'({short}|{stem}|{stem}{ending})'", re.sub('#.*', '', build)):
        return set()
    if ending == '.py':
        return set(re.findall(r'^def (test_\w+)\(', text, re.M))
    array = re.search(r'struct CMUnitTest tests\[\] = \{(.*?)\n    \};', text, re.S)
    return set(re.findall(r'\w+_test(?:_ipv4|_sack)?\((\w+)\)', array.group(1))) if array else set()


def rule_requirements(root):
    """Every requirement of an RFC that has a table is there once, with tests that run, or a reason."""
    for rfc, name, labels in requirements.tables():
        table = 'test/rfc/' + name
        wanted = set(labels)
        for number, row in requirements.read(os.path.join(root, table)):
            where, label, status = f'{table}:{number}', row['label'], row['status']
            if label not in wanted:
                yield f'{where}: {label} is no label, or here again'
            wanted.discard(label)
            if row['level'] not in requirements.LEVELS:
                yield f'{where}: {row["level"]} is no level'
            if status not in requirements.STATUSES:
                yield f'{where}: {status} is no status'
            elif status == 'tested' and not row['tests']:
                yield f'{where}: {label} has no test'
            elif status != 'tested' and not row['reason']:
                yield f'{where}: {label} has no reason'
            for file, test in requirements.tests(row):
                known = tests_that_run(root, file)
                if known is None:
                    yield f'{where}: there is no test/{file}'
                elif test not in known:
                    yield f'{where}: {file} does not run {test}'
        for label in sorted(wanted):
            yield f'{table}:1: {label} of {rfc} is missing'


def rule_symbols(root, *archives):
    """A library has no mutable globals, never prints, exits or installs signal handlers."""
    banned = {'exit', '_exit', 'printf', 'puts', 'putchar', 'perror', 'vprintf', 'stdout', 'stderr',
              'signal', 'sigaction', 'err', 'errx', 'warn', 'warnx', 'fork', 'system', 'dprintf',
              'vdprintf', 'syslog', '_Exit', 'quick_exit', 'atexit'}
    for archive in archives:
        # Not nm, which shows what is for the linker's optimiser where an object has that as well.
        out = subprocess.run(['objdump', '-t', archive], capture_output=True, text=True,
                             check=True).stdout
        member = ''
        for line in out.split('\n'):
            m = re.match(r'(\S+): +file format', line)
            if m:
                member = f'{archive}[{m.group(1)}]'
            m = re.match(r'[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$', line)
            if not m or 'd' in m.group(1):  # of the sections themselves
                continue
            section, symbol = m.group(2), m.group(3)
            fortified = re.fullmatch(r'__(\w+)_chk', symbol)  # printf, with -D_FORTIFY_SOURCE
            if fortified:
                symbol = fortified.group(1)
            # The compiler's own. A static variable within a function has a dot elsewhere.
            if symbol.startswith(('.', '__')):
                continue
            # const data that holds addresses lies in .data.rel.ro, which is read-only at run time
            if (re.match(r'\.(data|bss|tdata|tbss)|\*COM\*', section) and
                    not section.startswith('.data.rel.ro')):
                yield f'{member}: mutable global {symbol}'
            if section == '*UND*' and symbol in banned:
                yield f'{member}: calls {symbol}'


def main():
    if len(sys.argv) < 3 or 'rule_' + sys.argv[1] not in globals():
        sys.exit('usage: lint.py RULE SOURCE_DIR [ARG...]')
    breaches = list(globals()['rule_' + sys.argv[1]](*sys.argv[2:]))
    for b in breaches:
        print(b)
    sys.exit(1 if breaches else 0)


if __name__ == '__main__':
    main()
