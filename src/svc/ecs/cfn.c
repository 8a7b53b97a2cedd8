/* Clusters, task definitions and services as CloudFormation makes them. */
#include "base/err.h"
#include "cfn/type.h"
#include "svc/ecs/ops.h"

#define CLUSTER "{'cluster': '$ref'}"
#define SERVICE "{'service': '$ref', 'cluster': '$p.Cluster'}"
#define SERVICES "{'services': ['$ref'], 'cluster': '$p.Cluster'}"

static const struct cfn_tagging by_arn = {
	"TagResource", "{'resourceArn': '$a.Arn'}", "tags",
	"UntagResource", "{'resourceArn': '$a.Arn'}", "tagKeys",
};
static const struct cfn_tagging by_ref = {
	"TagResource", "{'resourceArn': '$ref'}", "tags",
	"UntagResource", "{'resourceArn': '$ref'}", "tagKeys",
};

static const struct cfn_wait service_gone = {
	.op = "DescribeServices",
	.with = SERVICES,
	.value = "$o.services.0.status",
	.done = "INACTIVE",
};

/* AWS waits for the deployment that it began, and fails with the circuit
 * breaker's verdict on it. */
static int
service_ready(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct span wanted = doc_get_str(run->attrs, ".Deployment");
	struct op_result r;
	const struct doc *d;
	int e = cfn_call(run, "DescribeServices", cfn_expr(run, SERVICES), &r);

	if (e)
		return err_trace(e);
	if (r.error.n) {
		*ret = cfn_refused(run, "DescribeServices", &r);
		return 0;
	}
	d = doc_at(doc_get(doc_at(doc_get(r.out, "services"), 0),
	    "deployments"), 0);
	if (!d || !span_eq(doc_get_str(d, "id"), wanted) ||
	    span_is(doc_get_str(d, "rolloutState"), "FAILED")) {
		*ret = cfn_fail(run, "Resource handler returned message: "
		    "\"Error occurred during operation 'ECS Deployment Circuit "
		    "Breaker was triggered'.\" (RequestToken: %.*s, "
		    "HandlerErrorCode: GeneralServiceException)",
		    SPAN_ARG(run->token));
		return 0;
	}
	*ret = span_is(doc_get_str(d, "rolloutState"), "COMPLETED") ?
	    CFN_DONE : CFN_WAIT;
	return 0;
}

const struct cfn_map ecs_types[] = {
	{
		.type = "AWS::ECS::Cluster",
		.name = "ClusterName",
		.create = CFN_STEPS(CFN_STEP("CreateCluster", NULL, NULL,
		    .map = "ClusterSettings=settings")),
		.update = CFN_STEPS(
		    CFN_STEP("UpdateCluster", "ClusterSettings Configuration "
			"ServiceConnectDefaults", CLUSTER,
			.map = "ClusterSettings=settings"),
		    CFN_STEP("PutClusterCapacityProviders", "CapacityProviders "
			"DefaultCapacityProviderStrategy", CLUSTER)),
		.defaults = "{'CapacityProviders': [], "
		    "'DefaultCapacityProviderStrategy': []}",
		.remove = CFN_STEPS(CFN_STEP("DeleteCluster", "", CLUSTER)),
		.ref = "$o.cluster.clusterName",
		.attrs = "{'Arn': '$o.cluster.clusterArn'}",
		.tagging = &by_arn,
	},
	{
		.type = "AWS::ECS::ClusterCapacityProviderAssociations",
		.create = CFN_STEPS(
		    CFN_STEP("PutClusterCapacityProviders", NULL, NULL)),
		.update = CFN_STEPS(
		    CFN_STEP("PutClusterCapacityProviders", NULL, NULL)),
		.remove = CFN_STEPS(CFN_STEP("PutClusterCapacityProviders", "",
		    "{'cluster': '$ref', 'capacityProviders': [], "
		    "'defaultCapacityProviderStrategy': []}")),
		.ref = "$p.Cluster",
	},
	{
		.type = "AWS::ECS::TaskDefinition",
		.name = "Family",
		.name_shared = true,
		.create = CFN_STEPS(CFN_STEP("RegisterTaskDefinition", NULL,
		    NULL, .map = "ProxyConfiguration."
		    "ProxyConfigurationProperties=properties")),
		.remove = CFN_STEPS(CFN_STEP("DeregisterTaskDefinition", "",
		    "{'taskDefinition': '$ref'}")),
		.ref = "$o.taskDefinition.taskDefinitionArn",
		.attrs = "{'TaskDefinitionArn': '$ref'}",
		.tagging = &by_ref,
	},
	{
		.type = "AWS::ECS::Service",
		.name = "ServiceName",
		.create = CFN_STEPS(CFN_STEP("CreateService", NULL, NULL,
		    .map = "PlacementStrategies=placementStrategy")),
		.update = CFN_STEPS(CFN_STEP("UpdateService", NULL, SERVICE,
		    .map = "PlacementStrategies=placementStrategy")),
		.defaults = "{'HealthCheckGracePeriodSeconds': 0, "
		    "'LoadBalancers': [], 'EnableExecuteCommand': false, "
		    "'EnableECSManagedTags': false, 'PropagateTags': 'NONE', "
		    "'CapacityProviderStrategy': [], 'PlatformVersion': 'LATEST', "
		    "'AvailabilityZoneRebalancing': 'ENABLED', "
		    "'DeploymentConfiguration': {'MaximumPercent': 200, "
		    "'MinimumHealthyPercent': 100, 'DeploymentCircuitBreaker': "
		    "{'Enable': false, 'Rollback': false}}}",
		.remove = CFN_STEPS(CFN_STEP("DeleteService", "",
		    "{'service': '$ref', 'cluster': '$p.Cluster', "
		    "'force': true}")),
		.ref = "$o.service.serviceArn",
		.attrs = "{'ServiceArn': '$ref', 'Name': '$p.ServiceName', "
		    "'.Deployment': '$o.service.deployments.0.id'}",
		.tagging = &by_ref,
		.on_ready = service_ready,
		.gone = &service_gone,
	},
	{.type = NULL},
};
