/* The tables of live properties: see live.h. */
#include "svc/cloudformation/live.h"

#define STEPS(...) ((const struct live_step[]){__VA_ARGS__, {.op = NULL}})
#define STEP(op_, with_, at_, ...) \
	{.op = op_, .with = with_, .at = at_, ##__VA_ARGS__}

#define VPC_ATTRIBUTE(attribute, prop) \
	STEP("ec2:DescribeVpcAttribute", "{'VpcId': '$ref', 'Attribute': '" \
	    attribute "'}", NULL, .takes = prop)
#define RULES(egress, prop, other) \
	STEP("ec2:DescribeSecurityGroupRules", "{'Filters': [{'Name': " \
	    "'group-id', 'Values': ['$ref']}]}", "SecurityGroupRules", \
	    .pick = "IsEgress=" egress, .takes = prop, .map = prop "=. " \
	    prop ".CidrIp=CidrIpv4 " prop "." other \
	    "SecurityGroupId=ReferencedGroupInfo.GroupId")
#define RULE(other) \
	STEPS(STEP("ec2:DescribeSecurityGroupRules", \
	    "{'SecurityGroupRuleIds': ['$ref']}", "SecurityGroupRules.0", \
	    .map = "CidrIp=CidrIpv4 " other \
	    "SecurityGroupId=ReferencedGroupInfo.GroupId"))
#define ELB_TAGS STEP("elbv2:DescribeTags", "{'ResourceArns': ['$ref']}", \
	"TagDescriptions.0", .takes = "Tags")
#define ELB_ATTRIBUTES(of, prop) \
	STEP("elbv2:Describe" of "Attributes", "{'" of "Arn': '$ref'}", NULL, \
	    .takes = prop, .map = prop "=Attributes", .given = true)
#define BUCKET(op_, prop, map_) \
	STEP("s3:" op_, "{'Bucket': '$ref'}", NULL, .takes = prop, \
	    .map = map_, .maybe = true)
#define CLUSTER(name, ...) \
	STEP("ecs:DescribeClusters", "{'clusters': ['" name "'], 'include': " \
	    "['SETTINGS', 'TAGS', 'CONFIGURATIONS']}", "clusters.0", \
	    ##__VA_ARGS__)

const struct live live_types[] = {
	{.type = "AWS::ApplicationAutoScaling::ScalableTarget", .steps = STEPS(
	    STEP("application-autoscaling:DescribeScalableTargets",
		"{'ServiceNamespace': '$p.ServiceNamespace', 'ResourceIds': "
		"['$p.ResourceId'], 'ScalableDimension': "
		"'$p.ScalableDimension'}", "ScalableTargets.0")),
	    .skip = "RoleARN ScheduledActions"},
	{.type = "AWS::ApplicationAutoScaling::ScalingPolicy", .steps = STEPS(
	    STEP("application-autoscaling:DescribeScalingPolicies",
		"{'ServiceNamespace': 'ecs'}", "ScalingPolicies.0",
		.pick = "PolicyARN=$ref"))},
	{.type = "AWS::CertificateManager::Certificate", .steps = STEPS(
	    STEP("acm:DescribeCertificate", "{'CertificateArn': '$ref'}",
		"Certificate", .takes = "DomainName"))},
	{.type = "AWS::EC2::EIP", .steps = STEPS(STEP("ec2:DescribeAddresses",
	    "{'AllocationIds': ['$a.AllocationId']}", "Addresses.0"))},
	{.type = "AWS::EC2::InternetGateway", .steps = STEPS(STEP("ec2:DescribeInternetGateways",
	    "{'InternetGatewayIds': ['$ref']}", "InternetGateways.0"))},
	{.type = "AWS::EC2::NatGateway", .steps = STEPS(STEP("ec2:DescribeNatGateways",
	    "{'NatGatewayIds': ['$ref']}", "NatGateways.0",
	    .map = "AllocationId=NatGatewayAddresses.0.AllocationId")),
	    .gone = "State=deleted"},
	{.type = "AWS::EC2::NetworkAcl", .steps = STEPS(STEP("ec2:DescribeNetworkAcls",
	    "{'NetworkAclIds': ['$ref']}", "NetworkAcls.0"))},
	{.type = "AWS::EC2::Route", .steps = STEPS(STEP("ec2:DescribeRouteTables",
	    "{'RouteTableIds': ['$p.RouteTableId']}", "RouteTables.0.Routes.0",
	    .pick = "DestinationCidrBlock=$p.DestinationCidrBlock"))},
	{.type = "AWS::EC2::RouteTable", .steps = STEPS(STEP("ec2:DescribeRouteTables",
	    "{'RouteTableIds': ['$ref']}", "RouteTables.0"))},
	{.type = "AWS::EC2::SecurityGroup", .steps = STEPS(
	    STEP("ec2:DescribeSecurityGroups", "{'GroupIds': ['$ref']}",
		"SecurityGroups.0", .map = "GroupDescription=Description"),
	    RULES("false", "SecurityGroupIngress", "Source"),
	    RULES("true", "SecurityGroupEgress", "Destination"))},
	{.type = "AWS::EC2::SecurityGroupEgress", .steps = RULE("Destination")},
	{.type = "AWS::EC2::SecurityGroupIngress", .steps = RULE("Source")},
	{.type = "AWS::EC2::Subnet", .steps = STEPS(STEP("ec2:DescribeSubnets",
	    "{'SubnetIds': ['$ref']}", "Subnets.0"))},
	{.type = "AWS::EC2::SubnetRouteTableAssociation", .steps = STEPS(
	    STEP("ec2:DescribeRouteTables", "{'Filters': [{'Name': "
		"'association.route-table-association-id', 'Values': "
		"['$ref']}]}", "RouteTables.0.Associations.0",
		.pick = "RouteTableAssociationId=$ref"))},
	{.type = "AWS::EC2::VPC", .steps = STEPS(
	    STEP("ec2:DescribeVpcs", "{'VpcIds': ['$ref']}", "Vpcs.0"),
	    VPC_ATTRIBUTE("enableDnsSupport", "EnableDnsSupport"),
	    VPC_ATTRIBUTE("enableDnsHostnames", "EnableDnsHostnames"))},
	{.type = "AWS::EC2::VPCGatewayAttachment", .steps = STEPS(
	    STEP("ec2:DescribeInternetGateways", "{'InternetGatewayIds': "
		"['$p.InternetGatewayId']}", "InternetGateways.0.Attachments.0",
		.pick = "VpcId=$p.VpcId"))},
	{.type = "AWS::ECR::Repository", .steps = STEPS(
	    STEP("ecr:DescribeRepositories", "{'repositoryNames': ['$ref']}",
		"repositories.0"),
	    STEP("ecr:ListTagsForResource", "{'resourceArn': '$a.Arn'}", NULL),
	    STEP("ecr:GetRepositoryPolicy", "{'repositoryName': '$ref'}", NULL,
		.takes = "RepositoryPolicyText", .maybe = true,
		.map = "RepositoryPolicyText=policyText"),
	    STEP("ecr:GetLifecyclePolicy", "{'repositoryName': '$ref'}", NULL,
		.takes = "LifecyclePolicy", .maybe = true,
		.map = "LifecyclePolicy=."))},
	{.type = "AWS::ECS::Cluster", .steps = STEPS(CLUSTER("$ref",
	    .map = "ClusterSettings=settings")),
	    .gone = "status=INACTIVE"},
	{.type = "AWS::ECS::ClusterCapacityProviderAssociations", .steps = STEPS(
	    CLUSTER("$p.Cluster")), .gone = "status=INACTIVE",
	    .skip = "Cluster"},
	{.type = "AWS::ECS::Service", .steps = STEPS(STEP("ecs:DescribeServices",
	    "{'services': ['$ref'], 'cluster': '$p.Cluster', 'include': "
	    "['TAGS']}", "services.0",
	    .map = "PlacementStrategies=placementStrategy")),
	    .gone = "status=INACTIVE", .skip = "PlatformVersion"},
	{.type = "AWS::ECS::TaskDefinition", .steps = STEPS(
	    STEP("ecs:DescribeTaskDefinition", "{'taskDefinition': '$ref', "
		"'include': ['TAGS']}", "taskDefinition",
		.map = "ProxyConfiguration.ProxyConfigurationProperties="
		    "properties"),
	    STEP("ecs:DescribeTaskDefinition", "{'taskDefinition': '$ref', "
		"'include': ['TAGS']}", NULL, .takes = "Tags")),
	    .gone = "status=INACTIVE"},
	{.type = "AWS::ElasticLoadBalancingV2::Listener", .steps = STEPS(
	    STEP("elbv2:DescribeListeners", "{'ListenerArns': ['$ref']}",
		"Listeners.0"),
	    ELB_ATTRIBUTES("Listener", "ListenerAttributes"))},
	{.type = "AWS::ElasticLoadBalancingV2::ListenerRule", .steps = STEPS(
	    STEP("elbv2:DescribeRules", "{'RuleArns': ['$ref']}", "Rules.0"))},
	{.type = "AWS::ElasticLoadBalancingV2::LoadBalancer", .steps = STEPS(
	    STEP("elbv2:DescribeLoadBalancers", "{'LoadBalancerArns': "
		"['$ref']}", "LoadBalancers.0", .map = "Name=LoadBalancerName "
		"Subnets=AvailabilityZones.*.SubnetId "
		"SubnetMappings=AvailabilityZones"),
	    ELB_ATTRIBUTES("LoadBalancer", "LoadBalancerAttributes"),
	    ELB_TAGS)},
	{.type = "AWS::ElasticLoadBalancingV2::TargetGroup", .steps = STEPS(
	    STEP("elbv2:DescribeTargetGroups", "{'TargetGroupArns': ['$ref']}",
		"TargetGroups.0", .map = "Name=TargetGroupName"),
	    ELB_ATTRIBUTES("TargetGroup", "TargetGroupAttributes"), ELB_TAGS),
	    .skip = "Targets"},
	{.type = "AWS::IAM::Group", .steps = STEPS(STEP("iam:GetGroup",
	    "{'GroupName': '$ref'}", "Group")), .skip = "Policies"},
	{.type = "AWS::IAM::InstanceProfile", .steps = STEPS(
	    STEP("iam:GetInstanceProfile", "{'InstanceProfileName': '$ref'}",
		"InstanceProfile", .map = "Roles=Roles.*.RoleName"))},
	{.type = "AWS::IAM::ManagedPolicy", .steps = STEPS(
	    STEP("iam:GetPolicy", "{'PolicyArn': '$ref'}", "Policy",
		.map = "ManagedPolicyName=PolicyName"),
	    STEP("iam:GetPolicyVersion", "{'PolicyArn': '$ref', 'VersionId': "
		"'$o.Policy.DefaultVersionId'}", "PolicyVersion",
		.map = "PolicyDocument=Document", .takes = "PolicyDocument")),
	    .skip = "Roles Users Groups"},
	{.type = "AWS::IAM::Policy", .steps = STEPS(STEP("iam:GetRolePolicy", "{'RoleName': "
	    "'$p.Roles.0', 'PolicyName': '$p.PolicyName'}", NULL)),
	    .skip = "Roles Users Groups"},
	{.type = "AWS::IAM::Role", .steps = STEPS(
	    STEP("iam:GetRole", "{'RoleName': '$ref'}", "Role",
		.map = "PermissionsBoundary="
		    "PermissionsBoundary.PermissionsBoundaryArn"),
	    STEP("iam:ListAttachedRolePolicies", "{'RoleName': '$ref'}", NULL,
		.takes = "ManagedPolicyArns",
		.map = "ManagedPolicyArns=AttachedPolicies.*.PolicyArn")),
	    .skip = "Policies"},
	{.type = "AWS::IAM::User", .steps = STEPS(STEP("iam:GetUser",
	    "{'UserName': '$ref'}", "User", .map = "PermissionsBoundary="
		"PermissionsBoundary.PermissionsBoundaryArn")),
	    .skip = "Policies LoginProfile"},
	{.type = "AWS::KMS::Alias", .steps = STEPS(STEP("kms:ListAliases", "{}", "Aliases.0",
	    .pick = "AliasName=$ref")), .skip = "TargetKeyId"},
	{.type = "AWS::KMS::Key", .steps = STEPS(
	    STEP("kms:DescribeKey", "{'KeyId': '$ref'}", "KeyMetadata"),
	    STEP("kms:GetKeyPolicy", "{'KeyId': '$ref', 'PolicyName': "
		"'default'}", NULL, .takes = "KeyPolicy",
		.map = "KeyPolicy=Policy"),
	    STEP("kms:GetKeyRotationStatus", "{'KeyId': '$ref'}", NULL,
		.takes = "EnableKeyRotation RotationPeriodInDays",
		.map = "EnableKeyRotation=KeyRotationEnabled"),
	    STEP("kms:ListResourceTags", "{'KeyId': '$ref'}", NULL,
		.takes = "Tags")), .gone = "KeyState=PendingDeletion"},
	{.type = "AWS::Logs::LogGroup", .steps = STEPS(
	    STEP("logs:DescribeLogGroups", "{'logGroupNamePrefix': '$ref'}",
		"logGroups.0", .pick = "logGroupName=$ref"),
	    STEP("logs:ListTagsForResource", "{'resourceArn': "
		"'arn:${partition}:logs:${region}:${account}:log-group:"
		"${ref}'}", NULL, .takes = "Tags"))},
	{.type = "AWS::Logs::LogStream", .steps = STEPS(STEP("logs:DescribeLogStreams",
	    "{'logGroupName': '$p.LogGroupName', 'logStreamNamePrefix': "
	    "'$ref'}", "logStreams.0", .pick = "logStreamName=$ref"))},
	{.type = "AWS::Route53::HostedZone", .steps = STEPS(
	    STEP("route53:GetHostedZone", "{'Id': '$ref'}", "HostedZone",
		.map = "HostedZoneConfig=Config"),
	    STEP("route53:ListTagsForResource", "{'ResourceType': "
		"'hostedzone', 'ResourceId': '$ref'}", "ResourceTagSet",
		.takes = "HostedZoneTags", .map = "HostedZoneTags=Tags")),
	    .skip = "Name VPCs QueryLoggingConfig"},
	{.type = "AWS::Route53::RecordSet", .steps = STEPS(
	    STEP("route53:ListResourceRecordSets", "{'HostedZoneId': "
		"'$p.HostedZoneId', 'StartRecordName': '$p.Name', "
		"'StartRecordType': '$p.Type', 'MaxItems': '1'}",
		"ResourceRecordSets.0", .pick = "Name=$p.Name",
		.map = "ResourceRecords=ResourceRecords.*.Value")),
	    .skip = "Name HostedZoneId HostedZoneName AliasTarget"},
	{.type = "AWS::S3::Bucket", .steps = STEPS(
	    STEP("s3:GetBucketLocation", "{'Bucket': '$ref'}", NULL,
		.takes = ""),
	    BUCKET("GetBucketEncryption", "BucketEncryption",
		"BucketEncryption=ServerSideEncryptionConfiguration "
		"BucketEncryption.ServerSideEncryptionConfiguration=Rules "
		"BucketEncryption.ServerSideEncryptionConfiguration."
		"ServerSideEncryptionByDefault="
		"ApplyServerSideEncryptionByDefault"),
	    BUCKET("GetBucketVersioning", "VersioningConfiguration",
		"VersioningConfiguration=."),
	    BUCKET("GetPublicAccessBlock", "PublicAccessBlockConfiguration",
		NULL),
	    BUCKET("GetBucketOwnershipControls", "OwnershipControls", NULL),
	    BUCKET("GetBucketLifecycleConfiguration", "LifecycleConfiguration",
		"LifecycleConfiguration=. LifecycleConfiguration.Rules."
		"ExpirationInDays=Expiration.Days LifecycleConfiguration."
		"Rules.Prefix=Filter.Prefix"),
	    BUCKET("GetBucketTagging", "Tags", "Tags=TagSet"))},
	{.type = "AWS::S3::BucketPolicy", .steps = STEPS(STEP("s3:GetBucketPolicy",
	    "{'Bucket': '$p.Bucket'}", NULL, .map = "PolicyDocument=Policy"))},
	{.type = "AWS::SSM::Parameter", .steps = STEPS(
	    STEP("ssm:GetParameter", "{'Name': '$ref'}", "Parameter"),
	    STEP("ssm:DescribeParameters", "{'ParameterFilters': [{'Key': "
		"'Name', 'Option': 'Equals', 'Values': ['$ref']}]}",
		"Parameters.0", .takes = "Description Tier AllowedPattern"),
	    STEP("ssm:ListTagsForResource", "{'ResourceType': 'Parameter', "
		"'ResourceId': '$ref'}", NULL, .takes = "Tags",
		.map = "Tags=TagList"))},
	{.type = "AWS::SecretsManager::Secret", .steps = STEPS(STEP(
	    "secretsmanager:DescribeSecret", "{'SecretId': '$ref'}", NULL)),
	    .skip = "ReplicaRegions"},
	{.type = NULL},
};
