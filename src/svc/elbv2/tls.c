/* Certificates and security policies of HTTPS listeners.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html */
#include "base/err.h"
#include "svc/acm/pem.h"
#include "svc/elbv2/elbv2.h"
#include "svc/elbv2/ssl-policy.h"

/* https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html:
 * of a load balancer, default certificates apart. */
#define LIMIT_CERTIFICATES 25

static bool
is_certificate_arn(struct span arn)
{
	return span_starts(arn, SPAN("arn:aws:acm:")) ||
	    span_starts(arn, SPAN("arn:aws:iam::"));
}

/* May the listener be given it?  It is of the listener's region and account,
 * and there are no server certificates of IAM. */
static struct reply *
certificate_check(struct call *c, struct span arn)
{
	struct res *r;
	int e;

	if (!is_certificate_arn(arn))
		return reply_error(c, VALIDATION, "Certificate ARN '%.*s' is "
		    "not valid", SPAN_ARG(arn));
	e = store_get_arn(c->store, c->arena, arn, &r);
	if (e < 0)
		return reply_failure(c, e);
	if (e == STORE_E_NOT_FOUND || r->kind != &acm_certificate ||
	    !span_eq(r->scope.account, c->scope.account) ||
	    !span_eq(r->scope.region, c->scope.region))
		return reply_error(c, "CertificateNotFound",
		    "Certificate '%.*s' not found", SPAN_ARG(arn));
	if (!acm_is_issued(r) || !acm_is_strong(r))
		return reply_error(c, "UnsupportedCertificate", "The "
		    "certificate '%.*s' must have a fully-qualified domain "
		    "name, a supported signature, and a supported key size.",
		    SPAN_ARG(arn));
	return NULL;
}

static struct reply *
policy_check(struct call *c, struct span name)
{
	if (span_find(name, SPAN("-FIPS-")) >= 0)
		return reply_not_implemented(c, "SslPolicy '%.*s'",
		    SPAN_ARG(name));
	if (!ssl_policy_find(name))
		return reply_error(c, "SSLPolicyNotFound",
		    "SSL policy '%.*s' not found", SPAN_ARG(name));
	return NULL;
}

/* What an Application Load Balancer has not, or we have not. */
static struct reply *
others_check(struct call *c)
{
	struct span mode = doc_get_str(doc_get(c->in, "MutualAuthentication"),
	    "Mode");

	if (doc_len(doc_get(c->in, "AlpnPolicy")))
		return reply_error(c, "ALPNPolicyNotSupported", "An ALPN "
		    "policy can be specified for TLS listeners only");
	if (mode.n && !span_is(mode, "off"))
		return reply_not_implemented(c,
		    "MutualAuthentication with Mode '%.*s'", SPAN_ARG(mode));
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

/* AWS: "Do not set IsDefault." */
static struct reply *
default_check(struct call *c, const struct doc *given)
{
	return doc_get(doc_at(given, 0), "IsDefault") ? reply_error(c,
	    VALIDATION, "You cannot set the isDefault parameter for a "
	    "certificate") : NULL;
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
		return reply_error(c, "TooManyCertificates", "Up to '1' "
		    "certificate ARNs can be specified, but '%zu' were "
		    "specified", doc_len(given));
	if ((e = default_check(c, given)) || (e = certificate_check(c, arn)))
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
	struct reply *e = others_check(c);

	if (e)
		return e;
	if (span_is(doc_get_str(spec, "Protocol"), "HTTP")) {
		for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
			doc_del(spec, ours[i]);
		if (doc_len(doc_get(c->in, "Certificates")))
			return reply_error(c, VALIDATION, "A certificate "
			    "cannot be specified for HTTP listeners");
		/* Spelt as AWS spells it. */
		return policy.n ? reply_error(c, VALIDATION, "An SSL policy "
		    "cannot be specifed for HTTP listeners") : NULL;
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
	e = page_cut(c, out, "Certificates", list);
	return e ? e : reply_ok(c, out);
}

/* A listener, and the one certificate that such a call may name. */
static struct reply *
extra_named(struct call *c, struct res **ret, struct span *ret_arn)
{
	const struct doc *given = doc_get(c->in, "Certificates");
	struct reply *e = listener_find(c, doc_get_str(c->in, "ListenerArn"),
	    ret);

	if (e)
		return e;
	*ret_arn = doc_get_str(doc_at(given, 0), "CertificateArn");
	if (doc_len(given) != 1 || !ret_arn->n)
		return reply_error(c, VALIDATION, "Exactly one certificate "
		    "must be specified");
	return default_check(c, given);
}

static struct reply *
extras_put(struct call *c, struct res *l)
{
	int e;

	note_arns(c, l->spec);
	e = store_put_spec(c->store, l);
	return e ? reply_failure(c, err_fold(e)) : NULL;
}

/* How many the load balancer's listeners have, default ones apart. */
static int
extras_count(struct call *c, const struct res *l, size_t *ret)
{
	struct res_list all;
	size_t n = 0;
	int e = list_below(c, &elbv2_listener, l->parent, &all);

	if (e)
		return err_fold(e);
	for (size_t i = 0; i < all.n; i++)
		n += doc_len(doc_get(all.v[i]->spec, "ExtraCertificates"));
	*ret = n;
	return 0;
}

/* One that is there already is added again without a word. */
struct reply *
listener_add_certificates(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *more;
	struct span arn;
	struct res *l;
	struct reply *e = extra_named(c, &l, &arn);
	size_t n = 0;
	int r;

	if (e || (e = certificate_check(c, arn)))
		return e;
	if (!span_is(doc_get_str(l->spec, "Protocol"), "HTTPS"))
		return reply_error(c, "OperationNotPermitted", "Certificates "
		    "are for HTTPS listeners");
	if ((r = extras_count(c, l, &n)))
		return reply_failure(c, r);
	more = doc_get(l->spec, "ExtraCertificates");
	if (!more)
		doc_set(c->arena, l->spec, "ExtraCertificates",
		    more = doc_arr(c->arena));
	if (!doc_has_str(more, arn)) {
		if (n >= LIMIT_CERTIFICATES)
			return reply_error(c, "TooManyCertificates", "The "
			    "maximum number of certificates on load balancer "
			    "'%.*s' has been reached", SPAN_ARG(doc_get_str(
			    l->spec, "LoadBalancerArn")));
		doc_push_str(c->arena, more, arn);
		if ((e = extras_put(c, l)))
			return e;
	}
	doc_push(list, certificate_doc(c, arn, false));
	doc_set(c->arena, out, "Certificates", list);
	return reply_ok(c, out);
}

static bool
is_default(const struct res *l, struct span arn)
{
	return span_eq(doc_get_str(doc_at(doc_get(l->spec, "Certificates"), 0),
	    "CertificateArn"), arn);
}

/* The default one may be in the list, too, and leave that.  What is not in it
 * need not be removed: a listener in clear has none any more. */
struct reply *
listener_remove_certificates(struct call *c)
{
	struct doc *left = doc_arr(c->arena);
	const struct doc *have;
	struct span arn;
	struct res *l;
	struct reply *e = extra_named(c, &l, &arn);

	if (e)
		return e;
	have = doc_get(l->spec, "ExtraCertificates");
	if (is_default(l, arn) && !doc_has_str(have, arn))
		return reply_error(c, "OperationNotPermitted", "Default "
		    "certificate '%.*s' cannot be removed from listener "
		    "'%.*s'", SPAN_ARG(arn), SPAN_ARG(l->arn));
	doc_each(v, have)
		if (!span_eq(doc_span(v), arn))
			doc_push_str(c->arena, left, doc_span(v));
	doc_set(c->arena, l->spec, "ExtraCertificates", left);
	e = extras_put(c, l);
	return e ? e : reply_ok(c, NULL);
}

/* The certificates of a resource but those of another state of it, one call
 * each, as the operations take them.  What is gone need not be removed. */
static int
cfn_each(struct cfn_run *run, const struct doc *props, const struct doc *but,
    bool removes, enum cfn_outcome *ret)
{
	const char *op = removes ? "RemoveListenerCertificates"
	    : "AddListenerCertificates";
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
		    doc_get_str(props, "ListenerArn"));
		doc_set(run->arena, in, "Certificates", one);
		if ((e = cfn_call(run, op, in, &r)))
			return err_trace(e);
		if (r.error.n && !(removes && cfn_says_gone(r.error))) {
			*ret = cfn_refused(run, op, &r);
			return 0;
		}
	}
	return 0;
}

/* Out first: a list that is full may change. */
int
elbv2_cfn_certificates(struct cfn_run *run, enum cfn_outcome *ret)
{
	int e = cfn_each(run, run->old, run->props, true, ret);

	if (!run->ref.n)
		run->ref = arena_fmt_span(run->arena, "%.*s-%.*s-%.*s",
		    SPAN_ARG(run->stack), SPAN_ARG(run->logical),
		    SPAN_ARG(run->random));
	if (e || *ret == CFN_FAILED)
		return e;
	return cfn_each(run, run->props, run->old, false, ret);
}

int
elbv2_cfn_certificates_remove(struct cfn_run *run, enum cfn_outcome *ret)
{
	return cfn_each(run, run->props, NULL, true, ret);
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
	struct span type = doc_get_str(c->in, "LoadBalancerType");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct reply *e;

	if (type.n && !span_is(type, "application"))
		return reply_not_implemented(c, "load balancers of type "
		    "'%.*s'", SPAN_ARG(type));
	doc_each(n, names)
		if (!ssl_policy_find(doc_span(n)))
			return reply_error(c, "SSLPolicyNotFound",
			    "SSL policy '%.*s' not found",
			    SPAN_ARG(doc_span(n)));
	for (const struct ssl_policy *p = ssl_policies_all; p->name; p++)
		if (!doc_len(names) || doc_has_str(names, span_of(p->name)))
			doc_push(list, policy_doc(c, p));
	e = page_cut(c, out, "SslPolicies", list);
	return e ? e : reply_ok(c, out);
}
