/* The kinds of Elastic Load Balancing v2. */
#include "svc/elbv2/kinds.h"

#define ARN "arn:aws:elasticloadbalancing:{region}:{account}:"

static const char *const lb_index[] = {"spec.LoadBalancerName", "spec.VpcId",
	"spec.DNSName", "spec.SecurityGroups", NULL};
static const char *const tg_index[] = {"spec.TargetGroupName", "spec.VpcId",
	NULL};
static const char *const listener_index[] = {"spec.TargetGroupArns",
	"spec.Port", "spec.CertificateArns", NULL};
static const char *const rule_index[] = {"spec.TargetGroupArns", NULL};

const struct kind elbv2_load_balancer = {
	.name = "elbv2.load-balancer",
	.arn = ARN "loadbalancer/{id}",
	.index = lb_index,
};
const struct kind elbv2_target_group = {
	.name = "elbv2.target-group",
	.arn = ARN "targetgroup/{id}",
	.index = tg_index,
};
const struct kind elbv2_listener = {
	.name = "elbv2.listener",
	.arn = ARN "listener/{parent}/{id}",
	.index = listener_index,
};
const struct kind elbv2_rule = {
	.name = "elbv2.rule",
	.arn = ARN "listener-rule/{parent}/{id}",
	.index = rule_index,
};
const struct kind elbv2_target = {
	.name = "elbv2.target",
};

const struct kind *const elbv2_kinds[] = {&elbv2_load_balancer,
	&elbv2_target_group, &elbv2_listener, &elbv2_rule, &elbv2_target, NULL};
