/* The operations of Elastic Load Balancing v2. */
#include "svc/elbv2/elbv2.h"

#define LB "LoadBalancerArn"
#define TG "TargetGroupArn"
/* Refused in all but name: see others_check() of tls.c. */
#define TLS " AlpnPolicy MutualAuthentication"
#define HEALTH                                                             \
	" HealthCheckProtocol HealthCheckPort HealthCheckEnabled"          \
	" HealthCheckPath HealthCheckIntervalSeconds"                      \
	" HealthCheckTimeoutSeconds HealthyThresholdCount"                 \
	" UnhealthyThresholdCount Matcher"

static const struct op_row ops[] = {
	{"CreateLoadBalancer", lb_create, "Name Subnets SubnetMappings "
	    "SecurityGroups Scheme Tags Type IpAddressType"},
	{"DescribeLoadBalancers", lb_describe,
	    "LoadBalancerArns Names Marker PageSize"},
	{"DeleteLoadBalancer", lb_delete, LB},
	{"DescribeLoadBalancerAttributes", lb_attributes, LB},
	{"ModifyLoadBalancerAttributes", lb_modify_attributes, LB " Attributes"},
	{"SetSecurityGroups", lb_set_security_groups, LB " SecurityGroups"},
	{"SetSubnets", lb_set_subnets,
	    LB " Subnets SubnetMappings IpAddressType"},
	{"SetIpAddressType", lb_set_ip_address_type, LB " IpAddressType"},
	{"DescribeCapacityReservation", lb_capacity, LB},

	{"CreateTargetGroup", tg_create, "Name Protocol ProtocolVersion Port "
	    "VpcId TargetType Tags IpAddressType" HEALTH},
	{"DescribeTargetGroups", tg_describe,
	    LB " TargetGroupArns Names Marker PageSize"},
	{"ModifyTargetGroup", tg_modify, TG HEALTH},
	{"DeleteTargetGroup", tg_delete, TG},
	{"DescribeTargetGroupAttributes", tg_attributes, TG},
	{"ModifyTargetGroupAttributes", tg_modify_attributes, TG " Attributes"},

	{"RegisterTargets", target_register, TG " Targets"},
	{"DeregisterTargets", target_deregister, TG " Targets"},
	{"DescribeTargetHealth", target_health, TG " Targets Include"},

	{"CreateListener", listener_create, LB " Protocol Port SslPolicy "
	    "Certificates DefaultActions Tags" TLS},
	{"DescribeListeners", listener_describe,
	    LB " ListenerArns Marker PageSize"},
	{"ModifyListener", listener_modify, "ListenerArn Port Protocol "
	    "SslPolicy Certificates DefaultActions" TLS},
	{"DeleteListener", listener_delete, "ListenerArn"},
	{"DescribeListenerAttributes", listener_attributes, "ListenerArn"},
	{"ModifyListenerAttributes", listener_modify_attributes,
	    "ListenerArn Attributes"},
	{"DescribeListenerCertificates", listener_certificates,
	    "ListenerArn Marker PageSize"},

	{"AddListenerCertificates", listener_add_certificates,
	    "ListenerArn Certificates"},
	{"RemoveListenerCertificates", listener_remove_certificates,
	    "ListenerArn Certificates"},

	{"CreateRule", rule_create,
	    "ListenerArn Conditions Priority Actions Tags"},
	{"DescribeRules", rule_describe, "ListenerArn RuleArns Marker PageSize"},
	{"ModifyRule", rule_modify, "RuleArn Conditions Actions"},
	{"DeleteRule", rule_delete, "RuleArn"},
	{"SetRulePriorities", rule_set_priorities, "RulePriorities"},

	{"AddTags", tag_add, "ResourceArns Tags"},
	{"RemoveTags", tag_remove, "ResourceArns TagKeys"},
	{"DescribeTags", tag_describe, "ResourceArns"},

	{"DescribeAccountLimits", account_limits, "Marker PageSize"},
	{"DescribeSSLPolicies", ssl_policies,
	    "Names Marker PageSize LoadBalancerType"},
	{NULL, NULL, NULL},
};

const struct service elbv2_service = {
	.name = "elbv2",
	.ops = ops,
	.kinds = elbv2_kinds,
	.types = elbv2_types,
};
