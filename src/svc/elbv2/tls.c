/* Certificates and security policies of HTTPS listeners.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html */
#include "base/err.h"
#include "svc/acm/pem.h"
#include "svc/elbv2/elbv2.h"
#include "svc/elbv2/ssl-policy.h"

/* https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html:
 * of a load balancer, default certificates apart. */
#define LIMIT_CERTIFICATES 25

/* May the listener be given it? */
static struct reply *
certificate_check(struct call *c, struct span arn)
{
	struct res *r;
	int e = store_get_arn(c->store, c->arena, arn, &r);

	if (e < 0)
		return reply_failure(c, e);
	if (e == STORE_E_NOT_FOUND || r->kind != &acm_certificate)
		return reply_error(c, "CertificateNotFound",
		    "Certificate '%.*s' not found", SPAN_ARG(arn));
	if (!acm_is_issued(r))
		return reply_error(c, "UnsupportedCertificate", "The "
		    "certificate '%.*s' must have a fully-qualified domain "
		    "name, a supported signature, and a supported key size.",
		    SPAN_ARG(arn));
	return NULL;
}

/* AWS: policies by these words ask for what OpenSSL 3.0 does not have. */
static struct reply *
policy_check(struct call *c, struct span name)
{
	if (span_find(name, SPAN("-PQ-")) >= 0 ||
	    span_find(name, SPAN("-FIPS-")) >= 0)
		return reply_not_implemented(c, "SslPolicy '%.*s'",
		    SPAN_ARG(name));
	if (!ssl_policy_find(name))
		return reply_error(c, "SSLPolicyNotFound",
		    "SSL policy '%.*s' not found", SPAN_ARG(name));
	return NULL;
}

/* All ARNs, by which ACM finds who uses a certificate. */
static void
note_arns(struct call *c, struct doc *spec)
{
	struct doc *all = doc_arr(c->arena);

	doc_each(v, doc_get(spec, "Certificates"))
		doc_push_str(c->arena, all, doc_get_str(v, "CertificateArn"));
	doc_each(v, doc_get(spec, "ExtraCertificates"))
		if (!doc_has_str(all, doc_span(v)))
			doc_push_str(c->arena, all, doc_span(v));
	doc_set(c->arena, spec, "CertificateArns", all);
}

static struct reply *
default_place(struct call *c, struct doc *spec)
{
	const struct doc *given = doc_get(c->in, "Certificates");
	struct doc *list = doc_arr(c->arena), *one = doc_obj(c->arena);
	struct span arn = doc_get_str(doc_at(given, 0), "CertificateArn");
	struct reply *e;

	if (!given && doc_len(doc_get(spec, "Certificates")))
		return NULL;
	if (!doc_len(given) || !arn.n)
		return reply_error(c, VALIDATION, "A certificate must be "
		    "specified for HTTPS listeners");
	if (doc_len(given) > 1)
		return reply_error(c, VALIDATION, "Up to one certificate can "
		    "be specified, but '%zu' were specified", doc_len(given));
	if (doc_get(doc_at(given, 0), "IsDefault"))
		return reply_error(c, VALIDATION, "You cannot set the isDefault "
		    "parameter for a certificate");
	if ((e = certificate_check(c, arn)))
		return e;
	doc_set_str(c->arena, one, "CertificateArn", arn);
	doc_push(list, one);
	doc_set(c->arena, spec, "Certificates", list);
	return NULL;
}

struct reply *
tls_place(struct call *c, struct doc *spec)
{
	static const char *const ours[] = {"Certificates", "SslPolicy",
	    "ExtraCertificates", "CertificateArns"};
	struct span policy = doc_get_str(c->in, "SslPolicy");
	struct reply *e;

	if (span_is(doc_get_str(spec, "Protocol"), "HTTP")) {
		for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
			doc_del(spec, ours[i]);
		if (doc_len(doc_get(c->in, "Certificates")))
			return reply_error(c, VALIDATION, "Certificates cannot "
			    "be specified for HTTP listeners");
		return policy.n ? reply_error(c, VALIDATION, "An SSL policy "
		    "cannot be specified for HTTP listeners") : NULL;
	}
	if (!policy.n)
		policy = doc_get_str(spec, "SslPolicy");
	if (!policy.n)
		policy = SPAN(SSL_POLICY_DEFAULT);
	if ((e = policy_check(c, policy)) || (e = default_place(c, spec)))
		return e;
	doc_set_str(c->arena, spec, "SslPolicy", policy);
	note_arns(c, spec);
	return NULL;
}

static struct doc *
certificate_doc(struct call *c, struct span arn, bool is_default)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "CertificateArn", arn);
	doc_set_bool(c->arena, d, "IsDefault", is_default);
	return d;
}

struct reply *
listener_certificates(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct res *l;
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    &l);

	if (e)
		return e;
	doc_each(v, doc_get(l->spec, "Certificates"))
		doc_push(list, certificate_doc(c,
		    doc_get_str(v, "CertificateArn"), true));
	doc_each(v, doc_get(l->spec, "ExtraCertificates"))
		doc_push(list, certificate_doc(c, doc_span(v), false));
	doc_set(c->arena, out, "Certificates", list);
	return reply_ok(c, out);
}

/* An HTTPS listener, and the one certificate that such a call may name. */
static struct reply *
extra_named(struct call *c, struct res **ret, struct span *ret_arn)
{
	const struct doc *given = doc_get(c->in, "Certificates");
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    ret);

	if (e)
		return e;
	if (!span_is(doc_get_str((*ret)->spec, "Protocol"), "HTTPS"))
		return reply_error(c, "OperationNotPermitted", "Certificates "
		    "are for HTTPS listeners");
	*ret_arn = doc_get_str(doc_at(given, 0), "CertificateArn");
	if (doc_len(given) != 1 || !ret_arn->n)
		return reply_error(c, VALIDATION, "Exactly one certificate "
		    "must be specified");
	return NULL;
}

static struct reply *
extras_put(struct call *c, struct res *l)
{
	int e;

	note_arns(c, l->spec);
	e = store_put_spec(c->store, l);
	return e ? reply_failure(c, err_fold(e)) : NULL;
}

static bool
is_default(const struct res *l, struct span arn)
{
	doc_each(v, doc_get(l->spec, "Certificates"))
		if (span_eq(doc_get_str(v, "CertificateArn"), arn))
			return true;
	return false;
}

/* One that is there already, as default too, is added again without a word. */
struct reply *
listener_add_certificates(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *more;
	struct span arn;
	struct res *l;
	struct reply *e = extra_named(c, &l, &arn);

	if (e || (e = certificate_check(c, arn)))
		return e;
	more = doc_get(l->spec, "ExtraCertificates");
	if (!more)
		doc_set(c->arena, l->spec, "ExtraCertificates",
		    more = doc_arr(c->arena));
	if (!doc_has_str(more, arn)) {
		if (doc_len(more) >= LIMIT_CERTIFICATES)
			return reply_error(c, "TooManyCertificates", "The "
			    "maximum number of certificates on listener '%.*s' "
			    "has been reached", SPAN_ARG(l->arn));
		doc_push_str(c->arena, more, arn);
		if ((e = extras_put(c, l)))
			return e;
	}
	doc_push(list, certificate_doc(c, arn, is_default(l, arn)));
	doc_set(c->arena, out, "Certificates", list);
	return reply_ok(c, out);
}

struct reply *
listener_remove_certificates(struct call *c)
{
	struct doc *left = doc_arr(c->arena);
	struct span arn;
	struct res *l;
	struct reply *e = extra_named(c, &l, &arn);

	if (e)
		return e;
	if (is_default(l, arn))
		return reply_error(c, "OperationNotPermitted", "Default "
		    "certificate '%.*s' cannot be removed from listener "
		    "'%.*s'", SPAN_ARG(arn), SPAN_ARG(l->arn));
	doc_each(v, doc_get(l->spec, "ExtraCertificates"))
		if (!span_eq(doc_span(v), arn))
			doc_push_str(c->arena, left, doc_span(v));
	doc_set(c->arena, l->spec, "ExtraCertificates", left);
	e = extras_put(c, l);
	return e ? e : reply_ok(c, NULL);
}

/* The certificates of a resource, one call each, as the operations take them. */
static int
cfn_each(struct cfn_run *run, const struct doc *props, const struct doc *but,
    const char *op, enum cfn_outcome *ret)
{
	struct op_result r;
	int e;

	*ret = CFN_DONE;
	doc_each(v, doc_get(props, "Certificates")) {
		struct doc *in = doc_obj(run->arena);
		struct doc *one = doc_arr(run->arena);
		bool kept = false;

		doc_each(k, doc_get(but, "Certificates"))
			kept = kept || doc_eq(k, v);
		if (kept)
			continue;
		doc_push(one, doc_copy(run->arena, v));
		doc_set_str(run->arena, in, "ListenerArn",
		    doc_get_str(run->props, "ListenerArn"));
		doc_set(run->arena, in, "Certificates", one);
		if ((e = cfn_call(run, op, in, &r)))
			return err_trace(e);
		if (r.error.n) {
			*ret = cfn_refused(run, op, &r);
			return 0;
		}
	}
	return 0;
}

int
elbv2_cfn_certificates(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = cfn_each(run, run->props, run->old,
	    "AddListenerCertificates", ret);

	if (!run->ref.n)
		run->ref = arena_fmt_span(run->arena, "%.*s-%.*s-%.*s",
		    SPAN_ARG(run->stack), SPAN_ARG(run->logical),
		    SPAN_ARG(run->random));
	if (e || *ret == CFN_FAILED)
		return e;
	return cfn_each(run, run->old, run->props,
	    "RemoveListenerCertificates", ret);
}

int
elbv2_cfn_certificates_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return cfn_each(run, run->props, NULL, "RemoveListenerCertificates",
	    ret);
}

/* DescribeSSLPolicies */

static struct doc *
policy_doc(struct call *c, const struct ssl_policy *p)
{
	static const char *const versions[] = {"TLSv1", "TLSv1.1", "TLSv1.2",
	    "TLSv1.3"};
	struct doc *d = doc_obj(c->arena), *protocols = doc_arr(c->arena);
	struct doc *ciphers = doc_arr(c->arena), *types = doc_arr(c->arena);
	int priority = 0;

	for (int v = p->max; v >= p->min; v--)
		doc_push_str(c->arena, protocols, span_of(versions[v]));
	for (const struct ssl_cipher *s = ssl_ciphers; s->name; s++) {
		struct doc *one = doc_obj(c->arena);

		if (!(p->ciphers & s->family))
			continue;
		doc_set_str(c->arena, one, "Name", span_of(s->name));
		doc_set_int(c->arena, one, "Priority", ++priority);
		doc_push(ciphers, one);
	}
	doc_push_str(c->arena, types, SPAN("application"));
	doc_set(c->arena, d, "SslProtocols", protocols);
	doc_set(c->arena, d, "Ciphers", ciphers);
	doc_set_str(c->arena, d, "Name", span_of(p->name));
	doc_set(c->arena, d, "SupportedLoadBalancerTypes", types);
	return d;
}

struct reply *
ssl_policies(struct call *c)
{
	const struct doc *names = doc_get(c->in, "Names");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);

	doc_each(n, names)
		if (!ssl_policy_find(doc_span(n)))
			return reply_error(c, "SSLPolicyNotFound",
			    "SSL policy '%.*s' not found",
			    SPAN_ARG(doc_span(n)));
	for (const struct ssl_policy *p = ssl_policies_all; p->name; p++)
		if (!doc_len(names) || doc_has_str(names, span_of(p->name)))
			doc_push(list, policy_doc(c, p));
	doc_set(c->arena, out, "SslPolicies", list);
	return reply_ok(c, out);
}
