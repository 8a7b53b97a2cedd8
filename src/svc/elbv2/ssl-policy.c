/* The table of security policies. */
#include "svc/elbv2/ssl-policy.h"

#define FS     (SSL_FS_GCM | SSL_FS_SHA2 | SSL_FS_SHA1)
#define FS_RES (SSL_FS_GCM | SSL_FS_SHA2)
#define RSA    (SSL_RSA_SHA2 | SSL_RSA_SHA1)

const struct ssl_policy ssl_policies_all[] = {
	{"ELBSecurityPolicy-TLS13-1-2-2021-06", 2, 3, SSL_TLS13 | FS_RES},
	{"ELBSecurityPolicy-TLS13-1-2-Res-2021-06", 2, 3,
	    SSL_TLS13 | SSL_FS_GCM},
	{"ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", 2, 3,
	    SSL_TLS13 | FS_RES | SSL_RSA_SHA2},
	{"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", 2, 3,
	    SSL_TLS13 | FS | RSA},
	{"ELBSecurityPolicy-TLS13-1-1-2021-06", 1, 3, SSL_TLS13 | FS | RSA},
	{"ELBSecurityPolicy-TLS13-1-0-2021-06", 0, 3, SSL_TLS13 | FS | RSA},
	{"ELBSecurityPolicy-TLS13-1-3-2021-06", 3, 3, SSL_TLS13},
	{"ELBSecurityPolicy-TLS13-1-2-PQ-2025-09", 2, 3, SSL_TLS13 | FS_RES},
	{"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", 2, 3,
	    SSL_TLS13 | SSL_FS_GCM},
	{"ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09", 2, 3,
	    SSL_TLS13 | FS_RES | SSL_RSA_SHA2},
	{"ELBSecurityPolicy-TLS13-1-2-Ext2-PQ-2025-09", 2, 3,
	    SSL_TLS13 | FS | RSA},
	{"ELBSecurityPolicy-TLS13-1-0-PQ-2025-09", 0, 3, SSL_TLS13 | FS | RSA},
	{"ELBSecurityPolicy-TLS13-1-3-PQ-2025-09", 3, 3, SSL_TLS13},
	{"ELBSecurityPolicy-2016-08", 0, 2, FS | RSA},
	{"ELBSecurityPolicy-2015-05", 0, 2, FS | RSA},
	{"ELBSecurityPolicy-TLS-1-0-2015-04", 0, 2, FS | RSA | SSL_RSA_DES3},
	{"ELBSecurityPolicy-TLS-1-1-2017-01", 1, 2, FS | RSA},
	{"ELBSecurityPolicy-TLS-1-2-2017-01", 2, 2, FS_RES | SSL_RSA_SHA2},
	{"ELBSecurityPolicy-TLS-1-2-Ext-2018-06", 2, 2, FS | RSA},
	{"ELBSecurityPolicy-FS-2018-06", 0, 2, FS},
	{"ELBSecurityPolicy-FS-1-1-2019-08", 1, 2, FS},
	{"ELBSecurityPolicy-FS-1-2-2019-08", 2, 2, FS},
	{"ELBSecurityPolicy-FS-1-2-Res-2019-08", 2, 2, FS_RES},
	{"ELBSecurityPolicy-FS-1-2-Res-2020-10", 2, 2, SSL_FS_GCM},
	{NULL, 0, 0, 0},
};

const struct ssl_cipher ssl_ciphers[] = {
	{"TLS_AES_128_GCM_SHA256", SSL_TLS13},
	{"TLS_AES_256_GCM_SHA384", SSL_TLS13},
	{"TLS_CHACHA20_POLY1305_SHA256", SSL_TLS13},
	{"ECDHE-ECDSA-AES128-GCM-SHA256", SSL_FS_GCM},
	{"ECDHE-RSA-AES128-GCM-SHA256", SSL_FS_GCM},
	{"ECDHE-ECDSA-AES128-SHA256", SSL_FS_SHA2},
	{"ECDHE-RSA-AES128-SHA256", SSL_FS_SHA2},
	{"ECDHE-ECDSA-AES128-SHA", SSL_FS_SHA1},
	{"ECDHE-RSA-AES128-SHA", SSL_FS_SHA1},
	{"ECDHE-ECDSA-AES256-GCM-SHA384", SSL_FS_GCM},
	{"ECDHE-RSA-AES256-GCM-SHA384", SSL_FS_GCM},
	{"ECDHE-ECDSA-AES256-SHA384", SSL_FS_SHA2},
	{"ECDHE-RSA-AES256-SHA384", SSL_FS_SHA2},
	{"ECDHE-RSA-AES256-SHA", SSL_FS_SHA1},
	{"ECDHE-ECDSA-AES256-SHA", SSL_FS_SHA1},
	{"AES128-GCM-SHA256", SSL_RSA_SHA2},
	{"AES128-SHA256", SSL_RSA_SHA2},
	{"AES128-SHA", SSL_RSA_SHA1},
	{"AES256-GCM-SHA384", SSL_RSA_SHA2},
	{"AES256-SHA256", SSL_RSA_SHA2},
	{"AES256-SHA", SSL_RSA_SHA1},
	{"DES-CBC3-SHA", SSL_RSA_DES3},
	{NULL, 0},
};

const struct ssl_policy *
ssl_policy_find(struct span name)
{
	for (const struct ssl_policy *p = ssl_policies_all; p->name; p++)
		if (span_is(name, p->name))
			return p;
	return NULL;
}
