/*
 * What ACM keeps in the store.
 *
 * acm.certificate	id = a UUID.  spec, as it was asked for: {DomainName,
 *			SubjectAlternativeNames[] (DomainName first), Type
 *			AMAZON_ISSUED | IMPORTED, KeyAlgorithm, Options{},
 *			IdempotencyToken?, RenewAsked? (ms), Exported? (ms)}.
 *			status, as it is: {Status, Validated[] (domains),
 *			IssuedAt, Renewal? {RenewalStatus, UpdatedAt,
 *			Validated[]} and, once
 *			there is a certificate, Certificate (PEM),
 *			CertificateChain (PEM), PrivateKey (sealed), NotBefore,
 *			NotAfter}.  Times are ms.
 *
 * The status of a certificate that was requested is the controller's
 * (ctl/cert.c), that of an imported one the importing operation's: each row's
 * status has one writer.  A renewal or a new import changes Certificate and
 * PrivateKey under the same ARN, which the commit feed tells as a change of
 * status.  Read the certificate with acm_pem() (pem.h), not from the row.
 */
#pragma once

#include "store/store.h"

extern const struct kind acm_certificate;

extern const struct kind *const acm_kinds[];
