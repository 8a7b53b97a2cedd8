#!/usr/bin/env python3
"""Reduces the registry's schemas of CloudFormation resource types, as cfn-lint
installs them, to the compact facts in model/cfn.json.  No prose is carried
over.

	tools/import-cfn.py MODEL-DIR [TYPE...]

Needs `import cfnlint`; the facts record its version.  Adding a resource type
is adding its name to TYPES, running this, and a mapping in a service's cfn.c.
doc/format/cfn.md describes the result.
"""
import importlib.metadata
import importlib.util
import json
import os
import sys

TYPES = """
AWS::ApplicationAutoScaling::ScalableTarget
AWS::ApplicationAutoScaling::ScalingPolicy
AWS::CDK::Metadata AWS::CertificateManager::Certificate
AWS::CloudFormation::CustomResource AWS::CloudFormation::Stack
AWS::CloudFormation::WaitCondition AWS::CloudFormation::WaitConditionHandle
AWS::EC2::EIP AWS::EC2::EIPAssociation AWS::EC2::InternetGateway
AWS::EC2::NatGateway
AWS::EC2::NetworkAcl AWS::EC2::NetworkAclEntry AWS::EC2::Route
AWS::EC2::RouteTable AWS::EC2::SecurityGroup AWS::EC2::SecurityGroupEgress
AWS::EC2::SecurityGroupIngress AWS::EC2::Subnet
AWS::EC2::SubnetNetworkAclAssociation AWS::EC2::SubnetRouteTableAssociation
AWS::EC2::VPC AWS::EC2::VPCGatewayAttachment
AWS::ECR::Repository
AWS::ECS::Cluster AWS::ECS::ClusterCapacityProviderAssociations
AWS::ECS::Service AWS::ECS::TaskDefinition
AWS::ElasticLoadBalancingV2::Listener
AWS::ElasticLoadBalancingV2::ListenerCertificate
AWS::ElasticLoadBalancingV2::ListenerRule
AWS::ElasticLoadBalancingV2::LoadBalancer
AWS::ElasticLoadBalancingV2::TargetGroup
AWS::IAM::AccessKey AWS::IAM::Group AWS::IAM::GroupPolicy
AWS::IAM::InstanceProfile AWS::IAM::ManagedPolicy AWS::IAM::OIDCProvider
AWS::IAM::Policy AWS::IAM::Role AWS::IAM::RolePolicy
AWS::IAM::ServiceLinkedRole AWS::IAM::User AWS::IAM::UserPolicy
AWS::IAM::UserToGroupAddition
AWS::KMS::Alias AWS::KMS::Key
AWS::Logs::LogGroup AWS::Logs::LogStream
AWS::Route53::HostedZone AWS::Route53::RecordSet AWS::Route53::RecordSetGroup
AWS::S3::Bucket AWS::S3::BucketPolicy
AWS::SSM::Parameter
AWS::SecretsManager::ResourcePolicy AWS::SecretsManager::Secret
""".split()

SCALARS = ('string', 'integer', 'number', 'boolean')
# Not in the registry: what AWS itself, or its CDK, defines.
EXTRA = {
    'AWS::CDK::Metadata': {
        'properties': {'Analytics': {'type': 'string'}}},
    'AWS::CloudFormation::CustomResource': {
        'any': True,
        'properties': {'ServiceToken': {'type': 'string'},
                       'ServiceTimeout': {'type': 'integer'}},
        'required': ['ServiceToken'], 'createOnly': ['ServiceToken']},
}

# What the registry says less of than the documentation.
KNOWN = {
    'AWS::CloudFormation::Stack': {
        'Parameters': {'type': 'object',
                       'patternProperties': {'.*': {'type': 'string'}}}},
}


class Type:
    """One schema's facts; shapes are named by their definitions."""

    def __init__(self, schema):
        self.schema = schema
        self.defs = schema.get('definitions', {})
        self.shapes = {}
        self.flags = {}
        for key, name in (('createOnlyProperties', 'createOnly'),
                          ('conditionalCreateOnlyProperties', 'maybe'),
                          ('readOnlyProperties', 'readOnly'),
                          ('writeOnlyProperties', 'writeOnly')):
            for path in schema.get(key, ()):
                self.flags.setdefault(self.dotted(path), []).append(name)

    @staticmethod
    def dotted(path):
        return '.'.join(p for p in path.split('/')[2:]
                        if p not in ('*', 'items', 'properties'))

    def deref(self, s, name):
        while '$ref' in s:
            name = s['$ref'].split('/')[-1]
            s = self.defs[name]
        return s, name

    def prop(self, s, name, path):
        s, name = self.deref(s, name)
        kind, out = s.get('type'), {}
        if isinstance(kind, list):
            kind = ('json' if 'object' in kind else
                    kind[0] if kind[0] in SCALARS and len(kind) == 1 else
                    'string' if 'string' in kind else kind[0])
        if kind is None:
            kind = ('object' if 'properties' in s else
                    'array' if 'items' in s else 'any')
        if kind in SCALARS or kind in ('json', 'any'):
            out['type'] = kind
            if kind == 'string' and 'enum' in s:
                out['enum'] = [str(e) for e in s['enum']]
        elif kind == 'array':
            out['type'] = 'list'
            out['item'] = self.prop(s.get('items', {}), name, path)
        elif s.get('properties') or s.get('patternProperties'):
            out['type'] = 'object'
            out['shape'] = self.shape(s, name, path)
        else:
            out['type'] = 'json'
        return out

    def shape(self, s, name, path):
        if name in self.shapes:
            return name
        self.shapes[name] = out = {}
        if s.get('properties'):
            # Some definitions let members come only in variants.
            required = sorted(s.get('required', ()))
            members = {}
            for k in sorted(s['properties']):
                at = f'{path}.{k}' if path else k
                members[k] = self.prop(s['properties'][k], name + k, at)
            out['members'] = members
            if required:
                out['required'] = required
        else:
            value = next(iter(s['patternProperties'].values()))
            if isinstance(value, bool):
                value = {}
            out['map'] = self.prop(value, name + 'Value', path)
        return name

    def mark(self, path, flags):
        """A path's flags are the member's, wherever its shape is used."""
        shape = ''
        for part in path.split('.'):
            member = self.shapes[shape].get('members', {}).get(part)
            if member is None:
                return
            inner = member
            while 'item' in inner:
                inner = inner['item']
            shape = inner.get('shape', None)
            if shape is None:
                break
        else:
            part = None
        if part is None or path.endswith(part):
            for f in flags:
                member[f] = True

    def facts(self):
        s = self.schema
        out = {'shape': self.shape(s, '', ''), 'shapes': self.shapes}
        for path, flags in self.flags.items():
            self.mark(path, flags)
        identifier = [self.dotted(p) for p in s.get('primaryIdentifier', ())]
        if identifier:
            out['identifier'] = identifier
        attrs = sorted(p for p, f in self.flags.items() if 'readOnly' in f)
        if attrs:
            out['attributes'] = attrs
        tagging = s.get('tagging', {})
        tag = self.dotted(tagging.get('tagProperty', '/properties/Tags'))
        # The registry's default is that a type takes tags.
        if tagging.get('taggable', True) and tag in s['properties']:
            out['tags'] = tag
        if s.get('any'):
            out['any'] = True
        return out


def write(out, facts):
    """One shape a line."""
    out.write(f'{{"source": {json.dumps(facts["source"])},\n"types": {{')
    for i, (name, t) in enumerate(facts['types'].items()):
        shapes = t.pop('shapes')
        out.write(f'{"," if i else ""}\n{json.dumps(name)}: '
                  f'{json.dumps(t, sort_keys=True)[:-1]}, "shapes": {{\n')
        out.write(',\n'.join(f' {json.dumps(k)}: '
                             f'{json.dumps(v, sort_keys=True)}'
                             for k, v in sorted(shapes.items())))
        out.write('}}')
    out.write('}}\n')


def main(model_dir, types):
    root = os.path.dirname(importlib.util.find_spec('cfnlint').origin)
    schemas = os.path.join(root, 'data', 'schemas')
    spec = importlib.util.spec_from_file_location(
        'us_east_1', os.path.join(schemas, 'providers', 'us_east_1.py'))
    region = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(region)
    facts = {'source': 'cfn-lint ' + importlib.metadata.version('cfn-lint'),
             'types': {}}
    for name in sorted(types):
        schema = EXTRA.get(name)
        if schema:
            schema = dict(schema)
            schema['createOnlyProperties'] = [
                '/properties/' + p for p in schema.get('createOnly', ())]
        else:
            with open(os.path.join(schemas, 'resources',
                                   region.types[name] + '.json')) as f:
                schema = json.load(f)
            schema['properties'].update(KNOWN.get(name, {}))
        facts['types'][name] = Type(schema).facts()
    with open(os.path.join(model_dir, 'cfn.json'), 'w') as out:
        write(out, facts)
    print(f'{len(facts["types"])} types, {facts["source"]}')


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:] or TYPES)
