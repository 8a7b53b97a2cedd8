/* The operations of secretsmanager.  One that is not listed answers as not
 * implemented. */
#include "svc/secretsmanager/secretsmanager.h"

static const struct op_row ops[] = {
	{"CreateSecret", secret_create, "Name ClientRequestToken Description "
	    "KmsKeyId SecretBinary SecretString Tags"},
	{"UpdateSecret", secret_update, "SecretId ClientRequestToken "
	    "Description KmsKeyId SecretBinary SecretString"},
	{"DescribeSecret", secret_describe, NULL},
	{"ListSecrets", secret_list, NULL},
	{"DeleteSecret", secret_delete, NULL},
	{"RestoreSecret", secret_restore, NULL},
	{"PutSecretValue", secret_put_value, "SecretId ClientRequestToken "
	    "SecretBinary SecretString VersionStages"},
	{"GetSecretValue", secret_get_value, NULL},
	{"BatchGetSecretValue", secret_batch_get_value, NULL},
	{"ListSecretVersionIds", secret_list_versions, NULL},
	{"UpdateSecretVersionStage", secret_update_stage, NULL},
	{"GetRandomPassword", secret_random_password, NULL},
	{"GetResourcePolicy", secret_get_policy, NULL},
	{"PutResourcePolicy", secret_put_policy, NULL},
	{"DeleteResourcePolicy", secret_delete_policy, NULL},
	{"ValidateResourcePolicy", secret_validate_policy, NULL},
	{"TagResource", secret_tag, NULL},
	{"UntagResource", secret_untag, NULL},
	{NULL, NULL, NULL},
};

const struct service secretsmanager_service = {
	.name = "secretsmanager",
	.ops = ops,
	.kinds = secretsmanager_kinds,
	.types = secretsmanager_types,
};
