#!/usr/bin/env python3
"""Reduces AWS's service definitions, as botocore installs them, to the
compact facts in model/.  No prose is carried over.

	tools/import-models.py [--older DATA] MODEL-DIR [SERVICE...]

Needs `import botocore`, the newer the better; the facts record its version.
--older names the data folder of an older botocore.  It is read for one thing:
SQS, whose newer definition lost the names of the query protocol that older
clients (AWS CLI 2.9 among them) still speak.

doc/format/model.md describes the result.
"""
import argparse
import glob
import gzip
import json
import os

SERVICES = """ecs ecr elbv2 ec2 cloudformation s3 ssm secretsmanager kms iam
sts route53 acm servicediscovery logs cloudwatch application-autoscaling
events scheduler lambda sns sqs budgets ce resourcegroupstaggingapi""".split()

METADATA = """apiVersion protocols jsonVersion targetPrefix xmlNamespace
signingName endpointPrefix serviceId awsQueryCompatible""".split()
SHAPE = """type members required min max pattern enum exception error fault
payload flattened union locationName xmlNamespace timestampFormat document
eventstream event streaming sensitive member key value""".split()
MEMBER = """shape location locationName queryName flattened xmlAttribute
xmlNamespace idempotencyToken streaming jsonvalue timestampFormat
eventpayload""".split()

# What the definitions of S3 and Route 53 leave to their clients' knowledge.
S3_NS = 'http://s3.amazonaws.com/doc/2006-03-01/'
ADD = {
    's3': {'xmlNamespace': S3_NS, 'noErrorWrapping': True},
    'route53': {
        'xmlNamespace': 'https://route53.amazonaws.com/doc/2013-04-01/'},
}
# The root elements of S3's replies, where they are not Operation + "Output".
S3_ROOTS = {
    'CompleteMultipartUpload': 'CompleteMultipartUploadResult',
    'CreateMultipartUpload': 'InitiateMultipartUploadResult',
    'CreateSession': 'CreateSessionResult',
    'DeleteObjects': 'DeleteResult',
    'GetBucketAccelerateConfiguration': 'AccelerateConfiguration',
    'GetBucketAcl': 'AccessControlPolicy',
    'GetBucketCors': 'CORSConfiguration',
    'GetBucketLifecycle': 'LifecycleConfiguration',
    'GetBucketLifecycleConfiguration': 'LifecycleConfiguration',
    'GetBucketLocation': 'LocationConstraint',
    'GetBucketLogging': 'BucketLoggingStatus',
    'GetBucketRequestPayment': 'RequestPaymentConfiguration',
    'GetBucketTagging': 'Tagging',
    'GetBucketVersioning': 'VersioningConfiguration',
    'GetBucketWebsite': 'WebsiteConfiguration',
    'GetObjectAcl': 'AccessControlPolicy',
    'GetObjectAttributes': 'GetObjectAttributesResponse',
    'GetObjectTagging': 'Tagging',
    'ListBucketAnalyticsConfigurations':
        'ListBucketAnalyticsConfigurationResult',
    'ListBucketInventoryConfigurations': 'ListInventoryConfigurationsResult',
    'ListBucketMetricsConfigurations': 'ListMetricsConfigurationsResult',
    'ListBuckets': 'ListAllMyBucketsResult',
    'ListDirectoryBuckets': 'ListAllMyDirectoryBucketsResult',
    'ListMultipartUploads': 'ListMultipartUploadsResult',
    'ListObjectVersions': 'ListVersionsResult',
    'ListObjects': 'ListBucketResult',
    'ListObjectsV2': 'ListBucketResult',
    'ListParts': 'ListPartsResult',
}
# Replies that are one element with text: <LocationConstraint>x</...>.
S3_UNWRAPPED = {'GetBucketLocation'}


def load(data, service):
    found = sorted(glob.glob(f'{data}/{service}/[0-9]*/service-2.json*'))
    opener = gzip.open if found[-1].endswith('.gz') else open
    with opener(found[-1]) as f:
        return json.load(f)


def pick(d, names):
    return {k: d[k] for k in names if k in d and d[k] is not False}


def member(ref):
    m = pick(ref, MEMBER)
    return m['shape'] if len(m) == 1 else m


def shape(s):
    out = pick(s, SHAPE)
    for k in ('member', 'key', 'value'):
        if k in out:
            out[k] = member(out[k])
    if 'members' in out:
        out['members'] = {k: member(v) for k, v in out['members'].items()}
    if out.get('required') == []:
        del out['required']
    for k in ('min', 'max'):
        if k in out and out[k] == int(out[k]):
            out[k] = int(out[k])
    return out


def operation(op):
    out = {}
    http = op['http']
    out['method'] = http['method']
    out['uri'] = http['requestUri']
    if http.get('responseCode', 200) != 200:
        out['status'] = http['responseCode']
    for k in ('input', 'output'):
        if k in op:
            out[k] = op[k]['shape']
    if 'resultWrapper' in op.get('output', {}):
        out['resultWrapper'] = op['output']['resultWrapper']
    for k in ('locationName', 'xmlNamespace'):
        if k in op.get('input', {}):
            v = op['input'][k]
            out[k] = v['uri'] if isinstance(v, dict) else v
    if 'errors' in op:
        out['errors'] = [e['shape'] for e in op['errors']]
    if op.get('authtype') == 'none' or 'smithy.api#noAuth' in op.get('auth', ()):
        out['unsigned'] = True
    if op.get('deprecated'):
        out['deprecated'] = True
    return out


def reachable(ops, shapes):
    """The shapes that operations and errors lead to."""
    pending = [n for n, s in shapes.items() if s.get('exception')]
    for op in ops.values():
        pending += [op[k] for k in ('input', 'output') if k in op]
        pending += op.get('errors', [])
    seen = set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        s = shapes[name]
        refs = list(s.get('members', {}).values())
        refs += [s[k] for k in ('member', 'key', 'value') if k in s]
        pending += [r if isinstance(r, str) else r['shape'] for r in refs]
    return seen


def query_names(facts, old):
    """Takes over names of the query protocol from an older definition."""
    def name(ref, ref_old):
        n = ref_old.get('locationName')
        if not n:
            return ref
        if isinstance(ref, str):
            ref = {'shape': ref}
        return dict(ref, queryName=n)

    facts['protocols'] = facts['protocols'] + ['query']
    facts['xmlNamespace'] = old['metadata']['xmlNamespace']
    for n, op in facts['operations'].items():
        wrapper = old['operations'].get(n, {}).get('output', {}).get(
            'resultWrapper')
        if 'output' in op:
            op['resultWrapper'] = wrapper or n + 'Result'
    for n, s in facts['shapes'].items():
        s_old = old['shapes'].get(n, {})
        for k in ('member', 'key', 'value'):
            if k in s and k in s_old:
                s[k] = name(s[k], s_old[k])
        for k, ref in s.get('members', {}).items():
            s['members'][k] = name(ref, s_old.get('members', {}).get(k, {}))


def reduce(definition, version='', service=''):
    """A botocore definition as facts; also used for the test vectors."""
    meta = definition['metadata']
    facts = {'service': service, 'botocore': version}
    facts.update(pick(meta, METADATA))
    facts.setdefault('protocols', [meta['protocol']])
    if 'awsQueryCompatible' in facts:
        facts['awsQueryCompatible'] = True
    if isinstance(facts.get('xmlNamespace'), dict):
        facts['xmlNamespace'] = facts['xmlNamespace']['uri']
    facts.setdefault('signingName', facts.get('endpointPrefix', ''))
    facts['operations'] = {
        n: operation(op) for n, op in sorted(definition['operations'].items())}
    keep = reachable(facts['operations'], definition['shapes'])
    facts['shapes'] = {n: shape(s) for n, s in
                       sorted(definition['shapes'].items()) if n in keep}
    return facts


def additions(facts, service):
    facts.update(ADD.get(service, {}))
    if service == 's3':
        for n, op in facts['operations'].items():
            if n in S3_ROOTS:
                op['outputName'] = S3_ROOTS[n]
            if n in S3_UNWRAPPED:
                op['unwrapped'] = True


def text(facts):
    """One operation and one shape a line, so that a diff can be read."""
    def dump(v):
        return json.dumps(v, separators=(',', ':'), ensure_ascii=False)
    parts = []
    for k, v in facts.items():
        if k in ('operations', 'shapes'):
            rows = ',\n'.join(f'{dump(n)}:{dump(r)}' for n, r in v.items())
            parts.append(f'{dump(k)}:{{\n{rows}}}')
        else:
            parts.append(f'{dump(k)}:{dump(v)}')
    return '{' + ',\n'.join(parts) + '}\n'


def main():
    import botocore
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--older')
    p.add_argument('model_dir')
    p.add_argument('services', nargs='*')
    a = p.parse_args()
    data = os.path.join(os.path.dirname(botocore.__file__), 'data')
    for service in a.services or SERVICES:
        facts = reduce(load(data, service), botocore.__version__, service)
        additions(facts, service)
        if service == 'sqs' and a.older:
            query_names(facts, load(a.older, 'sqs'))
        with open(f'{a.model_dir}/{service}.json', 'w') as f:
            f.write(text(facts))


if __name__ == '__main__':
    main()
