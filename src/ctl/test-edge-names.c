/* Names of load balancers at the edge: tables of records. */
#include "base/test.h"
#include "ctl/edge-names.h"

#define BALANCERS                                                           \
	"[{'spec':{'DNSName':'One-1.elb.Test'},'status':{'Interfaces':"     \
	"[{'PublicIp':'10.0.0.1'}]}},"                                      \
	"{'spec':{'DNSName':'two-2.elb.test'},'status':{'Interfaces':"      \
	"[{'PublicIp':'10.0.0.2'}]}},"                                      \
	"{'spec':{'DNSName':'internal-3.elb.test'},'status':{}},"           \
	"{'spec':{'DNSName':'gone-4.elb.test','Deleting':true},'status':"   \
	"{'Interfaces':[{'PublicIp':'10.0.0.4'}]}}]"

static const struct doc *
json(struct arena *a, const char *text)
{
	char *t = arena_str(a, span_of(text));
	struct doc *d;

	for (char *p = t; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (doc_parse_json(a, span_of(t), &d))
		fail_msg("test's own JSON: %s", t);
	return d;
}

static struct res_list
rows(struct arena *a, const struct doc *list, bool whole)
{
	struct res_list l = {.v = arena_array(a, struct res *,
	    doc_len(list) + 1)};

	doc_each(d, list) {
		struct res *r = arena_new_of(a, struct res);

		r->spec = doc_copy(a, whole ? doc_get(d, "spec") : d);
		r->status = doc_copy(a, doc_get(d, "status"));
		l.v[l.n++] = r;
	}
	return l;
}

#define ALIAS(name, to, more)                                               \
	"{'Name':'" name "','Type':'A','AliasTarget':{'DNSName':'" to       \
	"'}" more "}"
#define CNAME(name, to, more)                                               \
	"{'Name':'" name "','Type':'CNAME','ResourceRecords':['" to         \
	"']" more "}"

static void
test_names(void **state UNUSED)
{
	static const struct {
		const char *records, *want;
	} cases[] = {
		{"[]", ""},
		{"[" ALIAS("a.test.", "dualstack.ONE-1.elb.test.", "") "]",
		    "a.test one-1.elb.test\n"},
		{"[" CNAME("b.test.", "two-2.elb.test", "") "]",
		    "b.test two-2.elb.test\n"},
		/* What has no address here, or does not lead to one. */
		{"[" ALIAS("a.test.", "internal-3.elb.test.", "") ","
		    ALIAS("b.test.", "gone-4.elb.test.", "") ","
		    CNAME("c.test.", "example.com", "") ","
		    "{'Name':'d.test.','Type':'A','ResourceRecords':['1.2.3.4']},"
		    "{'Name':'e.test.','Type':'TXT','ResourceRecords':"
		    "['one-1.elb.test']}]", ""},
		/* Chains, in whatever order; loops. */
		{"[" CNAME("a.test.", "B.test.", "") ","
		    ALIAS("b.test.", "c.test.", "") ","
		    CNAME("c.test.", "one-1.elb.test.", "") "]",
		    "a.test one-1.elb.test\nb.test one-1.elb.test\n"
		    "c.test one-1.elb.test\n"},
		{"[" CNAME("a.test.", "b.test.", "") ","
		    CNAME("b.test.", "a.test.", "") ","
		    CNAME("c.test.", "c.test.", "") "]", ""},
		/* Wildcards; through one, too, but not where a name is. */
		{"[" ALIAS("\\\\052.test.", "one-1.elb.test.", "") ","
		    CNAME("x.net.", "a.b.test.", "") "]",
		    "*.test one-1.elb.test\nx.net one-1.elb.test\n"},
		{"[" ALIAS("\\\\052.test.", "one-1.elb.test.", "") ","
		    CNAME("a.test.", "example.com.", "") ","
		    CNAME("x.net.", "a.test.", "") "]",
		    "*.test one-1.elb.test\n"},
		/* Of several: the primary, the heavier, the first; but one
		 * that leads somewhere. */
		{"[" ALIAS("a.test.", "one-1.elb.test.", ",'SetIdentifier':'1',"
		    "'Failover':'SECONDARY'") ","
		    ALIAS("a.test.", "two-2.elb.test.", ",'SetIdentifier':'2',"
		    "'Failover':'PRIMARY'") "]", "a.test two-2.elb.test\n"},
		{"[" ALIAS("a.test.", "one-1.elb.test.", ",'Weight':0") ","
		    ALIAS("a.test.", "two-2.elb.test.", ",'Weight':9") ","
		    CNAME("a.test.", "example.com.", ",'Weight':99") "]",
		    "a.test two-2.elb.test\n"},
		{"[" ALIAS("a.test.", "two-2.elb.test.", ",'Region':'eu'") ","
		    ALIAS("a.test.", "one-1.elb.test.", ",'Region':'us'") "]",
		    "a.test two-2.elb.test\n"},
		/* No host is called so. */
		{"[" ALIAS("a\\\\100.test.", "one-1.elb.test.", "") "]", ""},
		/* A load balancer's own name is its own. */
		{"[" CNAME("one-1.elb.test.", "two-2.elb.test.", "") "]", ""},
	};
	_cleanup_arena_ struct arena *a = arena_new();
	struct res_list lbs = rows(a, json(a, BALANCERS), true), records;
	struct lb_edge e;
	struct span more;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		records = rows(a, json(a, cases[i].records), false);
		edge_names(a, &lbs, &records, &e, &more);
		assert_string_equal(arena_str(a, more), cases[i].want);
		assert_true(span_is(e.hosts[0].name, "one-1.elb.test"));
		assert_true(span_is(e.hosts[1].addr, "10.0.0.2"));
	}
}

/* Ten thousand records of a zone in no time worth telling; a chain as long
 * ends nowhere and ends. */
static void
test_many(void **state UNUSED)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct res_list lbs = rows(a, json(a, BALANCERS), true), records;
	struct lb_edge e;
	struct span more;

	buf_add_str(&text, "[");
	for (int i = 0; i < 10000; i++)
		buf_addf(&text, ALIAS("a%d.test.", "one-1.elb.test.", "") ","
		    CNAME("c%d.test.", "c%d.test.", "") ",", i, i, i + 1);
	buf_add_str(&text, CNAME("c10000.test.", "two-2.elb.test.", "") "]");
	records = rows(a, json(a, buf_str(&text)), false);
	edge_names(a, &lbs, &records, &e, &more);
	assert_true(e.n_hosts > 10002 && e.n_hosts < 20003);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
