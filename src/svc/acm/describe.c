/* What is told of certificates. */
#include "svc/acm/acm.h"
#include "svc/acm/validation.h"
#include "svc/acm/x509.h"

#define PAGE_MAX   1000
#define NAMES_MAX  100 /* of a summary */

static void
set_time(struct arena *a, struct doc *d, const char *key, int64_t ms)
{
	if (ms)
		doc_set_time(a, d, key, ms);
}

/* Times that a detail and a summary both have. */
static void
set_times(struct arena *a, struct doc *d, const struct res *r)
{
	bool imported = acm_is_type(r, "IMPORTED");

	set_time(a, d, "CreatedAt", r->created);
	set_time(a, d, imported ? "ImportedAt" : "IssuedAt",
	    doc_get_int(r->status, "IssuedAt", 0));
	set_time(a, d, "NotBefore", doc_get_int(r->status, "NotBefore", 0));
	set_time(a, d, "NotAfter", doc_get_int(r->status, "NotAfter", 0));
}

static struct doc *
domain_doc(struct arena *a, const struct res *r, struct span domain,
    const char *status)
{
	struct doc *d = doc_obj(a), *record = doc_obj(a);
	struct validation v;

	validation_record(a, r->scope.account, domain, &v);
	doc_set_str(a, record, "Name", v.name);
	doc_set_str(a, record, "Type", SPAN("CNAME"));
	doc_set_str(a, record, "Value", v.value);
	doc_set_str(a, d, "DomainName", domain);
	doc_set_str(a, d, "ValidationDomain", domain);
	doc_set_str(a, d, "ValidationStatus", span_of(status));
	doc_set(a, d, "ResourceRecord", record);
	return doc_set_str(a, d, "ValidationMethod", SPAN("DNS"));
}

static struct doc *
domains_doc(struct arena *a, const struct res *r, const struct doc *proved)
{
	bool failed = span_is(doc_get_str(r->status, "Status"),
	    "VALIDATION_TIMED_OUT");
	struct doc *list = doc_arr(a);

	doc_each(v, doc_get(r->spec, "SubjectAlternativeNames"))
		doc_push(list, domain_doc(a, r, doc_span(v),
		    doc_has_str(proved, doc_span(v)) ? "SUCCESS" :
		    failed ? "FAILED" : "PENDING_VALIDATION"));
	return list;
}

static void
set_renewal(struct arena *a, struct doc *d, const struct res *r)
{
	const struct doc *is = doc_get(r->status, "Renewal");
	struct doc *s = doc_obj(a);

	if (!is)
		return;
	doc_set_str(a, s, "RenewalStatus", doc_get_str(is, "RenewalStatus"));
	doc_set(a, s, "DomainValidationOptions",
	    domains_doc(a, r, doc_get(is, "Validated")));
	set_time(a, s, "UpdatedAt", doc_get_int(is, "UpdatedAt", 0));
	doc_set(a, d, "RenewalSummary", s);
}

/* What only a certificate that is there can tell. */
static void
set_facts(struct arena *a, struct doc *d, const struct res *r)
{
	static const char *const plain[] = {"Serial", "Issuer",
		"SignatureAlgorithm", "ExtendedKeyUsages"};
	struct doc *facts = x509_facts(a, doc_get_str(r->status,
	    "Certificate"));
	struct doc *usages = doc_arr(a);

	if (!facts)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		doc_set(a, d, plain[i], doc_copy(a, doc_get(facts, plain[i])));
	doc_set(a, d, "Subject", doc_copy(a, doc_get(facts, "Subject")));
	doc_each(u, doc_get(facts, "KeyUsages"))
		doc_push(usages, doc_set_str(a, doc_obj(a), "Name",
		    doc_span(u)));
	doc_set(a, d, "KeyUsages", usages);
}

static struct span
eligibility(bool renewable)
{
	return renewable ? SPAN("ELIGIBLE") : SPAN("INELIGIBLE");
}

struct reply *
acm_describe(struct call *c)
{
	static const char *const plain[] = {"DomainName",
		"SubjectAlternativeNames", "Type", "KeyAlgorithm", "Options"};
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a), *users;
	struct res *r;
	struct reply *no = acm_find(c, &r);
	bool renewable;
	int e;

	if (no)
		return no;
	if ((e = acm_use(c, r, &users, &renewable)) < 0)
		return acm_fail(c, e);
	doc_set_str(a, d, "CertificateArn", r->arn);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		doc_set(a, d, plain[i], doc_copy(a, doc_get(r->spec, plain[i])));
	doc_set_str(a, d, "Status", acm_status(r));
	doc_setf(a, d, "Subject", "CN=%.*s",
	    SPAN_ARG(doc_get_str(r->spec, "DomainName")));
	set_times(a, d, r);
	set_facts(a, d, r);
	set_renewal(a, d, r);
	doc_set(a, d, "InUseBy", users);
	doc_set_str(a, d, "RenewalEligibility", eligibility(renewable));
	if (acm_is_type(r, "AMAZON_ISSUED"))
		doc_set(a, d, "DomainValidationOptions",
		    domains_doc(a, r, doc_get(r->status, "Validated")));
	return reply_ok(c, doc_set(a, doc_obj(a), "Certificate", d));
}

/* --- lists -------------------------------------------------------------- */

static struct doc *
usage_names(struct arena *a, const struct doc *list)
{
	struct doc *names = doc_arr(a);

	doc_each(u, list)
		doc_push_str(a, names, doc_type(u) == DOC_STR ? doc_span(u) :
		    doc_get_str(u, "Name"));
	return names;
}

static struct reply *
summary(struct call *c, const struct res *r, struct doc **ret)
{
	static const char *const plain[] = {"DomainName", "Type",
		"KeyAlgorithm"};
	struct arena *a = c->arena;
	const struct doc *all = doc_get(r->spec, "SubjectAlternativeNames");
	struct doc *facts = x509_facts(a, doc_get_str(r->status,
	    "Certificate"));
	struct doc *d = doc_obj(a), *names = doc_arr(a), *users;
	bool renewable;
	int e;

	if ((e = acm_use(c, r, &users, &renewable)) < 0)
		return acm_fail(c, e);
	doc_set_str(a, d, "CertificateArn", r->arn);
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		doc_set(a, d, plain[i], doc_copy(a, doc_get(r->spec, plain[i])));
	doc_each(v, all)
		if (doc_len(names) < NAMES_MAX)
			doc_push_str(a, names, doc_span(v));
	doc_set(a, d, "SubjectAlternativeNameSummaries", names);
	doc_set_bool(a, d, "HasAdditionalSubjectAlternativeNames",
	    doc_len(all) > NAMES_MAX);
	doc_set_str(a, d, "Status", acm_status(r));
	doc_set(a, d, "KeyUsages", usage_names(a, doc_get(facts,
	    "KeyUsages")));
	doc_set(a, d, "ExtendedKeyUsages", usage_names(a, doc_get(facts,
	    "ExtendedKeyUsages")));
	doc_set(a, d, "ExportOption", doc_copy(a, doc_get(doc_get(r->spec,
	    "Options"), "Export")));
	doc_set_bool(a, d, "InUse", doc_len(users) > 0);
	doc_set_bool(a, d, "Exported", doc_get(r->spec, "Exported") != NULL);
	doc_set_str(a, d, "RenewalEligibility", eligibility(renewable));
	set_times(a, d, r);
	*ret = d;
	return NULL;
}

static bool
any_in(const struct doc *want, const struct doc *have)
{
	doc_each(v, want)
		if (doc_has_str(have, doc_span(v)))
			return true;
	return doc_len(want) == 0;
}

/* AWS: without keyTypes, only RSA of up to 2048 bits is listed. */
static bool
type_wanted(const struct doc *want, struct span is)
{
	if (doc_len(want))
		return doc_has_str(want, is);
	return span_is(is, "RSA_1024") || span_is(is, "RSA_2048");
}

/* Is a summary among what the filters ask for? */
static bool
wanted(struct call *c, const struct doc *s)
{
	const struct doc *inc = doc_get(c->in, "Includes");
	const struct doc *states = doc_get(c->in, "CertificateStatuses");
	struct span option = doc_get_str(inc, "exportOption");

	return (doc_len(states) == 0 ||
	    doc_has_str(states, doc_get_str(s, "Status"))) &&
	    type_wanted(doc_get(inc, "keyTypes"),
		doc_get_str(s, "KeyAlgorithm")) &&
	    any_in(doc_get(inc, "keyUsage"), doc_get(s, "KeyUsages")) &&
	    any_in(doc_get(inc, "extendedKeyUsage"),
		doc_get(s, "ExtendedKeyUsages")) &&
	    (!option.n || span_eq(option, doc_get_str(s, "ExportOption"))) &&
	    !doc_get(inc, "managedBy"); /* none is CloudFront's */
}

struct reply *
acm_list(struct call *c)
{
	struct span token = doc_get_str(c->in, "NextToken");
	struct query q = {.kind = &acm_certificate, .scope = c->scope};
	size_t max = (size_t)doc_get_int(c->in, "MaxItems", PAGE_MAX);
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *s;
	bool sorted = doc_get_str(c->in, "SortBy").n;
	struct res_list l;
	struct reply *no;
	int e;

	if (sorted != (doc_get_str(c->in, "SortOrder").n > 0))
		return reply_error(c, "ValidationException", "SortBy and "
		    "SortOrder must be specified together");
	if (token.n && !page_token_row(c, token, &q.after))
		return reply_error(c, "ValidationException",
		    "The NextToken is not valid");
	q.newest_first = span_is(doc_get_str(c->in, "SortOrder"),
	    "DESCENDING");
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return acm_fail(c, e);
	for (size_t i = 0; i < l.n; i++) {
		if ((no = summary(c, l.v[i], &s)))
			return no;
		if (!wanted(c, s))
			continue;
		if (doc_len(list) == max) {
			doc_set_str(c->arena, out, "NextToken",
			    page_token(c, l.v[i - 1]->row));
			break;
		}
		doc_push(list, s);
	}
	return reply_ok(c, doc_set(c->arena, out, "CertificateSummaryList",
	    list));
}
