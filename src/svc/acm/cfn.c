/* Certificates as CloudFormation makes them: with HostedZoneId it writes the
 * validation records itself.  It leaves them behind, as AWS does: another
 * certificate of the same domain is proved by the same record.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-certificatemanager-certificate.html */
#include <errno.h>

#include "base/err.h"
#include "cfn/type.h"
#include "svc/acm/acm.h"

#define ARN  "{'CertificateArn': '$ref'}"
#define TTL  300
#define SETS "route53:ChangeResourceRecordSets"

static const struct cfn_tagging tagging = {
	"AddTagsToCertificate", ARN, "Tags",
	"RemoveTagsFromCertificate", ARN, "Tags",
};

static const struct cfn_wait ready = {
	.op = "DescribeCertificate",
	.with = ARN,
	.value = "$o.Certificate.Status",
	.done = "ISSUED",
	.failed = "VALIDATION_TIMED_OUT FAILED REVOKED EXPIRED INACTIVE",
};

static struct doc *
options(struct cfn_run *run)
{
	return cfn_expr(run, "{'CertificateTransparencyLoggingPreference': "
	    "'$p.CertificateTransparencyLoggingPreference', "
	    "'Export': '$p.CertificateExport'}");
}

/* Options that say where, and not how, are CloudFormation's own. */
static struct doc *
mail_options(struct cfn_run *run)
{
	struct doc *list = doc_arr(run->arena);

	doc_each(o, doc_get(run->props, "DomainValidationOptions"))
		if (doc_get(o, "ValidationDomain"))
			doc_push(list, doc_copy(run->arena, o));
	return doc_len(list) ? list : NULL;
}

static int
request(struct cfn_run *run, enum cfn_outcome *ret)
{
	struct doc *in = cfn_expr(run, "{'DomainName': '$p.DomainName', "
	    "'SubjectAlternativeNames': '$p.SubjectAlternativeNames', "
	    "'ValidationMethod': '$p.ValidationMethod', "
	    "'KeyAlgorithm': '$p.KeyAlgorithm', "
	    "'CertificateAuthorityArn': '$p.CertificateAuthorityArn'}");
	struct op_result r;
	int e;

	doc_set(run->arena, in, "DomainValidationOptions", mail_options(run));
	if (doc_len(options(run)))
		doc_set(run->arena, in, "Options", options(run));
	if (!op_check(run->api, run->arena, "acm", "RequestCertificate", in,
	    &r)) {
		*ret = cfn_refused(run, "RequestCertificate", &r);
		return 0;
	}
	/* Past the checks: the tags that are CloudFormation's own. */
	if (doc_len(doc_get(run->props, "Tags")))
		doc_set(run->arena, in, "Tags",
		    doc_copy(run->arena, doc_get(run->props, "Tags")));
	e = op_call(run->api, run->arena, &run->who, run->scope, "acm",
	    "RequestCertificate", in, &r);
	if (e)
		return err_trace(e);
	if (r.error.n)
		*ret = cfn_refused(run, "RequestCertificate", &r);
	else
		run->ref = doc_get_str(r.out, "CertificateArn");
	return 0;
}

static const struct doc *
record_of(const struct doc *certificate, struct span domain)
{
	doc_each(o, doc_get(certificate, "DomainValidationOptions"))
		if (span_ieq(doc_get_str(o, "DomainName"), domain))
			return doc_get(o, "ResourceRecord");
	return NULL;
}

static int
prove(struct cfn_run *run, const struct doc *record, struct span zone,
    enum cfn_outcome *ret)
{
	struct arena *a = run->arena;
	struct doc *set = doc_obj(a), *values = doc_arr(a), *c = doc_obj(a);
	struct doc *list = doc_arr(a), *in = doc_obj(a);

	doc_push(values, doc_set_str(a, doc_obj(a), "Value",
	    doc_get_str(record, "Value")));
	doc_set_str(a, set, "Name", doc_get_str(record, "Name"));
	doc_set_str(a, set, "Type", doc_get_str(record, "Type"));
	doc_set_int(a, set, "TTL", TTL);
	doc_set(a, set, "ResourceRecords", values);
	doc_set_str(a, c, "Action", SPAN("UPSERT"));
	doc_push(list, doc_set(a, c, "ResourceRecordSet", set));
	doc_set_str(a, in, "HostedZoneId", zone);
	doc_set(a, in, "ChangeBatch", doc_set(a, doc_obj(a), "Changes", list));
	return cfn_do(run, SETS, in, false, ret);
}

static int
prove_all(struct cfn_run *run, enum cfn_outcome *ret)
{
	const struct doc *record, *certificate;
	struct op_result r;
	int e = cfn_call(run, "DescribeCertificate", cfn_expr(run, ARN), &r);

	if (e || r.error.n)
		return e ? err_trace(e) : err_origin(EIO,
		    "a new certificate is not there");
	certificate = doc_get(r.out, "Certificate");
	doc_each(o, doc_get(run->props, "DomainValidationOptions")) {
		struct span domain = doc_get_str(o, "DomainName");
		struct span zone = doc_get_str(o, "HostedZoneId");

		record = record_of(certificate, domain);
		if (!record) {
			*ret = cfn_fail(run, "DomainValidationOptions: %.*s is "
			    "not a domain name of the certificate",
			    SPAN_ARG(domain));
			return 0;
		}
		if (zone.n && ((e = prove(run, record, zone, ret)) ||
		    *ret == CFN_FAILED))
			return err_trace(e);
	}
	return 0;
}

static int
make(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = request(run, ret);

	if (e || *ret == CFN_FAILED)
		return err_trace(e);
	return err_trace(prove_all(run, ret));
}

const struct cfn_map acm_types[] = {
	{
		.type = "AWS::CertificateManager::Certificate",
		.on_create = make,
		.update = CFN_STEPS(CFN_STEP("UpdateCertificateOptions",
		    "CertificateTransparencyLoggingPreference "
		    "CertificateExport", "{'CertificateArn': '$ref', "
		    "'Options': {'CertificateTransparencyLoggingPreference': "
		    "'$p.CertificateTransparencyLoggingPreference', "
		    "'Export': '$p.CertificateExport'}}")),
		.defaults = "{'CertificateTransparencyLoggingPreference': "
		    "'ENABLED', 'CertificateExport': 'DISABLED'}",
		.remove = CFN_STEPS(CFN_STEP("DeleteCertificate", "", ARN)),
		.attrs = "{'Id': '$ref'}",
		.tagging = &tagging,
		.ready = &ready,
	},
	{.type = NULL},
};
