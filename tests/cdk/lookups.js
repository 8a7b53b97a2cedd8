/* What an app looks up before it is synthesised: all of it was made by
 * somebody else.  With -c image=NAME it wants what is not to be had. */
'use strict';

const { App, CfnOutput, RemovalPolicy, Stack } = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const elb = require('aws-cdk-lib/aws-elasticloadbalancingv2');
const kms = require('aws-cdk-lib/aws-kms');
const logs = require('aws-cdk-lib/aws-logs');
const route53 = require('aws-cdk-lib/aws-route53');
const ssm = require('aws-cdk-lib/aws-ssm');

class Lookups extends Stack {
	constructor(scope, id, props) {
		super(scope, id, props);
		const image = this.node.tryGetContext('image');
		const tags = { Team: 'network' };
		const vpc = ec2.Vpc.fromLookup(this, 'Vpc', { tags });
		const normal = ec2.Vpc.fromLookup(this, 'Default', { isDefault: true });
		const balancer = elb.ApplicationLoadBalancer.fromLookup(this, 'Balancer', {
			loadBalancerTags: tags });
		const listener = elb.ApplicationListener.fromLookup(this, 'Listener', {
			loadBalancerTags: tags, listenerPort: 80 });
		const zone = route53.HostedZone.fromLookup(this, 'Zone', {
			domainName: 'lookups.localhost' });
		const hidden = route53.HostedZone.fromLookup(this, 'Hidden', {
			domainName: 'hidden.localhost', privateZone: true, vpcId: vpc.vpcId });
		const found = {
			Vpc: vpc.vpcId,
			Cidr: vpc.vpcCidrBlock,
			Public: vpc.publicSubnets.map((s) => s.subnetId).join(),
			Tables: vpc.publicSubnets.map((s) => s.routeTable.routeTableId).join(),
			Isolated: vpc.isolatedSubnets.map((s) => s.subnetId).join(),
			DefaultVpc: normal.vpcId,
			DefaultPublic: normal.publicSubnets.map((s) => s.subnetId).join(),
			ById: ec2.SecurityGroup.fromLookupById(this, 'ById',
				this.node.tryGetContext('group')).securityGroupId,
			ByName: ec2.SecurityGroup.fromLookupByName(this, 'ByName', 'looked-for',
				vpc).securityGroupId,
			Balancer: balancer.loadBalancerArn,
			BalancerName: balancer.loadBalancerDnsName,
			BalancerZone: balancer.loadBalancerCanonicalHostedZoneId,
			Listener: listener.listenerArn,
			Zone: zone.hostedZoneId,
			Hidden: hidden.hostedZoneId,
			Key: kms.Key.fromLookup(this, 'Key', { aliasName: 'alias/lookups' }).keyId,
			Parameter: ssm.StringParameter.valueFromLookup(this, '/lookups/value'),
		};

		if (image)
			found.Image = ec2.MachineImage.lookup({ name: image })
				.getImage(this).imageId;
		/* A stack is more than what it looked for. */
		new logs.LogGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
		for (const [key, value] of Object.entries(found))
			new CfnOutput(this, `Found${key}`, { value });
	}
}

new Lookups(new App(), 'Lookups', { env: {
	account: process.env.CDK_DEFAULT_ACCOUNT,
	region: process.env.CDK_DEFAULT_REGION,
} });
