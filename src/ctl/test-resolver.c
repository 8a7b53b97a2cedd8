/* Name servers of hosts as they are. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "ctl/resolver.h"

static const struct {
	const char *text;
	const char *want; /* joined by a blank */
} rows[] = {
	{"", ""},
	{"nameserver 10.0.0.2\n", "10.0.0.2"},
	{"nameserver 10.0.0.2", "10.0.0.2"},
	{"# nameserver 1.1.1.1\nsearch a b\n  nameserver\t8.8.8.8 # x\r\n",
	    "8.8.8.8"},
	{"nameserver 8.8.4.4\r\nnameserver 9.9.9.9\r\n", "8.8.4.4 9.9.9.9"},
	{"nameserver 127.0.0.53\noptions edns0\n", ""},
	{"nameserver 127.0.0.1\nnameserver 10.1.1.1\n", "10.1.1.1"},
	{"nameserver ::1\nnameserver 2001:db8::1\nnameserver 10.1.1.1\n",
	    "10.1.1.1"},
	{"nameserver 0.0.0.0\nnameserver 10.1.1\nnameserver\n", ""},
	{"nameservers 10.0.0.2\nxnameserver 10.0.0.2\n", ""},
	{"nameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\n"
	 "nameserver 1.0.0.4\n", "1.0.0.1 1.0.0.2 1.0.0.3"},
};

static struct span
joined(struct arena *a, const struct span *v, size_t n)
{
	struct span s = SPAN("");

	for (size_t i = 0; i < n; i++)
		s = arena_fmt_span(a, "%.*s%s%.*s", SPAN_ARG(s), i ? " " : "",
		    SPAN_ARG(v[i]));
	return s;
}

static void
test_parse(void **state)
{
	_cleanup_arena_ struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n;
		struct span *v = resolver_parse(a, span_of(rows[i].text), &n);

		assert_string_equal(arena_str(a, joined(a, v, n)),
		    rows[i].want);
	}
}

static void
put(struct arena *a, const char *root, const char *name, const char *text)
{
	FILE *f = fopen(arena_fmt(a, "%s%s", root, name), "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
assert_host(struct arena *a, const char *root, const char *want)
{
	size_t n;
	struct span *v = resolver_of_host(a, root, &n);

	assert_string_equal(arena_str(a, joined(a, v, n)), want);
}

static void
test_host(void **state)
{
	static const char *const dirs[] = {"/etc", "/run", "/run/systemd",
		"/run/systemd/resolve"};
	_cleanup_arena_ struct arena *a = arena_new();
	char *root = arena_fmt(a, "/tmp/neargate-resolver-XXXXXX");

	(void)state;
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		assert_int_equal(mkdir(arena_fmt(a, "%s%s", root, dirs[i]),
		    0700), 0);
	assert_host(a, root, "");
	put(a, root, "/etc/resolv.conf", "nameserver 127.0.0.53\n");
	assert_host(a, root, "");
	put(a, root, "/run/systemd/resolve/resolv.conf",
	    "nameserver 192.168.1.1\n");
	assert_host(a, root, "192.168.1.1");
	put(a, root, "/etc/resolv.conf", "nameserver 10.0.0.2\n");
	assert_host(a, root, "10.0.0.2");
	unlink(arena_fmt(a, "%s/etc/resolv.conf", root));
	unlink(arena_fmt(a, "%s/run/systemd/resolve/resolv.conf", root));
	for (size_t i = ARRAY_SIZE(dirs); i-- > 0;)
		rmdir(arena_fmt(a, "%s%s", root, dirs[i]));
	rmdir(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
