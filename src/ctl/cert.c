/* Certificates on their way: proofs, keys, issue, renewal. */
#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "ctl/cert.h"
#include "svc/acm/ca.h"
#include "svc/acm/kinds.h"
#include "svc/acm/pem.h"
#include "svc/acm/validation.h"
#include "svc/acm/x509.h"
#include "svc/route53/kinds.h"

#define CERTS_MAGIC 0xce271f1cu
#define JOB_MAGIC   0xce276b0bu

/* An RSA key being made on a thread, then waiting for its certificate. */
struct job {
	unsigned magic;
	uv_work_t work;
	struct list link;
	struct ctl *ctl; /* NULL: nobody waits any more */
	int64_t row;
	char *algorithm;
	struct buf key;
	bool ready;
};

struct certs {
	unsigned magic;
	struct list jobs;
};

/* A certificate in one run. */
struct cert_run {
	struct ctl *ctl;
	struct store *store;
	struct arena *a;
	struct certs *state;
	struct res *cert;
	struct cert_view view;
	struct doc *proved; /* the domains that are */
};

/* --- keys --------------------------------------------------------------- */

static void
job_free(struct job *j)
{
	list_del(&j->link);
	x509_wipe(&j->key);
	free(j->algorithm);
	FREE_OBJ(j);
}

static void
job_work(uv_work_t *w)
{
	struct job *j = container_of(w, struct job, work);

	x509_key(span_of(j->algorithm), &j->key);
}

static void
job_done(uv_work_t *w, int status UNUSED)
{
	struct job *j;

	CAST_OBJ(j, container_of(w, struct job, work), JOB_MAGIC);
	if (!j->ctl) {
		job_free(j);
		return;
	}
	j->ready = true;
	ctl_wake(j->ctl, &ctl_cert, j->row);
}

static struct job *
job_find(struct certs *st, int64_t row)
{
	list_each(l, &st->jobs)
		if (list_entry(l, struct job, link)->row == row)
			return list_entry(l, struct job, link);
	return NULL;
}

static void
job_start(struct cert_run *r, struct span algorithm)
{
	struct job *j;

	ALLOC_OBJ(j, JOB_MAGIC);
	j->ctl = r->ctl;
	j->row = r->cert->row;
	j->algorithm = xstrndup(algorithm.p, algorithm.n);
	list_add(&r->state->jobs, &j->link);
	AZ(uv_queue_work(ctl_env(r->ctl)->loop, &j->work, job_work, job_done));
}

/* False: it is being made, and this row woken then. */
static bool
take_key(struct cert_run *r, struct buf *ret)
{
	struct span algorithm = doc_get_str(r->cert->spec, "KeyAlgorithm");
	struct job *j;

	if (!x509_is_slow(algorithm)) {
		x509_key(algorithm, ret);
		return true;
	}
	if (!(j = job_find(r->state, r->cert->row))) {
		job_start(r, algorithm);
		return false;
	}
	if (!j->ready)
		return false;
	*ret = j->key;
	j->key = BUF_INIT;
	job_free(j);
	return true;
}

/* --- looking ------------------------------------------------------------ */

/* Which domains are proved now?  What was proved for the first time stays so,
 * as AWS tells it; a renewal asks for every record anew. */
static int
look_at_domains(struct cert_run *r)
{
	const struct doc *names = doc_get(r->cert->spec,
	    "SubjectAlternativeNames");
	const struct doc *before = r->view.pending ?
	    doc_get(r->cert->status, "Validated") : NULL;
	struct validation v;
	bool there;
	int e;

	r->proved = doc_arr(r->a);
	doc_each(n, names) {
		struct span domain = doc_span(n);

		there = doc_has_str(before, domain);
		validation_record(r->a, r->cert->scope.account, domain, &v);
		if (!there && (e = validation_there(r->store, r->a, &v,
			&there)) < 0)
			return err_trace(e);
		if (there)
			doc_push_str(r->a, r->proved, domain);
	}
	r->view.proved = doc_len(r->proved) == doc_len(names);
	return 0;
}

static int
look(struct cert_run *r)
{
	const struct doc *spec = r->cert->spec, *status = r->cert->status;
	struct span is = doc_get_str(status, "Status");
	struct cert_view *v = &r->view;
	struct doc *users;
	int e;

	*v = (struct cert_view){.now = clock_ms(),
	    .created = r->cert->created,
	    .pending = span_is(is, "PENDING_VALIDATION"),
	    .issued = span_is(is, "ISSUED"),
	    .issued_at = doc_get_int(status, "IssuedAt", 0),
	    .not_after = doc_get_int(status, "NotAfter", 0),
	    .renew_asked = doc_get_int(spec, "RenewAsked", 0)};
	if ((e = acm_users(r->store, r->a, r->cert->scope, r->cert->arn,
		&users)) < 0)
		return err_trace(e);
	v->renewable = doc_len(users) ||
	    doc_get_int(spec, "Exported", 0) > v->issued_at;
	return err_trace(look_at_domains(r));
}

/* --- doing -------------------------------------------------------------- */

static void
set_renewal(struct cert_run *r, const char *status)
{
	struct doc *d = doc_obj(r->a);

	doc_set_str(r->a, d, "RenewalStatus", span_of(status));
	doc_set_int(r->a, d, "UpdatedAt", r->view.now);
	doc_set(r->a, d, "Validated", doc_copy(r->a, r->proved));
	doc_set(r->a, r->cert->status, "Renewal", d);
}

static int
sign(struct cert_run *r, struct span key)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT;
	struct doc *status = r->cert->status;
	struct x509_issue i = {.key = key, .names = doc_get(r->cert->spec,
	    "SubjectAlternativeNames")};
	struct ca ca;
	int e = ca_load(r->store, r->a, &ca);

	if (e < 0)
		return err_trace(e);
	i.ca = ca.certificate;
	i.ca_key = ca.key;
	cert_term(r->view.now, &i.from_ms, &i.until_ms);
	x509_issue(&i, &pem);
	doc_set_str(r->a, status, "Certificate",
	    arena_span(r->a, buf_span(&pem)));
	doc_set_str(r->a, status, "CertificateChain", ca.certificate);
	doc_set_str(r->a, status, "PrivateKey",
	    acm_seal_key(r->store, r->a, r->cert->arn, key));
	doc_set_int(r->a, status, "NotBefore", i.from_ms);
	doc_set_int(r->a, status, "NotAfter", i.until_ms);
	doc_set_int(r->a, status, "IssuedAt", r->view.now);
	doc_set_str(r->a, status, "Status", SPAN("ISSUED"));
	return 0;
}

static int
issue(struct cert_run *r, bool renewal)
{
	_cleanup_(x509_wipe) struct buf key = BUF_INIT;
	int e;

	doc_set(r->a, r->cert->status, "Validated", r->proved);
	if (!take_key(r, &key))
		return 0;
	if ((e = sign(r, buf_span(&key))) < 0)
		return err_trace(e);
	if (renewal)
		set_renewal(r, "SUCCESS");
	log_info("certificate %.*s of %.*s: %s", SPAN_ARG(r->cert->id),
	    SPAN_ARG(doc_get_str(r->cert->spec, "DomainName")),
	    renewal ? "renewed" : "issued");
	return 0;
}

static int
apply(struct cert_run *r, const struct cert_plan *p)
{
	const struct doc *renewal = doc_get(r->cert->status, "Renewal");

	switch (p->step) {
	case CERT_REST:
		if (r->view.pending && doc_len(r->proved))
			doc_set(r->a, r->cert->status, "Validated", r->proved);
		return 0;
	case CERT_GIVE_UP:
		doc_set_str(r->a, r->cert->status, "Status",
		    SPAN("VALIDATION_TIMED_OUT"));
		return 0;
	case CERT_ISSUE:
		return issue(r, false);
	case CERT_RENEW:
		return issue(r, true);
	case CERT_PROVE:
		if (!span_is(doc_get_str(renewal, "RenewalStatus"),
			"PENDING_VALIDATION") ||
		    !doc_eq(doc_get(renewal, "Validated"), r->proved))
			set_renewal(r, "PENDING_VALIDATION");
		return 0;
	}
	WRONG("no such step");
}

static int
run(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct cert_run r = {.ctl = ctl, .store = ctl_env(ctl)->store, .a = a,
	    .state = state};
	struct cert_plan p;
	struct doc *was;
	struct job *j;
	int e = store_get_row(r.store, a, key, &r.cert);

	CHECK_OBJ(r.state, CERTS_MAGIC);
	if (e == STORE_E_NOT_FOUND) {
		if ((j = job_find(r.state, key)) && j->ready)
			job_free(j);
		return 0;
	}
	if (e < 0)
		return err_trace(e);
	if (!span_is(doc_get_str(r.cert->spec, "Type"), "AMAZON_ISSUED"))
		return 0;
	if ((e = look(&r)) < 0)
		return err_trace(e);
	was = doc_copy(a, r.cert->status);
	p = cert_plan(&r.view);
	*again_ms = p.again_ms;
	if ((e = apply(&r, &p)) < 0)
		return err_trace(e);
	if (doc_eq(was, r.cert->status))
		return 0;
	e = store_put_status(r.store, r.cert);
	return e > 0 ? err_fold(e) : err_trace(e);
}

/* --- what wakes --------------------------------------------------------- */

static void
wake_waiting(struct ctl *ctl, const char *index)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query q = {.kind = &acm_certificate, .index = index,
	    .value = SPAN("PENDING_VALIDATION")};
	struct res_list l;

	if (store_list(ctl_env(ctl)->store, a, &q, &l))
		return;
	for (size_t i = 0; i < l.n; i++)
		ctl_wake(ctl, &ctl_cert, l.v[i]->row);
}

static int64_t
key(void *state UNUSED, struct ctl *ctl, const struct change *c)
{
	static const char cname[] = "\0CNAME";

	if (c->kind == &acm_certificate)
		return c->row;
	if (c->kind == &route53_record_set && span_find(c->id,
	    span_make(cname, sizeof(cname))) < 0)
		return 0;
	wake_waiting(ctl, "status.Status");
	wake_waiting(ctl, "status.Renewal.RenewalStatus");
	return 0;
}

static void *
init(struct ctl *ctl UNUSED)
{
	struct certs *st;

	ALLOC_OBJ(st, CERTS_MAGIC);
	list_init(&st->jobs);
	return st;
}

/* A thread that is at work ends its job itself. */
static void
done(void *state)
{
	struct certs *st;

	CAST_OBJ(st, state, CERTS_MAGIC);
	list_each_safe(l, &st->jobs) {
		struct job *j = list_entry(l, struct job, link);

		if (j->ready) {
			job_free(j);
			continue;
		}
		list_del(&j->link);
		j->ctl = NULL;
	}
	FREE_OBJ(st);
}

static const struct kind *const kinds[] = {&acm_certificate,
	&route53_hosted_zone, &route53_record_set, NULL};

const struct controller ctl_cert = {
	.name = "certificate",
	.kinds = kinds,
	.key = key,
	.init = init,
	.done = done,
	.run = run,
};
