#!/usr/bin/env python3
"""Turns facts into the const tables that src/wire/model.h describes.

	tools/gen-tables.py MODEL-DIR OUT.c
	tools/gen-tables.py --cfn MODEL-DIR/cfn.json OUT.c
	tools/gen-tables.py --vectors VECTOR-DIR OUT.inc

The second form makes the tables of src/cfn/facts.h (doc/format/cfn.md).  The
third makes a model of each suite of protocol test vectors, and a
table of their cases, for src/wire/test-vectors.c.  A VECTOR-DIR that does not
exist gives empty tables.
"""
import glob
import importlib.util
import json
import os
import re
import sys

PROTOCOLS = {'json': 'PROTO_JSON', 'query': 'PROTO_QUERY', 'ec2': 'PROTO_EC2',
             'rest-json': 'PROTO_REST_JSON', 'rest-xml': 'PROTO_REST_XML',
             'smithy-rpc-v2-cbor': 'PROTO_CBOR'}
TYPES = {t: 'MODEL_' + t.upper() for t in
         'structure list map string blob boolean integer long float double '
         'timestamp'.split()}
LOCATIONS = {None: 'LOC_BODY', 'header': 'LOC_HEADER',
             'headers': 'LOC_HEADERS', 'querystring': 'LOC_QUERY',
             'uri': 'LOC_URI', 'statusCode': 'LOC_STATUS'}
TIMES = {None: 'TIME_DEFAULT', 'unixTimestamp': 'TIME_EPOCH',
         'iso8601': 'TIME_ISO8601', 'rfc822': 'TIME_RFC822'}


def quote(b):
    return ''.join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else
                   f'\\{c:03o}' for c in b)


def cstr(s):
    return '"' + quote(s.encode()) + '"'


class Pool:
    """Strings, each led by its length in two bytes and ended by NUL."""

    def __init__(self):
        self.at = {}
        self.rows = []
        self.size = 0
        self.add('')

    def add(self, s):
        if s is None:
            s = ''
        if s not in self.at:
            b = s.encode()
            assert len(b) < 65536
            self.at[s] = self.size
            self.rows.append('"' + quote(bytes((len(b) & 255, len(b) >> 8)))
                             + quote(b) + '\\000"')
            self.size += len(b) + 3
        return self.at[s]

    def off(self, s):
        """0, the empty string, says absent."""
        return self.add(s)

    def emit(self, out):
        out.write('static const char pool[] =\n')
        out.write('\n'.join(self.rows))
        out.write(';\n')


def flags(pairs):
    return '|'.join(n for n, on in pairs if on) or '0'


def regex(pattern):
    """A Java pattern in PCRE2's spelling, where they differ."""
    if not pattern:
        return pattern
    # Surrogate pairs and, as meant, five and six digits.
    pattern = pattern.replace(r'\uD800\uDC00-\uDBFF\uDFFF',
                              r'\x{10000}-\x{10FFFF}')
    pattern = re.sub(r'\\u(10FFFF|10000|[0-9A-Fa-f]{4})', r'\\x{\1}', pattern)
    pattern = pattern.replace(r'\p{Print}', '[[:print:]]')
    # A dash after a class cannot begin a range.
    pattern = re.sub(r'(\\w|\\p\{Z\})-_', r'\1\\-_', pattern)
    # PCRE2 counts to 65535.
    return pattern.replace('{1,100000}', '+')


class Model:
    def __init__(self, facts, pool, ident):
        self.facts, self.pool, self.ident = facts, pool, ident
        self.names = sorted(facts['shapes'], key=lambda s: s.encode())
        self.index = {n: i for i, n in enumerate(self.names)}
        assert len(self.names) < 65535
        self.members, self.bounds, self.enums = [], [], []
        self.errors, self.op_errors = [], []

    def xmlns(self, d):
        """"uri" alone or "prefix=uri"."""
        ns = d.get('xmlNamespace')
        if isinstance(ns, dict):
            ns = (ns['prefix'] + '=' if 'prefix' in ns else '') + ns['uri']
        return self.pool.off(ns)

    def member(self, name, ref, required):
        ref = {'shape': ref} if isinstance(ref, str) else ref
        s = self.facts['shapes'][ref['shape']]
        f = flags((
            ('MEMBER_REQUIRED', required),
            ('MEMBER_FLATTENED', ref.get('flattened') or s.get('flattened')),
            ('MEMBER_XML_ATTRIBUTE', ref.get('xmlAttribute')),
            ('MEMBER_TOKEN', ref.get('idempotencyToken')),
            ('MEMBER_STREAMING', ref.get('streaming') or s.get('streaming')),
            ('MEMBER_EVENT_STREAM', s.get('eventstream')),
            ('MEMBER_JSON_VALUE', ref.get('jsonvalue'))))
        time = TIMES[ref.get('timestampFormat') or s.get('timestampFormat')]
        p = self.pool
        self.members.append(
            f'{{{p.off(name)},{p.off(ref.get("locationName"))},'
            f'{p.off(ref.get("queryName"))},{self.xmlns(ref)},'
            f'{self.index[ref["shape"]]},{f},'
            f'{LOCATIONS[ref.get("location")]},{time}}}')

    def bound(self, s):
        if not any(k in s for k in ('min', 'max', 'pattern', 'enum')):
            return 0
        enum = s.get('enum', [])
        self.bounds.append(
            f'{{{float(s.get("min", 0))!r},{float(s.get("max", 0))!r},'
            f'{self.pool.off(s.get("pattern"))},'
            f'{self.pool.off(regex(s.get("pattern")))},{len(self.enums)},{len(enum)},'
            f'{int("min" in s)},{int("max" in s)}}}')
        self.enums += [str(self.pool.add(e)) for e in enum]
        return len(self.bounds)  # row 0 is "none"

    def shape(self, name):
        s = self.facts['shapes'][name]
        first = len(self.members)
        payload = 0
        if s['type'] == 'structure':
            for i, (k, ref) in enumerate(s.get('members', {}).items()):
                self.member(k, ref, k in s.get('required', ()))
                if k == s.get('payload'):
                    payload = i + 1
        for k in ('member', 'key', 'value'):
            if k in s:
                self.member(k, s[k], False)
        f = flags((
            ('SHAPE_EXCEPTION', s.get('exception')),
            ('SHAPE_FAULT', s.get('fault')),
            ('SHAPE_UNION', s.get('union')),
            ('SHAPE_DOCUMENT', s.get('document')),
            ('SHAPE_SENSITIVE', s.get('sensitive'))))
        if s.get('exception'):
            self.error(name, s)
        return (f'{{{self.pool.off(name)},{self.pool.off(s.get("locationName"))},'
                f'{self.xmlns(s)},{first},{len(self.members) - first},'
                f'{self.bound(s)},{payload},{f},{TYPES[s["type"]]},'
                f'{TIMES[s.get("timestampFormat")]}}}')

    def error(self, name, s):
        e = s.get('error', {})
        fault = bool(s.get('fault'))
        status = e.get('httpStatusCode', 500 if fault else 400)
        sender = e.get('senderFault', not fault and status < 500)
        self.errors.append(
            f'{{{self.pool.off(e.get("code", name))},{self.index[name]},'
            f'{status},{int(sender)}}}')

    def op(self, name):
        op, p = self.facts['operations'][name], self.pool
        errors = op.get('errors', [])
        first = len(self.op_errors)
        self.op_errors += [str(self.index[e]) for e in errors]
        f = flags((('OP_UNSIGNED', op.get('unsigned')),
                   ('OP_DEPRECATED', op.get('deprecated')),
                   ('OP_UNWRAPPED', op.get('unwrapped'))))

        def io(k):
            return self.index[op[k]] if k in op else 'MODEL_NONE'
        return (f'{{&{self.ident},{p.off(name)},{p.off(op["method"])},'
                f'{p.off(op["uri"])},{p.off(op.get("resultWrapper"))},'
                f'{p.off(op.get("locationName"))},{self.xmlns(op)},'
                f'{p.off(op.get("outputName"))},{io("input")},{io("output")},'
                f'{op.get("status", 200)},{f},{first},{len(errors)}}}')

    def emit(self, out):
        f, i = self.facts, self.ident
        shapes = [self.shape(n) for n in self.names]
        ops = [self.op(n) for n in
               sorted(f['operations'], key=lambda s: s.encode())]

        def table(what, kind, rows):
            out.write(f'static const {kind} {i}_{what}[] = {{\n'
                      + ',\n'.join(rows or ['0' if kind.startswith('u')
                                            else '{0}']) + '};\n')
        assert len(self.op_errors) < 65536 and len(self.enums) < 65536
        out.write(f'static const struct model {i};\n')
        table('members', 'struct model_member', self.members)
        table('bounds', 'struct model_bounds', ['{0}'] + self.bounds)
        table('enums', 'uint32_t', self.enums)
        table('shapes', 'struct model_shape', shapes)
        table('errors', 'struct model_error', self.errors)
        table('op_errors', 'uint16_t', self.op_errors)
        table('ops', 'struct model_op', ops)
        out.write(f'static void *{i}_patterns[{len(self.bounds) + 1}];\n')
        out.write(f'static const struct model {i} = {{\n')
        for k, v in (('name', 'service'), ('api_version', 'apiVersion'),
                     ('target_prefix', 'targetPrefix'),
                     ('json_version', 'jsonVersion'),
                     ('xmlns', 'xmlNamespace'),
                     ('signing_name', 'signingName'),
                     ('endpoint_prefix', 'endpointPrefix'),
                     ('service_id', 'serviceId'), ('botocore', 'botocore')):
            out.write(f'.{k} = {cstr(f.get(v, ""))},\n')
        bits = '|'.join(f'1 << {PROTOCOLS[p]}' for p in f['protocols'])
        out.write(
            f'.protocols = {bits}, .protocol = '
            f'{PROTOCOLS[f["protocols"][0]]},\n'
            f'.query_compatible = {int(f.get("awsQueryCompatible", 0))},\n'
            f'.no_error_wrapping = {int(f.get("noErrorWrapping", 0))},\n'
            f'.pool = pool + 2, .ops = {i}_ops, .shapes = {i}_shapes,\n'
            f'.members = {i}_members, .bounds = {i}_bounds,\n'
            f'.enums = {i}_enums, .errors = {i}_errors,\n'
            f'.op_errors = {i}_op_errors, .patterns = {i}_patterns,\n'
            f'.n_ops = {len(ops)}, .n_shapes = {len(shapes)},\n'
            f'.n_errors = {len(self.errors)}, '
            f'.n_bounds = {len(self.bounds) + 1},\n}};\n')


def write(out, all_facts, var, static=''):
    """The pool comes last, when all its strings are known."""
    pool = Pool()
    body = []

    class Sink:
        write = staticmethod(body.append)
    idents = [f'model{i}' for i in range(len(all_facts))]
    for facts, ident in zip(all_facts, idents):
        Model(facts, pool, ident).emit(Sink)
    out.write('/* Made by tools/gen-tables.py; do not edit. */\n'
              '#include "wire/model.h"\n')
    pool.emit(out)
    out.write(''.join(body))
    rows = ', '.join('&' + i for i in idents) or 'NULL'
    out.write(f'{static}const struct model *const {var}[] = {{{rows}}};\n'
              f'{static}const size_t {var}_n = {len(idents)};\n')


def main_models(model_dir, path):
    found = []
    for name in glob.glob(model_dir + '/*.json'):
        if name.endswith('/cfn.json'):
            continue
        with open(name) as f:
            found.append(json.load(f))
    found.sort(key=lambda d: d['service'].encode())
    with open(path, 'w') as out:
        write(out, found, 'models')


def importer():
    here = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        'import_models', here + '/import-models.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main_vectors(vector_dir, path):
    """Each case becomes an operation of its own, named by its place."""
    reduce = importer().reduce
    all_facts, cases = [], []
    for name in sorted(glob.glob(vector_dir + '/*/*.json')):
        with open(name) as f:
            suites = json.load(f)
        for suite in suites:
            rel = os.path.relpath(name, vector_dir)
            for case in suite['cases']:
                given = case['given']
                facts = reduce({
                    'metadata': suite['metadata'],
                    'operations': {given['name']: given},
                    'shapes': suite['shapes']}, '', rel)
                cases.append((rel, len(all_facts), case))
                all_facts.append(facts)
    with open(path, 'w') as out:
        write(out, all_facts, 'vector_models', 'static ')
        out.write('static const struct vector {\n\tconst char *file;\n'
                  '\tsize_t model;\n\tconst char *json;\n} vectors[] = {\n')
        for rel, i, case in cases:
            out.write(f'{{{cstr(rel)},{i},{cstr(json.dumps(case))}}},\n')
        out.write('{NULL, 0, NULL}};\n')


class CfnTables:
    TYPES = {'string': 'CFN_STRING', 'integer': 'CFN_INTEGER',
             'number': 'CFN_NUMBER', 'boolean': 'CFN_BOOLEAN',
             'object': 'CFN_OBJECT', 'list': 'CFN_LIST', 'json': 'CFN_JSON',
             'any': 'CFN_ANY'}
    FLAGS = (('CFN_CREATE_ONLY', 'createOnly'),
             ('CFN_MAYBE_CREATE_ONLY', 'maybe'),
             ('CFN_READ_ONLY', 'readOnly'), ('CFN_WRITE_ONLY', 'writeOnly'))

    def __init__(self):
        # Row 0 of the shapes says "none".
        self.shapes, self.props, self.attrs, self.enums = ['{0}'], [], [], []

    def prop(self, name, p, index, required, identifier):
        item = p.get('item', {})
        shape = item.get('shape', p.get('shape'))
        first = len(self.enums)
        enum = p.get('enum', ())
        self.enums += [cstr(e) for e in enum]
        f = flags([('CFN_REQUIRED', name in required)]
                  + [(c, p.get(k)) for c, k in self.FLAGS]
                  + [('CFN_IDENTIFIER', name in identifier)])
        return (f'{{{cstr(name)}, {index[shape] if shape is not None else 0}, '
                f'{self.TYPES[p["type"]]}, '
                f'{self.TYPES[item.get("type", "any")]}, {f}, '
                f'{first if enum else 0}, {len(enum)}}}')

    def type(self, name, t):
        index = {}
        for k in sorted(t['shapes']):
            index[k] = len(self.shapes) + len(index)
        identifier = t.get('identifier', ())
        for k in sorted(t['shapes']):
            s, first = t['shapes'][k], len(self.props)
            if 'map' in s:
                self.props.append(self.prop('', s['map'], index, (), ()))
            else:
                self.props += [
                    self.prop(n, p, index, s.get('required', ()),
                              identifier if k == t['shape'] else ())
                    for n, p in sorted(s['members'].items())]
            self.shapes.append(f'{{{first}, {len(self.props) - first}, '
                               f'{int("map" in s)}}}')
        first = len(self.attrs)
        attrs = t.get('attributes', ())
        self.attrs += [cstr(a) for a in attrs]
        top = t['shapes'][t['shape']]['members']
        tag = t.get('tags')
        tag_map = tag and top[tag]['type'] == 'object'
        return (f'{{{cstr(name)}, {index[t["shape"]]}, {len(attrs)}, {first}, '
                f'{cstr(tag) if tag else "NULL"}, {int(bool(tag_map))}, '
                f'{int(bool(t.get("any")))}}}')


def main_cfn(path, out_path):
    with open(path) as f:
        facts = json.load(f)
    t = CfnTables()
    types = [t.type(n, v) for n, v in
             sorted(facts['types'].items(), key=lambda kv: kv[0].encode())]
    assert len(t.shapes) < 65536 and len(t.enums) < 65536
    with open(out_path, 'w') as out:
        out.write('/* Made by tools/gen-tables.py; do not edit. */\n'
                  '#include "cfn/facts.h"\n')
        for var, kind, rows in (
                ('cfn_facts', 'struct cfn_facts', types),
                ('cfn_fact_shapes', 'struct cfn_shape', t.shapes),
                ('cfn_fact_props', 'struct cfn_prop', t.props),
                ('cfn_fact_attrs', 'char *const', t.attrs),
                ('cfn_fact_enums', 'char *const', t.enums)):
            out.write(f'const {kind} {var}[] = {{\n'
                      + ',\n'.join(rows) + '};\n')
        out.write(f'const size_t cfn_facts_n = {len(types)};\n'
                  f'const char *const cfn_facts_source = '
                  f'{cstr(facts["source"])};\n')


if __name__ == '__main__':
    if sys.argv[1] == '--cfn':
        main_cfn(*sys.argv[2:])
    elif sys.argv[1] == '--vectors':
        main_vectors(*sys.argv[2:])
    else:
        main_models(*sys.argv[1:])
