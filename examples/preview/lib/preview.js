/* Everything of a preview that runs: network, service, load balancer, name,
 * certificate, scaling. */
'use strict';

const { CfnOutput, Duration, RemovalPolicy, Stack } = require('aws-cdk-lib');
const acm = require('aws-cdk-lib/aws-certificatemanager');
const ecs = require('aws-cdk-lib/aws-ecs');
const elb = require('aws-cdk-lib/aws-elasticloadbalancingv2');
const iam = require('aws-cdk-lib/aws-iam');
const logs = require('aws-cdk-lib/aws-logs');
const route53 = require('aws-cdk-lib/aws-route53');
const targets = require('aws-cdk-lib/aws-route53-targets');
const scaling = require('aws-cdk-lib/aws-applicationautoscaling');
const ssm = require('aws-cdk-lib/aws-ssm');
const { Network } = require('./network');

const PORT = 3040;
const PARAMETERS = '/app/development';

class Preview extends Stack {
	constructor(scope, id, props) {
		super(scope, id, props);
		this.number = props.number;
		this.network = new Network(this, 'Network', { port: PORT });
		this.definition = this.task(props);
		this.service = this.run(props);
		this.balancer = this.balance(props.zone);
		this.scale();
		this.tell();
	}

	task({ repository, imageTag, environment }) {
		const name = `pr-${this.number}`;
		const group = new logs.LogGroup(this, 'Logs', {
			logGroupName: `/ecs/app-${name}`,
			retention: logs.RetentionDays.ONE_WEEK,
			removalPolicy: RemovalPolicy.DESTROY,
		});
		const definition = new ecs.FargateTaskDefinition(this, 'Task', {
			family: `app-${name}`,
			cpu: 256,
			memoryLimitMiB: 512,
			taskRole: this.taskRole(group),
		});

		definition.addContainer('api', {
			image: ecs.ContainerImage.fromEcrRepository(repository, imageTag),
			portMappings: [{ containerPort: PORT }],
			environment: {
				PORT: String(PORT),
				START_MS: '500',
				DEPLOYMENT: name,
				/* Resolved when the stack is deployed. */
				LOG_LEVEL: ssm.StringParameter.valueForStringParameter(
					this, `${PARAMETERS}/LOG_LEVEL`),
				...environment,
			},
			secrets: {
				/* Resolved when a task starts, shown nowhere. */
				API_KEY: ecs.Secret.fromSsmParameter(
					ssm.StringParameter.fromSecureStringParameterAttributes(
						this, 'ApiKey', { parameterName: `${PARAMETERS}/API_KEY` })),
			},
			logging: ecs.LogDrivers.awsLogs({ logGroup: group, streamPrefix: 'ecs' }),
			healthCheck: {
				command: ['CMD-SHELL',
					`wget -q -O /dev/null http://127.0.0.1:${PORT}/api/health`],
				interval: Duration.seconds(5),
				timeout: Duration.seconds(4),
				retries: 3,
				startPeriod: Duration.seconds(10),
			},
		});
		return definition;
	}

	taskRole(group) {
		const role = new iam.Role(this, 'TaskRole', {
			assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com'),
			description: 'what the application may do',
		});

		role.addToPolicy(new iam.PolicyStatement({
			actions: ['ssm:GetParameter', 'ssm:GetParametersByPath'],
			resources: [this.formatArn({
				service: 'ssm', resource: 'parameter', resourceName: `${PARAMETERS.slice(1)}/*` })],
		}));
		role.addToPolicy(new iam.PolicyStatement({
			actions: ['cloudwatch:PutMetricData'],
			resources: ['*'],
			conditions: { StringEquals: { 'cloudwatch:namespace': 'App/ECS' } },
		}));
		group.grantWrite(role);
		return role;
	}

	run({ desiredCount }) {
		const cluster = new ecs.Cluster(this, 'Cluster', {
			clusterName: `app-pr-${this.number}`,
			vpc: this.network.vpc,
			enableFargateCapacityProviders: true,
		});

		return new ecs.FargateService(this, 'Service', {
			cluster,
			serviceName: 'api',
			taskDefinition: this.definition,
			desiredCount,
			capacityProviderStrategies: [
				{ capacityProvider: 'FARGATE', weight: 1 },
			],
			securityGroups: [this.network.tasks],
			minHealthyPercent: 100,
			maxHealthyPercent: 200,
			circuitBreaker: { rollback: true },
			healthCheckGracePeriod: Duration.seconds(60),
		});
	}

	balance(zone) {
		const hosted = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', zone);
		const name = `pr-${this.number}-api.${zone.zoneName}`;
		const balancer = new elb.ApplicationLoadBalancer(this, 'Balancer', {
			vpc: this.network.vpc,
			internetFacing: true,
			securityGroup: this.network.front,
		});

		balancer.addRedirect();
		balancer.addListener('Https', {
			port: 443,
			open: false,
			sslPolicy: elb.SslPolicy.RECOMMENDED_TLS,
			certificates: [new acm.Certificate(this, 'Certificate', {
				domainName: name,
				subjectAlternativeNames: [`*.${name}`],
				validation: acm.CertificateValidation.fromDns(hosted),
			})],
		}).addTargets('Api', {
			port: PORT,
			protocol: elb.ApplicationProtocol.HTTP,
			targets: [this.service],
			deregistrationDelay: Duration.seconds(5),
			healthCheck: {
				path: '/api/health',
				healthyHttpCodes: '200',
				interval: Duration.seconds(5),
				timeout: Duration.seconds(4),
				healthyThresholdCount: 2,
				unhealthyThresholdCount: 3,
			},
		});
		new route53.ARecord(this, 'Name', {
			zone: hosted,
			recordName: name,
			target: route53.RecordTarget.fromAlias(new targets.LoadBalancerTarget(balancer)),
		});
		this.url = `https://${name}`;
		return balancer;
	}

	scale() {
		const count = this.service.autoScaleTaskCount({ minCapacity: 1, maxCapacity: 4 });
		const cooldown = {
			scaleInCooldown: Duration.seconds(60),
			scaleOutCooldown: Duration.seconds(60),
		};

		count.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 70, ...cooldown });
		count.scaleOnMemoryUtilization('Memory', { targetUtilizationPercent: 80, ...cooldown });
		/* Asleep at 22:00 UTC; `aws ecs update-service --desired-count 1` wakes it. */
		count.scaleOnSchedule('Night', {
			schedule: scaling.Schedule.cron({ hour: '22', minute: '0' }),
			minCapacity: 0,
			maxCapacity: 0,
		});
	}

	tell() {
		const outputs = {
			Url: this.url,
			LoadBalancer: this.balancer.loadBalancerDnsName,
			ClusterName: this.service.cluster.clusterName,
			ServiceName: this.service.serviceName,
			AutoShutdownStatus: 'enabled',
			ShutdownSchedule: '0 22 * * * UTC',
		};

		for (const [key, value] of Object.entries(outputs))
			new CfnOutput(this, key, { value, exportName: `${this.stackName}-${key}` });
	}
}

module.exports = { Preview };
