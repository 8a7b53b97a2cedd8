/* Certificates as such: get, export, import, delete, renew. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "svc/acm/acm.h"
#include "svc/acm/pem.h"
#include "svc/acm/x509.h"

/* Pending: it has no certificate yet, and may get one. */
static struct reply *
find_issued(struct call *c, struct res **ret)
{
	struct reply *no = acm_find(c, ret);

	if (no || acm_is_issued(*ret))
		return no;
	return reply_error(c, "RequestInProgressException", "Certificate "
	    "request for certificate %.*s is in state %.*s.",
	    SPAN_ARG((*ret)->arn), SPAN_ARG(acm_status(*ret)));
}

static struct doc *
texts(struct call *c, const struct res *r)
{
	struct doc *d = doc_obj(c->arena);
	struct span chain = doc_get_str(r->status, "CertificateChain");

	doc_set_str(c->arena, d, "Certificate",
	    doc_get_str(r->status, "Certificate"));
	if (chain.n)
		doc_set_str(c->arena, d, "CertificateChain", chain);
	return d;
}

struct reply *
acm_get(struct call *c)
{
	struct res *r;
	struct reply *no = find_issued(c, &r);

	return no ? no : reply_ok(c, texts(c, r));
}

struct reply *
acm_export(struct call *c)
{
	_cleanup_(x509_wipe) struct buf text = BUF_INIT;
	struct span key;
	struct doc *out;
	struct res *r;
	struct reply *no = find_issued(c, &r);
	int e;

	if (no)
		return no;
	if (!span_is(doc_get_str(doc_get(r->spec, "Options"), "Export"),
	    "ENABLED"))
		return reply_error(c, "ValidationException", "The certificate "
		    "%.*s is not exportable.", SPAN_ARG(r->arn));
	e = acm_open_key(c->store, c->arena, r->arn,
	    doc_get_str(r->status, "PrivateKey"), &key);
	if (e < 0)
		return acm_fail(c, e);
	x509_export_key(key, doc_get_str(c->in, "Passphrase"), &text);
	/* A renewal replaces what was exported; see acm_renewable(). */
	doc_set_int(c->arena, r->spec, "Exported", clock_ms());
	if ((e = store_put_spec(c->store, r)))
		return acm_fail(c, e);
	out = texts(c, r);
	doc_set_str(c->arena, out, "PrivateKey",
	    arena_span(c->arena, buf_span(&text)));
	return reply_ok(c, out);
}

struct reply *
acm_delete(struct call *c)
{
	struct doc *users;
	struct res *r;
	struct reply *no = acm_find(c, &r);
	bool renewable;
	int e;

	if (no)
		return no;
	if ((e = acm_use(c, r, &users, &renewable)) < 0)
		return acm_fail(c, e);
	if (doc_len(users))
		return reply_error(c, "ResourceInUseException", "Certificate "
		    "%.*s in account %.*s is in use.", SPAN_ARG(r->arn),
		    SPAN_ARG(c->scope.account));
	if ((e = store_delete(c->store, r)))
		return acm_fail(c, e);
	return reply_ok(c, NULL);
}

struct reply *
acm_renew(struct call *c)
{
	struct res *r;
	struct reply *no = find_issued(c, &r);
	struct doc *users;
	bool renewable;
	int e;

	if (no)
		return no;
	if ((e = acm_use(c, r, &users, &renewable)) < 0)
		return acm_fail(c, e);
	if (!renewable)
		return reply_error(c, "ValidationException", "The certificate "
		    "%.*s is not eligible for renewal.", SPAN_ARG(r->arn));
	doc_set_int(c->arena, r->spec, "RenewAsked", clock_ms());
	if ((e = store_put_spec(c->store, r)))
		return acm_fail(c, e);
	return reply_ok(c, NULL);
}

struct reply *
acm_update_options(struct call *c)
{
	const struct doc *want = doc_get(c->in, "Options");
	struct doc *options;
	struct res *r;
	struct reply *no = acm_find(c, &r);
	int e;

	if (no)
		return no;
	if (!acm_is_type(r, "AMAZON_ISSUED") ||
	    !span_is(acm_status(r), "ISSUED"))
		return reply_error(c, "InvalidStateException", "The options "
		    "of certificate %.*s cannot be updated in its state "
		    "%.*s.", SPAN_ARG(r->arn), SPAN_ARG(acm_status(r)));
	options = doc_get(r->spec, "Options");
	if (doc_get(want, "Export") && !doc_eq(doc_get(want, "Export"),
	    doc_get(options, "Export")))
		return reply_error(c, "ValidationException", "The value of "
		    "Export cannot be updated after the certificate is "
		    "created.");
	doc_each_key(k, v, want)
		doc_setn(c->arena, options, k, doc_copy(c->arena, v));
	if ((e = store_put_spec(c->store, r)))
		return acm_fail(c, e);
	return reply_ok(c, NULL);
}

/* --- import ------------------------------------------------------------- */

static struct reply *
find_import(struct call *c, struct res **ret)
{
	struct reply *no;

	if (!doc_get(c->in, "CertificateArn")) {
		*ret = res_new(c->arena, &acm_certificate, c->scope, SPAN_NULL,
		    span_of(id_uuid(c->arena)));
		(*ret)->arn = kind_arn(c->arena, &acm_certificate, c->scope,
		    SPAN_NULL, (*ret)->id);
		return NULL;
	}
	if ((no = acm_find(c, ret)))
		return no;
	if (!acm_is_type(*ret, "IMPORTED"))
		return reply_error(c, "ValidationException", "The certificate "
		    "%.*s was not imported and cannot be replaced by an "
		    "imported one.", SPAN_ARG((*ret)->arn));
	if (doc_len(doc_get(c->in, "Tags")))
		return reply_error(c, "InvalidParameterException", "Tagging "
		    "is not permitted on re-import.");
	return NULL;
}

/* AWS: what listeners use keeps its kind of key.  And it stays such that they
 * take it. */
static struct reply *
check_replacement(struct call *c, const struct res *r, const struct doc *facts,
    const struct x509_import *is)
{
	struct span was = doc_get_str(r->spec, "KeyAlgorithm");

	if (!was.n)
		return NULL;
	if (acm_is_strong(r) && !x509_is_strong(is->certificate, is->chain))
		return reply_error(c, "ValidationException", "The signature "
		    "algorithm of the certificate or its chain is not "
		    "supported.");
	if (span_eq(was, doc_get_str(facts, "KeyAlgorithm")))
		return NULL;
	return reply_error(c, "ValidationException", "The key algorithm of "
	    "the certificate must be %.*s, as that of the one it replaces.",
	    SPAN_ARG(was));
}

static void
fill_import(struct call *c, struct res *r, const struct doc *facts,
    const struct x509_import *is)
{
	struct arena *a = c->arena;
	const struct doc *names = doc_get(facts, "Names");

	doc_set_str(a, r->spec, "DomainName", doc_span(doc_at(names, 0)));
	doc_set(a, r->spec, "SubjectAlternativeNames", doc_copy(a, names));
	doc_set_str(a, r->spec, "Type", SPAN("IMPORTED"));
	doc_set(a, r->spec, "KeyAlgorithm",
	    doc_copy(a, doc_get(facts, "KeyAlgorithm")));
	doc_set_str(a, r->status, "Status", SPAN("ISSUED"));
	doc_set_int(a, r->status, "IssuedAt", clock_ms());
	doc_set_str(a, r->status, "Certificate", is->certificate);
	doc_set_str(a, r->status, "CertificateChain", is->chain);
	doc_set_str(a, r->status, "PrivateKey",
	    acm_seal_key(c->store, a, r->arn, buf_span(&is->key)));
	doc_set(a, r->status, "NotBefore",
	    doc_copy(a, doc_get(facts, "NotBefore")));
	doc_set(a, r->status, "NotAfter",
	    doc_copy(a, doc_get(facts, "NotAfter")));
}

static int
put_import(struct call *c, struct res *r)
{
	int e;

	if (r->row == 0)
		return store_insert(c->store, c->arena, r);
	e = store_put_spec(c->store, r);
	return e ? e : store_put_status(c->store, r);
}

static struct reply *
import_as(struct call *c, struct res *r, const struct x509_import *is)
{
	struct doc *facts = x509_facts(c->arena, is->certificate);
	struct reply *no = check_replacement(c, r, facts, is);
	int e;

	if (no)
		return no;
	fill_import(c, r, facts, is);
	if ((e = put_import(c, r)))
		return acm_fail(c, e);
	if ((no = acm_put_tags(c, r, doc_get(c->in, "Tags"))))
		return no;
	return reply_ok(c, doc_set_str(c->arena, doc_obj(c->arena),
	    "CertificateArn", r->arn));
}

struct reply *
acm_import(struct call *c)
{
	struct x509_import is = {.key = BUF_INIT};
	struct res *r;
	struct reply *no = find_import(c, &r);
	const char *why;

	if (no)
		return no;
	why = x509_import(c->arena, doc_get_str(c->in, "Certificate"),
	    doc_get_str(c->in, "CertificateChain"),
	    doc_get_str(c->in, "PrivateKey"), clock_ms(), &is);
	if (why)
		return reply_error(c, "ValidationException", "%s", why);
	no = import_as(c, r, &is);
	x509_wipe(&is.key);
	return no;
}
