/* What a container gets, golden; and what is refused. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "warden/logseg.h"
#include "warden/oci.h"

#define HEX64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct oci_host host = {.dir = "/run/n/containers/t-0",
    .netns_path = "/proc/self/fd/6", .volumes = "/var/lib/n/volumes/t",
    .cgroup_path = "/neargate-ng0/t/t-0", .init_path = "/libexec/monitor"};

static void
check_golden(const char *name, const struct buf *got)
{
	_cleanup_free_ char *path =
	    xasprintf("src/warden/golden/%s.json", name);
	_cleanup_(buf_done) struct buf want = BUF_INIT;
	FILE *f = fopen(path, getenv("UPDATE_GOLDEN") ? "w+e" : "re");

	assert_non_null(f);
	if (getenv("UPDATE_GOLDEN"))
		fwrite(got->p, 1, got->n, f);
	rewind(f);
	buf_reserve(&want, 1 << 16);
	want.n = fread(want.p, 1, 1 << 16, f);
	fclose(f);
	assert_true(span_eq(buf_span(&want), buf_span(got)));
}

static void
test_least(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span args[] = {SPAN("/bin/true")};
	struct oci_spec s = {.id = SPAN("t-0"), .task = SPAN("t"),
	    .hostname = SPAN("h"), .args = args, .n_args = 1};

	oci_render(&b, &s, &host);
	check_golden("least", &b);
}

static void
test_all(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span args[] = {SPAN("sh"), SPAN("-c"), SPAN("echo \"\\\n\t\"")};
	struct span env[] = {SPAN("A=\xc3\xa9"), SPAN("B=")};
	struct span add[] = {SPAN("SYS_PTRACE"), SPAN("KILL")};
	struct span drop[] = {SPAN("NET_RAW")};
	uint32_t groups[] = {7, 8};
	struct oci_ulimit ulimits[] = {{SPAN("nofile"), 10, 20}};
	struct oci_mount mounts[] = {{SPAN("v"), SPAN("/data"), true}};
	struct oci_spec s = {.id = SPAN("t-0"), .task = SPAN("t"),
	    .hostname = SPAN("h"), .args = args, .n_args = 3, .env = env,
	    .n_env = 2, .cwd = SPAN("/w"), .uid = 1001, .gid = 1002,
	    .groups = groups, .n_groups = 2, .memory = 1 << 20,
	    .memory_soft = 1 << 19, .cpu_shares = 256, .pids = 100,
	    .ulimits = ulimits, .n_ulimits = 1, .mounts = mounts,
	    .n_mounts = 1, .cap_add = add, .n_cap_add = 2, .cap_drop = drop,
	    .n_cap_drop = 1, .init = true, .tty = true,
	    .read_only_root = true};

	oci_render(&b, &s, &host);
	check_golden("all", &b);
}

/* Each round lacks one more byte: none decodes, none crashes. */
static void
test_cut_messages(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const struct span layer[] = {SPAN("sha256:" HEX64)};
	const struct span args[] = {SPAN("x")};
	const char *why;
	struct oci_spec s;

	msg_put_span(&b, SPAN("t-0"));
	msg_put_span(&b, SPAN("t"));
	msg_put_span(&b, SPAN("task-t"));
	msg_put_span(&b, SPAN("h"));
	msg_put_spans(&b, layer, 1);
	msg_put_bool(&b, false);
	msg_put_spans(&b, args, 1);
	msg_put_spans(&b, NULL, 0);
	msg_put_span(&b, SPAN(""));
	for (int i = 0; i < 3; i++)
		msg_put_u32(&b, 0);
	msg_put_u64(&b, 0);
	msg_put_u64(&b, 0);
	msg_put_u32(&b, 0);
	msg_put_u64(&b, 0);
	for (int i = 0; i < 4 + 2; i++)
		msg_put_u32(&b, 0);
	msg_put_bool(&b, false);
	msg_put_bool(&b, false);
	msg_put_spans(&b, NULL, 0);
	msg_put_spans(&b, NULL, 0);
	for (size_t n = 0; n <= b.n; n++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct msg_reader m = {.rest = span_make(b.p, n)};

		assert_int_equal(oci_read(&m, a, &s, &why) == 0, n == b.n);
	}
}

static void
test_log_segments(void **state UNUSED)
{
	_cleanup_free_ char *dir = xstrdup("/tmp/test-logseg-XXXXXX");
	_cleanup_(buf_done) struct buf line = BUF_INIT;
	struct logseg l;
	int fd;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	logseg_init(&l, fd);
	assert_false(logseg_full(&l));
	for (int i = 0; i < 15000; i++)
		buf_add_char(&line, 'x');
	buf_add_char(&line, '\n');
	for (int i = 0; !logseg_full(&l) && i < 10000; i++)
		assert_int_equal(
		    logseg_add(&l, 'o', line.p, line.n, 1000), 0);
	/* 64 MiB wait; when the reader deletes the first, it goes on. */
	assert_int_equal(l.seq, 64);
	assert_int_equal(unlinkat(fd, "000001.log", 0), 0);
	assert_false(logseg_full(&l));
	assert_int_equal(logseg_end(&l, 1000), 0);
	for (unsigned i = 2; i <= l.seq; i++) {
		_cleanup_free_ char *name = xasprintf("%06u.log", i);
		struct stat st;

		assert_int_equal(fstatat(fd, name, &st, 0), 0);
		assert_true(st.st_size <= LOGSEG_SIZE);
		unlinkat(fd, name, 0);
	}
	assert_int_equal(unlinkat(fd, "end", 0), 0);
	close(fd);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_least), cmocka_unit_test(test_all),
	    cmocka_unit_test(test_cut_messages),
	    cmocka_unit_test(test_log_segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
