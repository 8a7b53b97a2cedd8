/* Rules: normal form, refusals, sameness, text, and back to permissions. */
#include "base/test.h"

#include "svc/ec2/permission.h"

static struct doc *
json(struct arena *a, const char *text)
{
	struct doc *d;

	assert_int_equal(doc_parse_json(a, span_of(text), &d), 0);
	return d;
}

#define ANY "\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}]"
#define TCP(from, to) "\"IpProtocol\":\"tcp\",\"FromPort\":" #from \
	",\"ToPort\":" #to

static void
refuses(void **state UNUSED)
{
	static const struct {
		const char *permission;
		const char *why; /* NULL: good */
	} cases[] = {
		{TCP(80, 80) "," ANY, NULL},
		{TCP(0, 65535) "," ANY, NULL},
		{"\"IpProtocol\":\"UDP\",\"FromPort\":1,\"ToPort\":2," ANY,
		    NULL},
		{"\"IpProtocol\":\"-1\"," ANY, NULL},
		{"\"IpProtocol\":\"50\"," ANY, NULL},
		{"\"IpProtocol\":\"icmp\",\"FromPort\":8,\"ToPort\":-1," ANY,
		    NULL},
		{"\"IpProtocol\":\"smtp\"," ANY,
		    "Invalid value 'smtp' for IP protocol. Unknown protocol."},
		{"\"IpProtocol\":\"256\"," ANY,
		    "Invalid value '256' for IP protocol. Unknown protocol."},
		{ANY, "Invalid value '' for IP protocol. Unknown protocol."},
		{"\"IpProtocol\":\"tcp\"," ANY,
		    "Invalid value 'Must specify both from and to ports with "
		    "TCP/UDP.' for portRange."},
		{TCP(80, 65536) "," ANY, "TCP/UDP port (65536) out of range"},
		{TCP(-1, -1) "," ANY, "TCP/UDP port (-1) out of range"},
		{TCP(443, 80) "," ANY, "Invalid TCP/UDP port range (443:80)"},
		{"\"IpProtocol\":\"icmp\",\"FromPort\":256," ANY,
		    "ICMP type (256) out of range"},
		{"\"IpProtocol\":\"-1\",\"IpRanges\":[{\"CidrIp\":\"1.2.3.4\"}]",
		    "CIDR block 1.2.3.4 is malformed"},
		{"\"IpProtocol\":\"-1\",\"Ipv6Ranges\":[{\"CidrIpv6\":\"::/129\"}]",
		    "CIDR block ::/129 is malformed"},
		{"\"IpProtocol\":\"-1\",\"IpRanges\":[{\"CidrIp\":"
		 "\"1.2.3.4/32\",\"Description\":\"a<b\"}]",
		    "Invalid rule description. Valid descriptions are strings "
		    "less than 256 characters from the following set:  "
		    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct span why = SPAN_NULL;
		struct doc *rules;
		const char *text =
		    arena_fmt(a, "[{%s}]", cases[i].permission);
		int e = permission_rules(a, json(a, text), false, &rules, &why);

		assert_int_equal(e,
		    cases[i].why ? PERMISSION_E_INVALID : 0);
		if (cases[i].why)
			assert_string_equal(arena_str(a, why), cases[i].why);
	}
	arena_free(a);
}

static void
expands(void **state UNUSED)
{
	static const char in[] =
	    "[{" TCP(80, 443) ",\"IpRanges\":[{\"CidrIp\":\"10.1.2.3/8\"},"
	    "{\"CidrIp\":\"1.2.3.4/32\",\"Description\":\"me\"}],"
	    "\"Ipv6Ranges\":[{\"CidrIpv6\":\"2001:DB8::/32\"}]},"
	    "{\"IpProtocol\":\"6\",\"FromPort\":1,\"ToPort\":1,"
	    "\"UserIdGroupPairs\":[{\"GroupId\":\"sg-1\"}]},"
	    "{\"IpProtocol\":\"50\",\"FromPort\":7,\"ToPort\":7," ANY "}]";
	static const char *const keys[] = {"1 tcp 80 443 10.0.0.0/8",
		"1 tcp 80 443 1.2.3.4/32", "1 tcp 80 443 2001:db8::/32",
		"1 tcp 1 1 sg-1", "1 50 -1 -1 0.0.0.0/0"};
	static const char *const texts[] = {
		"peer: 10.0.0.0/8, TCP, from port: 80, to port: 443, ALLOW",
		"peer: 1.2.3.4/32, TCP, from port: 80, to port: 443, ALLOW",
		"peer: 2001:db8::/32, TCP, from port: 80, to port: 443, ALLOW",
		"peer: sg-1, TCP, from port: 1, to port: 1, ALLOW",
		"peer: 0.0.0.0/0, protocol: 50, ALLOW"};
	static const char want[] =
	    "[{\"IpProtocol\":\"tcp\",\"FromPort\":80,\"ToPort\":443,"
	    "\"IpRanges\":[{\"CidrIp\":\"10.0.0.0/8\"},"
	    "{\"CidrIp\":\"1.2.3.4/32\",\"Description\":\"me\"}],"
	    "\"Ipv6Ranges\":[{\"CidrIpv6\":\"2001:db8::/32\"}],"
	    "\"UserIdGroupPairs\":[],\"PrefixListIds\":[]},"
	    "{\"IpProtocol\":\"tcp\",\"FromPort\":1,\"ToPort\":1,"
	    "\"IpRanges\":[],\"Ipv6Ranges\":[],"
	    "\"UserIdGroupPairs\":[{\"GroupId\":\"sg-1\"}],"
	    "\"PrefixListIds\":[]},"
	    "{\"IpProtocol\":\"50\","
	    "\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}],\"Ipv6Ranges\":[],"
	    "\"UserIdGroupPairs\":[],\"PrefixListIds\":[]}]";
	struct arena *a = arena_new();
	struct doc *rules, *back = doc_arr(a);
	struct span why;
	size_t i = 0;

	assert_int_equal(permission_rules(a, json(a, in), true, &rules, &why),
	    0);
	assert_int_equal(doc_len(rules), ARRAY_SIZE(keys));
	doc_each(r, rules) {
		assert_string_equal(permission_key(a, r).p, keys[i]);
		assert_string_equal(permission_text(a, r).p, texts[i]);
		permission_add(a, back, r);
		i++;
	}
	assert_string_equal(doc_json(a, back).p, want);
	arena_free(a);
}

static void
reads_flat_parameters(void **state UNUSED)
{
	static const struct {
		const char *in;
		const char *want; /* keys, one a line; NULL: none given */
	} cases[] = {
		{"{}", NULL},
		{"{\"GroupId\":\"sg-1\"}", NULL},
		{"{" TCP(22, 22) ",\"CidrIp\":\"10.0.0.0/8\"}",
		    "0 tcp 22 22 10.0.0.0/8\n"},
		{"{\"IpProtocol\":\"-1\",\"CidrIp\":\"0.0.0.0/0\"}",
		    "0 -1 -1 -1 0.0.0.0/0\n"},
		{"{\"SourceSecurityGroupName\":\"x\"}",
		    "0 tcp 0 65535 \n0 udp 0 65535 \n0 icmp -1 -1 \n"},
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doc *flat = permission_flat(a, json(a, cases[i].in));
		_cleanup_(buf_done) struct buf b = BUF_INIT;
		struct doc *rules;
		struct span why;

		assert_int_equal(flat != NULL, cases[i].want != NULL);
		if (!flat)
			continue;
		assert_int_equal(permission_rules(a, flat, false, &rules, &why),
		    0);
		doc_each(r, rules) {
			buf_add_span(&b, permission_key(a, r));
			buf_add_char(&b, '\n');
		}
		assert_string_equal(buf_str(&b), cases[i].want);
	}
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses),
		cmocka_unit_test(expands),
		cmocka_unit_test(reads_flat_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
