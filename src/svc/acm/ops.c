/* The operations of ACM.  What is not listed answers as not implemented. */
#include "svc/acm/acm.h"

static const struct op_row ops[] = {
	{"RequestCertificate", acm_request, "DomainName ValidationMethod "
	    "SubjectAlternativeNames IdempotencyToken "
	    "DomainValidationOptions Options Tags KeyAlgorithm"},
	{"DescribeCertificate", acm_describe, "CertificateArn"},
	{"ListCertificates", acm_list, "CertificateStatuses Includes "
	    "NextToken MaxItems SortBy SortOrder"},
	{"GetCertificate", acm_get, "CertificateArn"},
	{"ExportCertificate", acm_export, "CertificateArn Passphrase"},
	{"ImportCertificate", acm_import, "CertificateArn Certificate "
	    "PrivateKey CertificateChain Tags"},
	{"DeleteCertificate", acm_delete, "CertificateArn"},
	{"RenewCertificate", acm_renew, "CertificateArn"},
	{"UpdateCertificateOptions", acm_update_options,
	    "CertificateArn Options"},
	{"AddTagsToCertificate", acm_add_tags, "CertificateArn Tags"},
	{"RemoveTagsFromCertificate", acm_remove_tags, "CertificateArn Tags"},
	{"ListTagsForCertificate", acm_list_tags, "CertificateArn"},
	{NULL, NULL, NULL},
};

const struct service acm_service = {
	.name = "acm",
	.ops = ops,
	.kinds = acm_kinds,
	.types = acm_types,
};
