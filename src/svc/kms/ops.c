/* The operations of kms.  One that is not listed answers as not implemented. */
#include "svc/kms/kms.h"

static const struct op_row ops[] = {
	{"CreateKey", kms_create_key,
	    "Policy Description KeyUsage CustomerMasterKeySpec KeySpec Origin "
	    "BypassPolicyLockoutSafetyCheck Tags MultiRegion"},
	{"DescribeKey", kms_describe_key, "KeyId"},
	{"ListKeys", kms_list_keys, NULL},
	{"UpdateKeyDescription", kms_update_description, NULL},
	{"EnableKey", kms_enable_key, NULL},
	{"DisableKey", kms_disable_key, NULL},
	{"ScheduleKeyDeletion", kms_schedule_deletion, NULL},
	{"CancelKeyDeletion", kms_cancel_deletion, NULL},
	{"CreateAlias", kms_create_alias, NULL},
	{"UpdateAlias", kms_update_alias, NULL},
	{"DeleteAlias", kms_delete_alias, NULL},
	{"ListAliases", kms_list_aliases, NULL},
	{"Encrypt", kms_encrypt,
	    "KeyId Plaintext EncryptionContext EncryptionAlgorithm DryRun"},
	{"Decrypt", kms_decrypt,
	    "CiphertextBlob EncryptionContext KeyId EncryptionAlgorithm "
	    "DryRun"},
	{"ReEncrypt", kms_reencrypt,
	    "CiphertextBlob SourceEncryptionContext SourceKeyId "
	    "DestinationKeyId DestinationEncryptionContext "
	    "SourceEncryptionAlgorithm DestinationEncryptionAlgorithm DryRun"},
	{"GenerateDataKey", kms_generate_data_key,
	    "KeyId EncryptionContext NumberOfBytes KeySpec DryRun"},
	{"GenerateDataKeyWithoutPlaintext",
	    kms_generate_data_key_without_plaintext,
	    "KeyId EncryptionContext NumberOfBytes KeySpec DryRun"},
	{"GenerateRandom", kms_generate_random, "NumberOfBytes"},
	{"GetKeyPolicy", kms_get_policy, NULL},
	{"PutKeyPolicy", kms_put_policy, NULL},
	{"ListKeyPolicies", kms_list_policies, NULL},
	{"EnableKeyRotation", kms_enable_rotation, NULL},
	{"DisableKeyRotation", kms_disable_rotation, NULL},
	{"GetKeyRotationStatus", kms_rotation_status, NULL},
	{"RotateKeyOnDemand", kms_rotate_now, NULL},
	{"ListKeyRotations", kms_list_rotations, NULL},
	{"TagResource", kms_tag_resource, NULL},
	{"UntagResource", kms_untag_resource, NULL},
	{"ListResourceTags", kms_list_tags, NULL},
	{NULL, NULL, NULL},
};

const struct service kms_service = {
	.name = "kms",
	.ops = ops,
	.kinds = kms_kinds,
	.types = kms_types,
	.before = kms_before,
};
