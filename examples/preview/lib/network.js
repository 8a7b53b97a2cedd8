/* A VPC of three tiers in two zones: load balancers are public, tasks reach
 * out through one NAT gateway, the isolated subnets wait for a database. */
'use strict';

const ec2 = require('aws-cdk-lib/aws-ec2');
const { Construct } = require('constructs');

class Network extends Construct {
	constructor(scope, id, { port }) {
		super(scope, id);
		this.vpc = new ec2.Vpc(this, 'Vpc', {
			ipAddresses: ec2.IpAddresses.cidr('10.0.0.0/16'),
			maxAzs: 2,
			natGateways: 1,
			subnetConfiguration: [
				{ name: 'public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24 },
				{ name: 'private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 24 },
				{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED, cidrMask: 28 },
			],
		});
		this.front = new ec2.SecurityGroup(this, 'Front', {
			vpc: this.vpc,
			description: 'the load balancer: open on 80 and 443',
			allowAllOutbound: false,
		});
		for (const open of [80, 443])
			this.front.addIngressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(open));
		this.tasks = new ec2.SecurityGroup(this, 'Tasks', {
			vpc: this.vpc,
			description: 'tasks: for the load balancer alone',
		});
		this.tasks.addIngressRule(this.front, ec2.Port.tcp(port));
		this.front.addEgressRule(this.tasks, ec2.Port.tcp(port));
	}
}

module.exports = { Network };
