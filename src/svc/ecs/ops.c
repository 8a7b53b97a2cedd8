/* The operations of ecs.  One that is not listed answers as not implemented. */
#include "svc/ecs/ops.h"

#include "svc/ecs/ecs.h"

static const struct op_row ops[] = {
	{"CreateCluster", create_cluster,
	    "clusterName tags settings configuration capacityProviders "
	    "defaultCapacityProviderStrategy serviceConnectDefaults"},
	{"DescribeClusters", describe_clusters, NULL},
	{"ListClusters", list_clusters, NULL},
	{"UpdateCluster", update_cluster, NULL},
	{"UpdateClusterSettings", update_cluster_settings, NULL},
	{"DeleteCluster", delete_cluster, NULL},
	{"PutClusterCapacityProviders", put_cluster_capacity_providers, NULL},
	{"DescribeCapacityProviders", describe_capacity_providers, NULL},
	{"RegisterTaskDefinition", register_task_definition, NULL},
	{"DescribeTaskDefinition", describe_task_definition, NULL},
	{"DeregisterTaskDefinition", deregister_task_definition, NULL},
	{"DeleteTaskDefinitions", delete_task_definitions, NULL},
	{"ListTaskDefinitions", list_task_definitions, NULL},
	{"ListTaskDefinitionFamilies", list_task_definition_families, NULL},
	{"CreateService", create_service, NULL},
	{"UpdateService", update_service, NULL},
	{"DeleteService", delete_service, NULL},
	{"DescribeServices", describe_services, NULL},
	{"ListServices", list_services, NULL},
	{"RunTask", run_task, NULL},
	{"StartTask", start_task, NULL},
	{"StopTask", stop_task, NULL},
	{"DescribeTasks", describe_tasks, NULL},
	{"ListTasks", list_tasks, NULL},
	{"TagResource", tag_resource, NULL},
	{"UntagResource", untag_resource, NULL},
	{"ListTagsForResource", list_tags_for_resource, NULL},
	{"DescribeServiceDeployments", describe_service_deployments, NULL},
	{"ListServiceDeployments", list_service_deployments, NULL},
	{"DescribeServiceRevisions", describe_service_revisions, NULL},
	{"ListContainerInstances", list_container_instances, NULL},
	{"DescribeContainerInstances", describe_container_instances, NULL},
	{"ListAttributes", list_attributes, NULL},
	{"ListAccountSettings", list_account_settings, NULL},
	{"PutAccountSetting", put_account_setting, NULL},
	{"PutAccountSettingDefault", put_account_setting_default, NULL},
	{"DeleteAccountSetting", delete_account_setting, NULL},
	{NULL, NULL, NULL},
};

const struct service ecs_service_ops = {
	.name = "ecs",
	.ops = ops,
	.kinds = ecs_kinds,
	.types = ecs_types,
};
