/* Proofs of domains, and who uses a certificate. */
#include <stdio.h>

#include "base/test.h"
#include "svc/acm/kinds.h"
#include "svc/acm/validation.h"
#include "svc/elbv2/kinds.h"
#include "svc/route53/kinds.h"
#include "svc/route53/name.h"

static const struct kind *const kinds[] = {&route53_hosted_zone,
	&route53_record_set, &elbv2_listener, NULL};
static const struct scope here = {{"123456789012", 12}, {"us-east-1", 9}};
static const struct scope there = {{"210987654321", 12}, {"us-east-1", 9}};

struct fixture {
	struct arena *a;
	char *dir;
	struct store *s;
};

static int
setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->a = arena_new();
	f->dir = xstrdup("/tmp/test-acm-XXXXXX");
	AN(mkdtemp(f->dir));
	AZ(store_open(f->dir, kinds, &f->s));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->s);
	AZ(system(arena_fmt(f->a, "rm -r %s", f->dir)));
	arena_free(f->a);
	free(f->dir);
	free(f);
	return 0;
}

static void
test_names(void **state)
{
	struct fixture *f = *state;
	struct validation v, w, x;

	validation_record(f->a, here.account, SPAN("a.test"), &v);
	validation_record(f->a, here.account, SPAN("*.A.test"), &w);
	validation_record(f->a, there.account, SPAN("a.test"), &x);
	assert_true(span_eq(v.name, w.name) && span_eq(v.value, w.value));
	assert_false(span_eq(v.name, x.name) || span_eq(v.value, x.value));
	/* They must never change: records of users hold them. */
	assert_string_equal(arena_str(f->a, v.name),
	    "_0bbf669576edef7dcafd466fd32a8ce4.a.test.");
	assert_string_equal(arena_str(f->a, v.value),
	    "_1aaffaf69146271706a89a60f2809c43."
	    "objalekbfg.acm-validations.aws.");
}

static struct res *
zone(struct fixture *f, struct scope scope, const char *id, const char *name,
    bool private_zone)
{
	struct res *z = res_new(f->a, &route53_hosted_zone, scope, SPAN_NULL,
	    span_of(id));

	doc_set_str(f->a, z->spec, "Name", span_of(name));
	doc_set_bool(f->a, z->spec, "PrivateZone", private_zone);
	AZ(store_insert(f->s, f->a, z));
	return z;
}

static void
record(struct fixture *f, const struct res *z, struct span name,
    struct span value)
{
	struct res *r = res_new(f->a, &route53_record_set, z->scope, z->id,
	    record_id(f->a, name, SPAN("CNAME"), SPAN_NULL));
	struct doc *values = doc_arr(f->a);

	doc_push_str(f->a, values, value);
	doc_set(f->a, r->spec, "ResourceRecords", values);
	AZ(store_insert(f->s, f->a, r));
}

static bool
proved(struct fixture *f, const struct validation *v)
{
	bool is;

	AZ(validation_there(f->s, f->a, v, &is));
	return is;
}

static void
test_zones(void **state)
{
	struct fixture *f = *state;
	struct validation v;
	struct res *outer, *inner;

	validation_record(f->a, here.account, SPAN("www.b.test"), &v);
	assert_false(proved(f, &v));
	outer = zone(f, here, "Z1", "b.test.", false);
	assert_false(proved(f, &v));
	/* The trailing dot of a value may be missing. */
	record(f, outer, v.name, arena_fmt_span(f->a, "_%.*s",
	    SPAN_ARG(span_from(span_to(v.value, v.value.n - 1), 1))));
	assert_true(proved(f, &v));
	zone(f, here, "Z2", "www.b.test.", true);
	assert_true(proved(f, &v)); /* nobody outside sees it */
	inner = zone(f, there, "Z3", "www.b.test.", false);
	/* Delegated away, to another account: DNS is one for all. */
	assert_false(proved(f, &v));
	record(f, inner, v.name, SPAN("_other.acm-validations.aws."));
	assert_false(proved(f, &v));
	/* Another zone of that name may be the one that is delegated to. */
	record(f, zone(f, here, "Z4", "www.b.test.", false), v.name, v.value);
	assert_true(proved(f, &v));
}

static void
listener(struct fixture *f, const char *id, const char *lb, const char *json)
{
	struct res *l = res_new(f->a, &elbv2_listener, here, span_of(lb),
	    span_of(id));
	struct doc *arns;

	AZ(doc_parse_json(f->a, span_of(json), &arns));
	doc_set_str(f->a, l->spec, "LoadBalancerArn", span_of(lb));
	doc_set(f->a, l->spec, "CertificateArns", arns);
	AZ(store_insert(f->s, f->a, l));
}

static void
test_users(void **state)
{
	struct fixture *f = *state;
	struct doc *users;

	listener(f, "1", "lb-a", "[\"one\",\"two\"]");
	listener(f, "2", "lb-a", "[\"one\"]");
	listener(f, "3", "lb-b", "[\"two\"]");
	listener(f, "4", "lb-c", "[]");
	AZ(acm_users(f->s, f->a, here, SPAN("one"), &users));
	assert_string_equal(arena_str(f->a, doc_json(f->a, users)),
	    "[\"lb-a\"]");
	AZ(acm_users(f->s, f->a, here, SPAN("two"), &users));
	assert_string_equal(arena_str(f->a, doc_json(f->a, users)),
	    "[\"lb-a\",\"lb-b\"]");
	AZ(acm_users(f->s, f->a, here, SPAN("three"), &users));
	assert_int_equal(doc_len(users), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
