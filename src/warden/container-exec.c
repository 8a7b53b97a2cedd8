/* A further command in a running container, through the monitor's --exec. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "warden/check.h"
#include "warden/container.h"
#include "warden/dirs.h"
#include "warden/job.h"

#define MAX_TIMEOUT_MS (3600 * 1000)

static void
on_done(void *ctx, int status, struct span out)
{
	struct request *q = ctx;
	struct span head = span_cut(&out, '\n');
	struct buf *b;
	uint64_t code;

	if (status != 0 || !span_u64(head, &code)) {
		request_fail(q, EIO, "%.*s", SPAN_ARG(span_from(head, 1)));
		return;
	}
	b = request_begin(q);
	msg_put_u32(b, (uint32_t)code);
	msg_put_span(b, out);
	request_end(q);
}

/* Writes the process.json for args; *ret_name is the arena's. */
static int
write_process(struct container *c, struct arena *a, const struct span *args,
    size_t n, char **ret_name)
{
	static unsigned serial;
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	char *name = arena_fmt(a, "exec-%d-%u", (int)getpid(), ++serial);
	int r;

	buf_add_str(&b, "{\"terminal\":false,\"args\":");
	oci_render_strings(&b, args, n);
	buf_add_char(&b, ',');
	r = dirs_read(c->dir, "process", 8u << 20, &b);
	if (r == 0)
		r = dirs_write(c->dir, name, buf_span(&b), 0600);
	if (r < 0)
		return err_trace(r);
	*ret_name = name;
	return 0;
}

int
container_exec(struct host *h, struct request *q, struct msg_reader *m)
{
	struct arena *a = request_arena(q);
	struct span id = msg_span(m), *args;
	_cleanup_close_ int mnt = -1;
	struct container *c;
	uint32_t timeout;
	char *file = NULL;
	size_t n;

	args = msg_spans(m, a, WARDEN_MAX_ARGS, &n);
	timeout = msg_u32(m);
	if (!msg_ok(m))
		return -EBADMSG;
	c = container_find(h, id);
	for (size_t i = 0; i < n; i++)
		if (!check_text(args[i], WARDEN_MAX_TEXT))
			n = 0;
	if (n == 0 || timeout > MAX_TIMEOUT_MS) {
		request_fail(q, EINVAL, "bad arguments");
		return 0;
	}
	if (!c || c->exited || c->starting || c->init_fd < 0) {
		request_fail(q, ENOENT, "the container does not run");
		return 0;
	}
	mnt = open(arena_fmt(a, "/proc/%d/ns/mnt", (int)c->monitor),
	    O_RDONLY | O_CLOEXEC);
	if (mnt < 0 || write_process(c, a, args, n, &file) < 0) {
		request_fail(q, EIO, "%s", err_last());
		return 0;
	}
	const char *argv[] = {arena_fmt(a, "%s/neargate-monitor",
				  h->libexec_dir), "--exec", h->runtime,
	    arena_fmt(a, "%s/runtime", h->run_dir), c->id,
	    arena_fmt(a, "%u", timeout), file, NULL};
	int fds[] = {c->dir, mnt, h->containers->runtime.fd};
	struct job_spec job = {.exec = argv, .fds = fds, .n_fds = 3};

	if (job_start(h, &job, on_done, q, NULL) < 0)
		request_fail(q, EIO, "%s", err_last());
	return 0;
}
