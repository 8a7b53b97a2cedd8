/* The operations of ssm.  One that is not listed answers as not implemented. */
#include "svc/ssm/ssm.h"

static const struct op_row ops[] = {
	{"PutParameter", ssm_put_parameter,
	    "Name Description Value Type KeyId Overwrite AllowedPattern Tags "
	    "Tier DataType"},
	{"GetParameter", ssm_get_parameter, NULL},
	{"GetParameters", ssm_get_parameters, NULL},
	{"GetParametersByPath", ssm_get_by_path, NULL},
	{"GetParameterHistory", ssm_get_history, NULL},
	{"DescribeParameters", ssm_describe_parameters,
	    "Filters ParameterFilters MaxResults NextToken"},
	{"DeleteParameter", ssm_delete_parameter, NULL},
	{"DeleteParameters", ssm_delete_parameters, NULL},
	{"LabelParameterVersion", ssm_label_version, NULL},
	{"UnlabelParameterVersion", ssm_unlabel_version, NULL},
	{"AddTagsToResource", ssm_add_tags, NULL},
	{"RemoveTagsFromResource", ssm_remove_tags, NULL},
	{"ListTagsForResource", ssm_list_tags, NULL},
	{NULL, NULL, NULL},
};

const struct service ssm_service = {
	.name = "ssm",
	.ops = ops,
	.kinds = ssm_kinds,
	.types = ssm_types,
};
