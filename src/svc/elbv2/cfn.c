/* Load balancers and what belongs to them as CloudFormation makes them. */
#include "cfn/type.h"
#include "svc/elbv2/elbv2.h"

#define THE_LB "{'LoadBalancerArn': '$ref'}"
#define THE_TG "{'TargetGroupArn': '$ref'}"
#define THE_LISTENER "{'ListenerArn': '$ref'}"
#define THE_RULE "{'RuleArn': '$ref'}"
#define ARNS "{'ResourceArns': ['$ref']}"
#define ATTRIBUTES(of) .map = of "Attributes=Attributes"

static const struct cfn_tagging tagging = {
	"AddTags", ARNS, "Tags", "RemoveTags", ARNS, "TagKeys",
};

static const struct cfn_wait lb_ready = {
	.op = "DescribeLoadBalancers",
	.with = "{'LoadBalancerArns': ['$ref']}",
	.value = "$o.LoadBalancers.0.State.Code",
	.done = "active active_impaired",
	.failed = "failed",
	.reason = "$o.LoadBalancers.0.State.Reason",
};

const struct cfn_map elbv2_types[] = {
	{
		.type = "AWS::ElasticLoadBalancingV2::LoadBalancer",
		.name = "Name",
		.name_max = 32,
		.name_plain = true,
		.create = CFN_STEPS(CFN_STEP("CreateLoadBalancer", NULL, NULL),
		    CFN_STEP("ModifyLoadBalancerAttributes",
			"LoadBalancerAttributes", THE_LB,
			ATTRIBUTES("LoadBalancer"))),
		.update = CFN_STEPS(
		    CFN_STEP("SetSecurityGroups", "SecurityGroups", THE_LB),
		    CFN_STEP("SetSubnets", "Subnets SubnetMappings", THE_LB),
		    CFN_STEP("SetIpAddressType", "IpAddressType", THE_LB),
		    CFN_STEP("ModifyLoadBalancerAttributes",
			"LoadBalancerAttributes", THE_LB,
			ATTRIBUTES("LoadBalancer"))),
		.defaults = "{'IpAddressType': 'ipv4'}",
		.unsets = "Subnets SubnetMappings", /* one for the other */
		.remove = CFN_STEPS(
		    CFN_STEP("DeleteLoadBalancer", "", THE_LB)),
		.ref = "$o.LoadBalancers.0.LoadBalancerArn",
		.attrs = "{'LoadBalancerArn': '$ref', "
		    "'DNSName': '$o.LoadBalancers.0.DNSName', "
		    "'CanonicalHostedZoneID': "
		    "'$o.LoadBalancers.0.CanonicalHostedZoneId', "
		    "'LoadBalancerName': '$p.Name', "
		    "'LoadBalancerFullName': '$ref>loadbalancer/', "
		    "'SecurityGroups': '$o.LoadBalancers.0.SecurityGroups'}",
		.tagging = &tagging,
		.ready = &lb_ready,
	},
	{
		.type = "AWS::ElasticLoadBalancingV2::TargetGroup",
		.name = "Name",
		.name_max = 32,
		.name_plain = true,
		.create = CFN_STEPS(CFN_STEP("CreateTargetGroup", NULL, NULL),
		    CFN_STEP("ModifyTargetGroupAttributes",
			"TargetGroupAttributes", THE_TG,
			ATTRIBUTES("TargetGroup")),
		    CFN_STEP("RegisterTargets", "Targets", THE_TG)),
		.update = CFN_STEPS(
		    CFN_STEP("ModifyTargetGroup", NULL, THE_TG),
		    CFN_STEP("ModifyTargetGroupAttributes",
			"TargetGroupAttributes", THE_TG,
			ATTRIBUTES("TargetGroup"))),
		.defaults = "{'HealthCheckPath': '/', "
		    "'HealthCheckIntervalSeconds': 30, "
		    "'HealthCheckTimeoutSeconds': 5, "
		    "'HealthyThresholdCount': 5, "
		    "'UnhealthyThresholdCount': 2, "
		    "'HealthCheckPort': 'traffic-port', "
		    "'Matcher': {'HttpCode': '200'}}",
		.remove = CFN_STEPS(CFN_STEP("DeleteTargetGroup", "", THE_TG)),
		.ref = "$o.TargetGroups.0.TargetGroupArn",
		.attrs = "{'TargetGroupArn': '$ref', "
		    "'TargetGroupName': '$p.Name', "
		    "'TargetGroupFullName': 'targetgroup/${ref>targetgroup/}', "
		    "'LoadBalancerArns': '$o.TargetGroups.0.LoadBalancerArns'}",
		.tagging = &tagging,
	},
	{
		.type = "AWS::ElasticLoadBalancingV2::Listener",
		.create = CFN_STEPS(CFN_STEP("CreateListener", NULL, NULL),
		    CFN_STEP("ModifyListenerAttributes", "ListenerAttributes",
			THE_LISTENER, ATTRIBUTES("Listener"))),
		.update = CFN_STEPS(
		    CFN_STEP("ModifyListener", NULL, THE_LISTENER),
		    CFN_STEP("ModifyListenerAttributes", "ListenerAttributes",
			THE_LISTENER, ATTRIBUTES("Listener"))),
		/* What HTTP has none of goes with HTTPS; else it stays as
		 * it is, as ModifyListener says. */
		.unsets = "Certificates SslPolicy MutualAuthentication",
		.remove = CFN_STEPS(
		    CFN_STEP("DeleteListener", "", THE_LISTENER)),
		.ref = "$o.Listeners.0.ListenerArn",
		.attrs = "{'ListenerArn': '$ref'}",
	},
	{
		.type = "AWS::ElasticLoadBalancingV2::ListenerRule",
		.create = CFN_STEPS(CFN_STEP("CreateRule", NULL, NULL)),
		.update = CFN_STEPS(
		    CFN_STEP("ModifyRule", "Conditions Actions", THE_RULE),
		    CFN_STEP("SetRulePriorities", "Priority",
			"{'RulePriorities': [{'RuleArn': '$ref', "
			"'Priority': '$p.Priority'}]}")),
		.remove = CFN_STEPS(CFN_STEP("DeleteRule", "", THE_RULE)),
		.ref = "$o.Rules.0.RuleArn",
		.attrs = "{'RuleArn': '$ref', 'IsDefault': false}",
	},
	{
		.type = "AWS::ElasticLoadBalancingV2::ListenerCertificate",
		.on_create = elbv2_cfn_certificates,
		.on_update = elbv2_cfn_certificates,
		.on_remove = elbv2_cfn_certificates_remove,
	},
	{.type = NULL},
};
