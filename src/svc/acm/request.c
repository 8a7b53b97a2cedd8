/* Asking for a certificate. */
#include "base/clock.h"
#include "base/id.h"
#include "svc/acm/acm.h"

#define TOKEN_MS (60 * 60 * 1000LL)
#define FIRST_MAX 64 /* RFC 5280, a common name; the others may be longer */

static const char *const offered[] = {"RSA_2048", "EC_prime256v1",
	"EC_secp384r1"};

/* The first is the certificate's own; none twice. */
static struct doc *
read_names(struct call *c)
{
	struct doc *names = doc_arr(c->arena);
	struct span name;

	doc_push_str(c->arena, names, arena_lower(c->arena,
	    doc_get_str(c->in, "DomainName")));
	doc_each(v, doc_get(c->in, "SubjectAlternativeNames")) {
		name = arena_lower(c->arena, doc_span(v));
		if (!doc_has_str(names, name))
			doc_push_str(c->arena, names, name);
	}
	return names;
}

/* Of the name that comes first, and how it is proved.  AWS: without a method
 * it asks by e-mail. */
static struct reply *
check_first(struct call *c)
{
	struct span m = doc_get_str(c->in, "ValidationMethod");

	if (doc_get_str(c->in, "DomainName").n > FIRST_MAX)
		return reply_error(c, "InvalidParameterException", "The first "
		    "domain name can be no longer than %d characters.",
		    FIRST_MAX);
	if (!m.n)
		m = SPAN("EMAIL");
	if (!span_is(m, "DNS"))
		return reply_not_implemented(c, "ValidationMethod '%.*s' "
		    "(only 'DNS')", SPAN_ARG(m));
	return NULL;
}

static struct reply *
check_options(struct call *c, const struct doc *names)
{
	doc_each(o, doc_get(c->in, "DomainValidationOptions")) {
		struct span d = arena_lower(c->arena, doc_get_str(o, "DomainName"));
		struct span by = arena_lower(c->arena,
		    doc_get_str(o, "ValidationDomain"));
		bool below = span_ends(d, by) && (d.n == by.n ||
		    d.p[d.n - by.n - 1] == '.');

		if (!doc_has_str(names, d) || !below)
			return reply_error(c,
			    "InvalidDomainValidationOptionsException", "The "
			    "domain validation options of '%.*s' are not "
			    "valid: '%.*s'", SPAN_ARG(d), SPAN_ARG(by));
	}
	return NULL;
}

static struct reply *
read_algorithm(struct call *c, struct span *ret)
{
	*ret = doc_get_str(c->in, "KeyAlgorithm");
	if (!ret->n)
		*ret = SPAN("RSA_2048");
	for (size_t i = 0; i < ARRAY_SIZE(offered); i++)
		if (span_is(*ret, offered[i]))
			return NULL;
	return reply_error(c, "InvalidParameterException", "The key algorithm "
	    "%.*s is not supported for public certificates.", SPAN_ARG(*ret));
}

static struct doc *
read_options(struct call *c)
{
	static const struct {
		const char *name;
		struct span otherwise;
	} rows[] = {
		{"CertificateTransparencyLoggingPreference",
		    {"ENABLED", 7}},
		{"Export", {"DISABLED", 8}},
	};
	const struct doc *in = doc_get(c->in, "Options");
	struct doc *d = doc_obj(c->arena);
	struct span v;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		v = doc_get_str(in, rows[i].name);
		doc_set_str(c->arena, d, rows[i].name,
		    v.n ? v : rows[i].otherwise);
	}
	return d;
}

/* The same request within an hour: *ret, or NULL. */
static struct reply *
find_again(struct call *c, const struct doc *spec, struct res **ret)
{
	struct query q = {.kind = &acm_certificate, .scope = c->scope,
	    .index = "spec.IdempotencyToken",
	    .value = doc_get_str(c->in, "IdempotencyToken")};
	struct res_list l;
	int e;

	*ret = NULL;
	if (!q.value.n)
		return NULL;
	if ((e = store_list(c->store, c->arena, &q, &l)))
		return acm_fail(c, e);
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i]->created > clock_ms() - TOKEN_MS &&
		    doc_eq(doc_get(l.v[i]->spec, "SubjectAlternativeNames"),
			doc_get(spec, "SubjectAlternativeNames")))
			*ret = l.v[i];
	return NULL;
}

static struct reply *
reply_arn(struct call *c, const struct res *r)
{
	return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena),
	    "CertificateArn", r->arn));
}

static struct res *
fresh(struct call *c, struct doc *names, struct span algorithm)
{
	struct res *r = res_new(c->arena, &acm_certificate, c->scope,
	    SPAN_NULL, span_of(id_uuid(c->arena)));

	doc_set_str(c->arena, r->spec, "DomainName",
	    doc_span(doc_at(names, 0)));
	doc_set(c->arena, r->spec, "SubjectAlternativeNames", names);
	doc_set_str(c->arena, r->spec, "Type", SPAN("AMAZON_ISSUED"));
	doc_set_str(c->arena, r->spec, "KeyAlgorithm", algorithm);
	doc_set(c->arena, r->spec, "Options", read_options(c));
	doc_set(c->arena, r->spec, "IdempotencyToken",
	    doc_copy(c->arena, doc_get(c->in, "IdempotencyToken")));
	doc_set_str(c->arena, r->status, "Status",
	    SPAN("PENDING_VALIDATION"));
	return r;
}

struct reply *
acm_request(struct call *c)
{
	struct doc *names = read_names(c);
	struct span algorithm;
	struct res *r, *again;
	struct reply *no = check_first(c);
	int e;

	if (no || (no = check_options(c, names)) ||
	    (no = read_algorithm(c, &algorithm)))
		return no;
	r = fresh(c, names, algorithm);
	if ((no = find_again(c, r->spec, &again)))
		return no;
	if (again)
		return reply_arn(c, again);
	if ((e = store_insert(c->store, c->arena, r)))
		return acm_fail(c, e);
	if ((no = acm_put_tags(c, r, doc_get(c->in, "Tags"))))
		return no;
	return reply_arn(c, r);
}
