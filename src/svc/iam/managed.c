/* Policies of AWS's own: those that ECS, Fargate and CDK stacks name.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 * Each says what it allows of the services there are here. */
#include "svc/iam/iam.h"

/* A statement that allows actions on every resource. */
#define ALLOW(actions) \
	"{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":\"*\"}"
#define POLICY(statements) \
	"{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"

const struct managed managed_policies[] = {
	{"/", "AdministratorAccess",
	    POLICY(ALLOW("\"*\""))},
	{"/", "PowerUserAccess",
	    POLICY("{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\","
		"\"organizations:*\",\"account:*\"],\"Resource\":\"*\"}" ","
		ALLOW("\"account:GetAccountInformation\","
		"\"account:GetPrimaryEmail\","
		"\"account:ListRegions\","
		"\"iam:CreateServiceLinkedRole\","
		"\"iam:DeleteServiceLinkedRole\",\"iam:ListRoles\","
		"\"organizations:DescribeOrganization\""))},
	{"/", "ReadOnlyAccess",
	    POLICY(ALLOW("\"acm:Describe*\",\"acm:Get*\",\"acm:List*\","
		"\"application-autoscaling:Describe*\","
		"\"application-autoscaling:Get*\","
		"\"application-autoscaling:List*\","
		"\"budgets:Describe*\",\"budgets:Get*\","
		"\"budgets:List*\",\"budgets:View*\","
		"\"ce:Describe*\",\"ce:Get*\",\"ce:List*\","
		"\"cloudformation:Describe*\","
		"\"cloudformation:Estimate*\","
		"\"cloudformation:Get*\",\"cloudformation:List*\","
		"\"cloudwatch:Describe*\",\"cloudwatch:Get*\","
		"\"cloudwatch:List*\",\"ec2:Describe*\",\"ec2:Get*\","
		"\"ec2:List*\",\"ecr:BatchCheckLayerAvailability\","
		"\"ecr:BatchGet*\",\"ecr:Describe*\",\"ecr:Get*\","
		"\"ecr:List*\",\"ecs:Describe*\",\"ecs:Get*\","
		"\"ecs:List*\",\"elasticloadbalancing:Describe*\","
		"\"elasticloadbalancing:Get*\","
		"\"elasticloadbalancing:List*\","
		"\"events:Describe*\",\"events:Get*\","
		"\"events:List*\",\"iam:Describe*\","
		"\"iam:Generate*\",\"iam:Get*\",\"iam:List*\","
		"\"iam:Simulate*\",\"kms:Describe*\",\"kms:Get*\","
		"\"kms:List*\",\"lambda:Describe*\",\"lambda:Get*\","
		"\"lambda:List*\",\"logs:Describe*\","
		"\"logs:FilterLogEvents\",\"logs:Get*\","
		"\"logs:List*\",\"logs:StartQuery\","
		"\"logs:StopQuery\",\"logs:TestMetricFilter\","
		"\"route53:Describe*\",\"route53:Get*\","
		"\"route53:List*\",\"route53:Test*\","
		"\"s3:Describe*\",\"s3:Get*\",\"s3:Head*\","
		"\"s3:List*\",\"scheduler:Describe*\","
		"\"scheduler:Get*\",\"scheduler:List*\","
		"\"secretsmanager:Describe*\","
		"\"secretsmanager:GetResourcePolicy\","
		"\"secretsmanager:List*\","
		"\"servicediscovery:Describe*\","
		"\"servicediscovery:Get*\","
		"\"servicediscovery:List*\",\"sns:Describe*\","
		"\"sns:Get*\",\"sns:List*\",\"sqs:Describe*\","
		"\"sqs:Get*\",\"sqs:List*\",\"sqs:Receive*\","
		"\"ssm:Describe*\",\"ssm:Get*\",\"ssm:List*\","
		"\"sts:GetAccessKeyInfo\","
		"\"sts:GetCallerIdentity\",\"sts:GetSessionToken\","
		"\"tag:Describe*\",\"tag:Get*\",\"tag:List*\""))},
	{"/job-function/", "ViewOnlyAccess",
	    POLICY(ALLOW("\"acm:Describe*\",\"acm:List*\","
		"\"application-autoscaling:Describe*\","
		"\"application-autoscaling:List*\","
		"\"budgets:Describe*\",\"budgets:List*\","
		"\"ce:Describe*\",\"ce:List*\","
		"\"cloudformation:Describe*\","
		"\"cloudformation:List*\",\"cloudwatch:Describe*\","
		"\"cloudwatch:List*\",\"ec2:Describe*\","
		"\"ec2:List*\",\"ecr:Describe*\",\"ecr:List*\","
		"\"ecs:Describe*\",\"ecs:List*\","
		"\"elasticloadbalancing:Describe*\","
		"\"elasticloadbalancing:List*\","
		"\"events:Describe*\",\"events:List*\","
		"\"iam:Describe*\",\"iam:Get*\",\"iam:List*\","
		"\"kms:Describe*\",\"kms:List*\","
		"\"lambda:Describe*\",\"lambda:List*\","
		"\"logs:DescribeLogGroups\","
		"\"logs:DescribeLogStreams\",\"route53:Describe*\","
		"\"route53:List*\",\"s3:ListAllMyBuckets\","
		"\"s3:ListBucket\",\"scheduler:Describe*\","
		"\"scheduler:List*\","
		"\"secretsmanager:ListSecrets\","
		"\"servicediscovery:Describe*\","
		"\"servicediscovery:List*\",\"sns:Describe*\","
		"\"sns:List*\",\"sqs:Describe*\",\"sqs:List*\","
		"\"ssm:Describe*\",\"ssm:List*\",\"tag:Describe*\","
		"\"tag:List*\""))},
	{"/", "SecurityAudit",
	    POLICY(ALLOW("\"acm:Describe*\",\"acm:List*\","
		"\"application-autoscaling:Describe*\","
		"\"application-autoscaling:List*\","
		"\"budgets:Describe*\",\"budgets:List*\","
		"\"ce:Describe*\",\"ce:List*\","
		"\"cloudformation:Describe*\","
		"\"cloudformation:List*\",\"cloudwatch:Describe*\","
		"\"cloudwatch:List*\",\"ec2:Describe*\","
		"\"ec2:List*\",\"ecr:Describe*\","
		"\"ecr:GetRepositoryPolicy\",\"ecr:List*\","
		"\"ecs:Describe*\",\"ecs:List*\","
		"\"elasticloadbalancing:Describe*\","
		"\"elasticloadbalancing:List*\","
		"\"events:Describe*\",\"events:List*\","
		"\"iam:Describe*\","
		"\"iam:GenerateCredentialReport\",\"iam:Get*\","
		"\"iam:List*\",\"kms:Describe*\",\"kms:GetKey*\","
		"\"kms:List*\",\"lambda:Describe*\","
		"\"lambda:GetPolicy\",\"lambda:List*\","
		"\"logs:Describe*\",\"route53:Describe*\","
		"\"route53:List*\",\"s3:GetBucket*\","
		"\"s3:GetEncryptionConfiguration\","
		"\"s3:GetLifecycleConfiguration\","
		"\"s3:ListAllMyBuckets\",\"scheduler:Describe*\","
		"\"scheduler:List*\",\"secretsmanager:Describe*\","
		"\"secretsmanager:List*\","
		"\"servicediscovery:Describe*\","
		"\"servicediscovery:List*\",\"sns:Describe*\","
		"\"sns:List*\",\"sqs:Describe*\",\"sqs:List*\","
		"\"ssm:Describe*\",\"ssm:List*\",\"sts:Describe*\","
		"\"sts:List*\",\"tag:Describe*\",\"tag:List*\""))},
	{"/service-role/", "AmazonECSTaskExecutionRolePolicy",
	    POLICY(ALLOW("\"ecr:GetAuthorizationToken\","
		"\"ecr:BatchCheckLayerAvailability\","
		"\"ecr:GetDownloadUrlForLayer\","
		"\"ecr:BatchGetImage\",\"logs:CreateLogStream\","
		"\"logs:PutLogEvents\""))},
	{"/", "AmazonECS_FullAccess",
	    POLICY(ALLOW("\"application-autoscaling:*\","
		"\"cloudformation:CreateStack\","
		"\"cloudformation:DeleteStack\","
		"\"cloudformation:DescribeStack*\","
		"\"cloudformation:UpdateStack\","
		"\"cloudwatch:DeleteAlarms\","
		"\"cloudwatch:DescribeAlarms\","
		"\"cloudwatch:GetMetricStatistics\","
		"\"cloudwatch:PutMetricAlarm\",\"ec2:Describe*\","
		"\"ecs:*\",\"elasticloadbalancing:*\",\"events:*\","
		"\"iam:ListAttachedRolePolicies\","
		"\"iam:ListInstanceProfiles\",\"iam:ListRoles\","
		"\"lambda:ListFunctions\",\"logs:CreateLogGroup\","
		"\"logs:DescribeLogGroups\","
		"\"logs:FilterLogEvents\","
		"\"route53:CreateHostedZone\","
		"\"route53:DeleteHostedZone\","
		"\"route53:GetHostedZone\","
		"\"route53:ListHostedZonesByName\","
		"\"servicediscovery:*\",\"sns:ListTopics\"") ","
		"{\"Effect\":\"Allow\","
		"\"Action\":[\"ssm:GetParameter\","
		"\"ssm:GetParameters\","
		"\"ssm:GetParametersByPath\"],"
		"\"Resource\":\"arn:aws:ssm:*:*:parameter/aws/service/ecs*\"}" ","
		"{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\","
		"\"Resource\":\"*\","
		"\"Condition\":{\"StringLike\":{\"iam:PassedToService\":"
		"\"ecs-tasks.amazonaws.com\"}}}" ","
		"{\"Effect\":\"Allow\","
		"\"Action\":\"iam:CreateServiceLinkedRole\","
		"\"Resource\":\"*\","
		"\"Condition\":{\"StringLike\":{\"iam:AWSServiceName\":[\"ecs.amazonaws.com\","
		"\"ecs.application-autoscaling.amazonaws.com\"]}}}")},
	{"/service-role/", "AmazonEC2ContainerServiceAutoscaleRole",
	    POLICY(ALLOW("\"ecs:DescribeServices\",\"ecs:UpdateService\"") ","
		ALLOW("\"cloudwatch:DescribeAlarms\","
		"\"cloudwatch:PutMetricAlarm\""))},
	{"/service-role/", "AmazonEC2ContainerServiceEventsRole",
	    POLICY(ALLOW("\"ecs:RunTask\"") ","
		"{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\","
		"\"Resource\":\"*\","
		"\"Condition\":{\"StringLike\":{\"iam:PassedToService\":"
		"\"ecs-tasks.amazonaws.com\"}}}" ","
		"{\"Effect\":\"Allow\",\"Action\":\"ecs:TagResource\","
		"\"Resource\":\"*\","
		"\"Condition\":{\"StringEquals\":{\"ecs:CreateAction\":[\"RunTask\"]}}}")},
	{"/service-role/", "AWSLambdaBasicExecutionRole",
	    POLICY(ALLOW("\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
		"\"logs:PutLogEvents\""))},
	{"/service-role/", "AWSLambdaVPCAccessExecutionRole",
	    POLICY(ALLOW("\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
		"\"logs:PutLogEvents\","
		"\"ec2:CreateNetworkInterface\","
		"\"ec2:DescribeNetworkInterfaces\","
		"\"ec2:DescribeSubnets\","
		"\"ec2:DeleteNetworkInterface\","
		"\"ec2:AssignPrivateIpAddresses\","
		"\"ec2:UnassignPrivateIpAddresses\""))},
	{"/service-role/", "AWSLambdaSQSQueueExecutionRole",
	    POLICY(ALLOW("\"sqs:ReceiveMessage\",\"sqs:DeleteMessage\","
		"\"sqs:GetQueueAttributes\","
		"\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
		"\"logs:PutLogEvents\""))},
	{"/", "AWSLambda_FullAccess",
	    POLICY(ALLOW("\"cloudformation:DescribeStacks\","
		"\"cloudformation:ListStackResources\","
		"\"cloudwatch:GetMetricData\","
		"\"cloudwatch:ListMetrics\","
		"\"ec2:DescribeSecurityGroups\","
		"\"ec2:DescribeSubnets\",\"ec2:DescribeVpcs\","
		"\"iam:GetPolicy\",\"iam:GetPolicyVersion\","
		"\"iam:GetRole\",\"iam:GetRolePolicy\","
		"\"iam:ListAttachedRolePolicies\","
		"\"iam:ListRolePolicies\",\"iam:ListRoles\","
		"\"kms:ListAliases\",\"lambda:*\","
		"\"logs:DescribeLogGroups\",\"tag:GetResources\"") ","
		"{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\","
		"\"Resource\":\"*\","
		"\"Condition\":{\"StringEquals\":{\"iam:PassedToService\":"
		"\"lambda.amazonaws.com\"}}}")},
	{"/", "AmazonSSMReadOnlyAccess",
	    POLICY(ALLOW("\"ssm:Describe*\",\"ssm:Get*\",\"ssm:List*\""))},
	{"/", "AmazonSSMFullAccess",
	    POLICY(ALLOW("\"cloudwatch:PutMetricData\","
		"\"ec2:DescribeInstanceStatus\",\"logs:*\",\"ssm:*\""))},
	{"/", "AmazonS3ReadOnlyAccess",
	    POLICY(ALLOW("\"s3:Get*\",\"s3:List*\",\"s3:Describe*\","
		"\"s3-object-lambda:Get*\","
		"\"s3-object-lambda:List*\""))},
	{"/", "AmazonS3FullAccess",
	    POLICY(ALLOW("\"s3:*\",\"s3-object-lambda:*\""))},
	{"/", "AmazonEC2ContainerRegistryReadOnly",
	    POLICY(ALLOW("\"ecr:GetAuthorizationToken\","
		"\"ecr:BatchCheckLayerAvailability\","
		"\"ecr:GetDownloadUrlForLayer\","
		"\"ecr:GetRepositoryPolicy\","
		"\"ecr:DescribeRepositories\",\"ecr:ListImages\","
		"\"ecr:DescribeImages\",\"ecr:BatchGetImage\","
		"\"ecr:GetLifecyclePolicy\","
		"\"ecr:GetLifecyclePolicyPreview\","
		"\"ecr:ListTagsForResource\","
		"\"ecr:DescribeImageScanFindings\""))},
	{"/", "AmazonEC2ContainerRegistryPullOnly",
	    POLICY(ALLOW("\"ecr:GetAuthorizationToken\","
		"\"ecr:BatchCheckLayerAvailability\","
		"\"ecr:GetDownloadUrlForLayer\","
		"\"ecr:BatchGetImage\","
		"\"ecr:BatchImportUpstreamImage\""))},
	{"/", "AmazonEC2ContainerRegistryPowerUser",
	    POLICY(ALLOW("\"ecr:GetAuthorizationToken\","
		"\"ecr:BatchCheckLayerAvailability\","
		"\"ecr:GetDownloadUrlForLayer\","
		"\"ecr:GetRepositoryPolicy\","
		"\"ecr:DescribeRepositories\",\"ecr:ListImages\","
		"\"ecr:DescribeImages\",\"ecr:BatchGetImage\","
		"\"ecr:GetLifecyclePolicy\","
		"\"ecr:GetLifecyclePolicyPreview\","
		"\"ecr:ListTagsForResource\","
		"\"ecr:DescribeImageScanFindings\","
		"\"ecr:InitiateLayerUpload\","
		"\"ecr:UploadLayerPart\","
		"\"ecr:CompleteLayerUpload\",\"ecr:PutImage\""))},
	{"/", "AmazonEC2ContainerRegistryFullAccess",
	    POLICY(ALLOW("\"ecr:*\",\"cloudtrail:LookupEvents\"") ","
		"{\"Effect\":\"Allow\","
		"\"Action\":\"iam:CreateServiceLinkedRole\","
		"\"Resource\":\"*\","
		"\"Condition\":{\"StringEquals\":{\"iam:AWSServiceName\":"
		"\"replication.ecr.amazonaws.com\"}}}")},
	{"/", "CloudWatchLogsFullAccess",
	    POLICY(ALLOW("\"logs:*\",\"cloudwatch:GenerateQuery\""))},
	{"/", "CloudWatchLogsReadOnlyAccess",
	    POLICY(ALLOW("\"logs:Describe*\",\"logs:Get*\",\"logs:List*\","
		"\"logs:StartQuery\",\"logs:StopQuery\","
		"\"logs:TestMetricFilter\","
		"\"logs:FilterLogEvents\",\"logs:StartLiveTail\","
		"\"logs:StopLiveTail\""))},
	{"/", "CloudWatchReadOnlyAccess",
	    POLICY(ALLOW("\"application-autoscaling:DescribeScalingPolicies\","
		"\"autoscaling:Describe*\","
		"\"cloudwatch:Describe*\",\"cloudwatch:Get*\","
		"\"cloudwatch:List*\",\"logs:Get*\",\"logs:List*\","
		"\"logs:StartQuery\",\"logs:StopQuery\","
		"\"logs:Describe*\",\"logs:TestMetricFilter\","
		"\"logs:FilterLogEvents\",\"sns:Get*\",\"sns:List*\""))},
	{"/", "CloudWatchFullAccess",
	    POLICY(ALLOW("\"autoscaling:Describe*\",\"cloudwatch:*\","
		"\"logs:*\",\"sns:*\",\"iam:GetPolicy\","
		"\"iam:GetPolicyVersion\",\"iam:GetRole\""))},
	{"/", "CloudWatchAgentServerPolicy",
	    POLICY(ALLOW("\"cloudwatch:PutMetricData\","
		"\"ec2:DescribeVolumes\",\"ec2:DescribeTags\","
		"\"logs:PutLogEvents\",\"logs:PutRetentionPolicy\","
		"\"logs:DescribeLogStreams\","
		"\"logs:DescribeLogGroups\","
		"\"logs:CreateLogStream\",\"logs:CreateLogGroup\"") ","
		"{\"Effect\":\"Allow\",\"Action\":\"ssm:GetParameter\","
		"\"Resource\":\"arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*\"}")},
	{"/", "SecretsManagerReadWrite",
	    POLICY(ALLOW("\"secretsmanager:*\","
		"\"cloudformation:CreateChangeSet\","
		"\"cloudformation:DescribeChangeSet\","
		"\"cloudformation:DescribeStackResource\","
		"\"cloudformation:DescribeStacks\","
		"\"cloudformation:ExecuteChangeSet\","
		"\"ec2:DescribeSecurityGroups\","
		"\"ec2:DescribeSubnets\",\"ec2:DescribeVpcs\","
		"\"kms:DescribeKey\",\"kms:ListAliases\","
		"\"kms:ListKeys\",\"lambda:ListFunctions\","
		"\"tag:GetResources\""))},
	{"/", "AmazonRoute53FullAccess",
	    POLICY(ALLOW("\"route53:*\",\"route53domains:*\","
		"\"elasticloadbalancing:DescribeLoadBalancers\","
		"\"ec2:DescribeVpcs\",\"ec2:DescribeVpcEndpoints\","
		"\"ec2:DescribeRegions\",\"s3:ListBucket\","
		"\"s3:GetBucketLocation\",\"s3:GetBucketWebsite\","
		"\"sns:ListTopics\","
		"\"sns:ListSubscriptionsByTopic\","
		"\"cloudwatch:DescribeAlarms\","
		"\"cloudwatch:GetMetricStatistics\""))},
	{"/", "AmazonRoute53ReadOnlyAccess",
	    POLICY(ALLOW("\"route53:Get*\",\"route53:List*\","
		"\"route53:TestDNSAnswer\""))},
	{"/", "AmazonVPCFullAccess",
	    POLICY(ALLOW("\"ec2:*\""))},
	{"/", "AmazonVPCReadOnlyAccess",
	    POLICY(ALLOW("\"ec2:Describe*\",\"ec2:Get*\""))},
	{"/", "AmazonEC2FullAccess",
	    POLICY(ALLOW("\"ec2:*\"") ","
		ALLOW("\"elasticloadbalancing:*\"") ","
		ALLOW("\"cloudwatch:*\"") ","
		ALLOW("\"autoscaling:*\""))},
	{"/", "AmazonEC2ReadOnlyAccess",
	    POLICY(ALLOW("\"ec2:Describe*\",\"ec2:GetSecurityGroupsForVpc\"") ","
		ALLOW("\"elasticloadbalancing:Describe*\"") ","
		ALLOW("\"cloudwatch:ListMetrics\","
		"\"cloudwatch:GetMetricStatistics\","
		"\"cloudwatch:Describe*\"") ","
		ALLOW("\"autoscaling:Describe*\""))},
	{"/", "ElasticLoadBalancingFullAccess",
	    POLICY(ALLOW("\"elasticloadbalancing:*\"") ","
		ALLOW("\"ec2:Describe*\""))},
	{"/", "ElasticLoadBalancingReadOnly",
	    POLICY(ALLOW("\"elasticloadbalancing:Describe*\","
		"\"elasticloadbalancing:Get*\"") ","
		ALLOW("\"ec2:Describe*\""))},
	{"/", "IAMFullAccess",
	    POLICY(ALLOW("\"iam:*\",\"organizations:DescribeAccount\","
		"\"organizations:DescribeOrganization\""))},
	{"/", "IAMReadOnlyAccess",
	    POLICY(ALLOW("\"iam:GenerateCredentialReport\","
		"\"iam:GenerateServiceLastAccessedDetails\","
		"\"iam:Get*\",\"iam:List*\","
		"\"iam:SimulateCustomPolicy\","
		"\"iam:SimulatePrincipalPolicy\""))},
	{"/", "AWSCloudFormationFullAccess",
	    POLICY(ALLOW("\"cloudformation:*\""))},
	{"/", "AWSCloudFormationReadOnlyAccess",
	    POLICY(ALLOW("\"cloudformation:Describe*\","
		"\"cloudformation:EstimateTemplateCost\","
		"\"cloudformation:Get*\",\"cloudformation:List*\","
		"\"cloudformation:ValidateTemplate\","
		"\"cloudformation:Detect*\""))},
	{"/", "AWSCertificateManagerFullAccess",
	    POLICY(ALLOW("\"acm:*\""))},
	{"/", "AWSCertificateManagerReadOnly",
	    POLICY(ALLOW("\"acm:DescribeCertificate\","
		"\"acm:ListCertificates\",\"acm:GetCertificate\","
		"\"acm:ListTagsForCertificate\","
		"\"acm:GetAccountConfiguration\""))},
	{"/", "AWSKeyManagementServicePowerUser",
	    POLICY(ALLOW("\"kms:CreateAlias\",\"kms:CreateKey\","
		"\"kms:DeleteAlias\",\"kms:Describe*\","
		"\"kms:GenerateRandom\",\"kms:Get*\",\"kms:List*\","
		"\"kms:TagResource\",\"kms:UntagResource\","
		"\"iam:ListGroups\",\"iam:ListRoles\","
		"\"iam:ListUsers\""))},
	{"/", "AmazonSNSFullAccess",
	    POLICY(ALLOW("\"sns:*\""))},
	{"/", "AmazonSQSFullAccess",
	    POLICY(ALLOW("\"sqs:*\""))},
	{"/", "AmazonEventBridgeFullAccess",
	    POLICY(ALLOW("\"events:*\",\"schemas:*\",\"scheduler:*\",\"pipes:*\""))},
	{"/", "AWSXRayDaemonWriteAccess",
	    POLICY(ALLOW("\"xray:PutTraceSegments\","
		"\"xray:PutTelemetryRecords\","
		"\"xray:GetSamplingRules\","
		"\"xray:GetSamplingTargets\","
		"\"xray:GetSamplingStatisticSummaries\""))},
	{NULL, NULL, NULL},
};
