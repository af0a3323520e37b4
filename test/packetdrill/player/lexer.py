"""A script as tokens.

The language has C and C++ comments, `commands`, %{ code }%, "strings", numbers, addresses, words and
single characters; white space separates. Options, --name=value, stand at the beginning only.
"""
import re
from collections import namedtuple

from .errors import ScriptError

Token = namedtuple('Token', 'kind value line')

# In this order: of two that match the longer one comes first.
KINDS = [
    ('comment', r'//[^\n]*|/\*.*?\*/'),
    ('code', r'%\{.*?\}%'),
    ('command', r'`(?:\\.|[^`\\])*`'),
    ('string', r'"(?:\\.|[^"\\])*"'),
    ('space', r'[ \t\r\n]+'),
    ('ipv4', r'\d+\.\d+\.\d+\.\d+'),
    ('hex', r'0x[0-9a-fA-F]+'),
    ('float', r'-?\d*\.\d+'),
    ('ellipsis', r'\.\.\.'),
    ('integer', r'-?\d+(?![a-zA-Z0-9_])'),
    ('word', r'[a-zA-Z0-9_]+'),
    ('char', r'.'),
]
PATTERN = re.compile('|'.join(f'(?P<{name}>{pattern})' for name, pattern in KINDS), re.S)

OPTION = re.compile(r'--(\w+)(?:=("[^"]*"|\S+))?')


def strip_options(text):
    """The options at the beginning as (name, value) pairs, and the text with blanks in their place, so
    that lines keep their numbers."""
    options = []
    at = 0
    while True:
        m = re.compile(r'(?:\s|//[^\n]*|/\*.*?\*/)*', re.S).match(text, at)
        option = OPTION.match(text, m.end())
        if not option:
            return options, text
        value = option.group(2)
        options.append((option.group(1), value.strip('"') if value else value))
        blank = re.sub(r'[^\n]', ' ', text[option.start():option.end()])
        text = text[:option.start()] + blank + text[option.end():]
        at = option.end()


def defined(word, line, defines):
    """A word that --define has given another meaning: "text", `command`, or another word."""
    value = defines.get(word)
    if value is None:
        return Token('word', word, line)
    if value[:1] in '"`':
        return Token('string' if value[0] == '"' else 'command', value[1:-1], line)
    return Token('integer', int(value), line) if re.fullmatch(r'-?\d+', value) \
        else Token('word', value, line)


def tokens(text, defines):
    line = 1
    out = []
    for m in PATTERN.finditer(text):
        kind, value = m.lastgroup, m.group()
        if kind == 'integer':
            out.append(Token(kind, int(value), line))
        elif kind == 'hex':
            out.append(Token('integer', int(value, 16), line))
        elif kind == 'float':
            out.append(Token(kind, value, line))
        elif kind in ('command', 'string'):
            out.append(Token(kind, value[1:-1], line))
        elif kind == 'code':
            out.append(Token(kind, value[2:-2].strip(' \t'), line))
        elif kind == 'word':
            out.append(defined(value, line, defines))
        elif kind == 'char' and ord(value) > 126:
            raise ScriptError(f'{line}: character {value!r}')
        elif kind not in ('comment', 'space'):
            out.append(Token(kind, value, line))
        line += value.count('\n')
    out.append(Token('end', '', line))
    return out
