/* What is to be done with a certificate, as a table; and that it is done. */
#include <unistd.h>

#include "base/clock.h"
#include "base/test.h"
#include "ctl/cert.h"
#include "svc/acm/kinds.h"
#include "svc/acm/pem.h"
#include "svc/acm/validation.h"
#include "svc/acm/x509.h"
#include "svc/elbv2/kinds.h"
#include "svc/route53/kinds.h"
#include "svc/route53/name.h"

#define HOUR (60 * 60 * 1000LL)
#define DAY  (24 * HOUR)
#define T0   (20000 * DAY)
#define END  (T0 + 395 * DAY)

#define PENDING .created = T0, .pending = true
#define ISSUED	.created = T0, .issued = true, .issued_at = T0, .not_after = END

static void
test_plan(void **state UNUSED)
{
	static const struct {
		struct cert_view v;
		enum cert_step step;
		int64_t again;
	} rows[] = {
		{{PENDING, .now = T0}, CERT_REST, 72 * HOUR},
		{{PENDING, .now = T0 + 71 * HOUR}, CERT_REST, HOUR},
		{{PENDING, .now = T0 + 72 * HOUR}, CERT_GIVE_UP, 0},
		{{PENDING, .now = T0, .proved = true}, CERT_ISSUE, 0},
		/* Proved in time, seen late. */
		{{PENDING, .now = T0 + 80 * HOUR, .proved = true}, CERT_ISSUE,
		    0},
		{{ISSUED, .now = T0}, CERT_REST, DAY},
		{{ISSUED, .now = END - 60 * DAY - HOUR, .proved = true,
		    .renewable = true}, CERT_REST, HOUR},
		{{ISSUED, .now = END - 60 * DAY, .proved = true,
		    .renewable = true}, CERT_RENEW, 0},
		{{ISSUED, .now = END - 60 * DAY, .renewable = true},
		    CERT_PROVE, HOUR},
		/* AWS renews what is in use, and nothing else. */
		{{ISSUED, .now = END - 60 * DAY, .proved = true}, CERT_REST,
		    HOUR},
		{{ISSUED, .now = END, .proved = true, .renewable = true},
		    CERT_REST, 0},
		{{ISSUED, .now = T0 + DAY, .renew_asked = T0 + DAY,
		    .proved = true, .renewable = true}, CERT_RENEW, 0},
		{{ISSUED, .now = T0 + DAY, .renew_asked = T0 - DAY,
		    .proved = true, .renewable = true}, CERT_REST, DAY},
		/* Timed out, or failed. */
		{{.created = T0, .now = T0, .proved = true}, CERT_REST, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cert_plan p = cert_plan(&rows[i].v);

		assert_int_equal(p.step, rows[i].step);
		assert_int_equal(p.again_ms, rows[i].again);
	}
}

static void
test_term(void **state UNUSED)
{
	int64_t from, until;

	cert_term(T0 + 5 * HOUR + 7, &from, &until);
	assert_int_equal(from, T0);
	assert_int_equal(until, END - 1000);
}

/* --- done --------------------------------------------------------------- */

static const struct kind *const kinds[] = {&acm_certificate,
	&route53_hosted_zone, &route53_record_set, &elbv2_listener, NULL};
static const struct controller *const only[] = {&ctl_cert, NULL};
static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};

struct fixture {
	struct arena *a;
	char *dir;
	uv_loop_t loop;
	uv_prepare_t prep;
	struct ctl_env env;
	struct ctl *ctl;
};

static void
commit(uv_prepare_t *h)
{
	store_commit(h->data);
}

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->a = arena_new();
	f->dir = xstrdup("/tmp/test-cert-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(uv_loop_init(&f->loop));
	f->env.loop = &f->loop;
	AZ(store_open(f->dir, kinds, &f->env.store));
	AZ(uv_prepare_init(&f->loop, &f->prep));
	f->prep.data = f->env.store;
	AZ(uv_prepare_start(&f->prep, commit));
	uv_unref((uv_handle_t *)&f->prep);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	ctl_free(f->ctl);
	uv_close((uv_handle_t *)&f->prep, NULL);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	store_close(f->env.store);
	AZ(uv_loop_close(&f->loop));
	AZ(system(arena_fmt(f->a, "rm -r %s", f->dir)));
	arena_free(f->a);
	free(f->dir);
	free(f);
	clock_fake(0);
	return 0;
}

static struct res *
certificate(struct fixture *f, const char *id, const char *domain,
    const char *algorithm)
{
	struct res *r = res_new(f->a, &acm_certificate, here, SPAN_NULL,
	    span_of(id));
	struct doc *names = doc_arr(f->a);

	doc_push_str(f->a, names, span_of(domain));
	doc_set_str(f->a, r->spec, "DomainName", span_of(domain));
	doc_set(f->a, r->spec, "SubjectAlternativeNames", names);
	doc_set_str(f->a, r->spec, "Type", SPAN("AMAZON_ISSUED"));
	doc_set_str(f->a, r->spec, "KeyAlgorithm", span_of(algorithm));
	doc_set_str(f->a, r->status, "Status", SPAN("PENDING_VALIDATION"));
	AZ(store_insert(f->env.store, f->a, r));
	return r;
}

static void
prove(struct fixture *f, const char *domain)
{
	struct res *z = res_new(f->a, &route53_hosted_zone, here, SPAN_NULL,
	    arena_fmt_span(f->a, "Z-%s", domain)), *r;
	struct doc *values = doc_arr(f->a);
	struct validation v;

	doc_setf(f->a, z->spec, "Name", "%s.", domain);
	AZ(store_insert(f->env.store, f->a, z));
	validation_record(f->a, here.account, span_of(domain), &v);
	r = res_new(f->a, &route53_record_set, here, z->id,
	    record_id(f->a, v.name, SPAN("CNAME"), SPAN_NULL));
	doc_push_str(f->a, values, v.value);
	doc_set(f->a, r->spec, "ResourceRecords", values);
	AZ(store_insert(f->env.store, f->a, r));
}

static void
use(struct fixture *f, struct span arn)
{
	struct res *l = res_new(f->a, &elbv2_listener, here, SPAN("lb"),
	    SPAN("1"));
	struct doc *arns = doc_arr(f->a);

	doc_push_str(f->a, arns, arn);
	doc_set(f->a, l->spec, "CertificateArns", arns);
	doc_set_str(f->a, l->spec, "LoadBalancerArn", SPAN("lb"));
	AZ(store_insert(f->env.store, f->a, l));
}

static const struct res *
until(struct fixture *f, const struct res *r, const char *status,
    struct span not_serial)
{
	struct res *now;
	struct doc *facts;

	for (;;) {
		AZ(store_get_row(f->env.store, f->a, r->row, &now));
		facts = x509_facts(f->a, doc_get_str(now->status,
		    "Certificate"));
		if (span_is(doc_get_str(now->status, "Status"), status) &&
		    (!not_serial.p || !span_eq(not_serial,
			doc_get_str(facts, "Serial"))))
			return now;
		uv_run(&f->loop, UV_RUN_ONCE);
	}
}

static void
test_life(void **state)
{
	struct fixture *f = *state;
	struct res *late, *ec, *rsa;
	const struct res *now;
	struct acm_pem first, second;
	struct span serial;

	clock_fake(T0);
	late = certificate(f, "late", "late.test", "EC_prime256v1");
	ec = certificate(f, "ec", "ec.test", "EC_prime256v1");
	rsa = certificate(f, "rsa", "rsa.test", "RSA_2048");
	prove(f, "ec.test");
	prove(f, "rsa.test");
	AZ(ctl_new(&f->env, only, &f->ctl));
	until(f, rsa, "ISSUED", SPAN_NULL);
	now = until(f, ec, "ISSUED", SPAN_NULL);
	serial = doc_get_str(x509_facts(f->a, doc_get_str(now->status,
	    "Certificate")), "Serial");
	AZ(acm_pem(f->env.store, f->a, ec->arn, &first));
	assert_true(span_starts(first.key, SPAN("-----BEGIN PRIVATE KEY")));
	assert_int_equal(acm_pem(f->env.store, f->a, late->arn, &second),
	    ACM_E_NONE);

	/* Two months before the end, for a listener's sake. */
	use(f, ec->arn);
	clock_fake(END - 50 * DAY);
	ctl_wake(f->ctl, &ctl_cert, late->row);
	ctl_wake(f->ctl, &ctl_cert, ec->row);
	ctl_wake(f->ctl, &ctl_cert, rsa->row);
	until(f, late, "VALIDATION_TIMED_OUT", SPAN_NULL);
	now = until(f, ec, "ISSUED", serial);
	assert_string_equal(arena_str(f->a, doc_get_str(doc_get(now->status,
	    "Renewal"), "RenewalStatus")), "SUCCESS");
	assert_true(doc_get_int(now->status, "NotAfter", 0) > END);
	AZ(acm_pem(f->env.store, f->a, ec->arn, &second));
	assert_false(span_eq(first.key, second.key));
	/* Nobody uses the other. */
	now = until(f, rsa, "ISSUED", SPAN_NULL);
	assert_null(doc_get(now->status, "Renewal"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_term),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
	};

	/* An event that does not come must not keep everybody waiting. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
