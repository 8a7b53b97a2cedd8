/* neargate env: endpoint, root key, region. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/env.h"
#include "cli/local.h"

static void
export_line(struct buf *b, const char *name, struct span value)
{
	buf_addf(b, "export %s='", name);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] == '\'')
			buf_add_str(b, "'\\''");
		else
			buf_add_char(b, value.p[i]);
	buf_add_str(b, "'\n");
}

static int
read_credentials(struct cli *c, const struct instance *in, struct buf *b)
{
	const char *path = arena_fmt(c->a, "%s/root-credentials",
	    in->state_dir);
	_cleanup_close_ int fd = open(path,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_origin(errno, "%s: %s", path, strerror(errno));
	buf_reserve(b, 4096);
	n = read(fd, b->p, 4096);
	if (n < 0)
		return err_origin(errno, "%s: %s", path, strerror(errno));
	b->n = (size_t)n;
	return 0;
}

int
env_lines(struct cli *c, const struct instance *in, const struct doc *status,
    struct buf *b)
{
	struct span region = span_of(c->region ? c->region : "us-east-1");
	_cleanup_(buf_done) struct buf file = BUF_INIT;
	struct span rest, line, name;
	int r = read_credentials(c, in, &file);

	if (r < 0)
		return err_trace(r);
	export_line(b, "AWS_ENDPOINT_URL", doc_get_str(status, "endpoint"));
	rest = buf_span(&file);
	while (rest.n) {
		line = span_cut(&rest, '\n');
		name = span_cut(&line, '=');
		if (line.p && !span_is(name, "AWS_ACCOUNT_ID"))
			export_line(b, arena_str(c->a, name), line);
	}
	export_line(b, "AWS_REGION", region);
	export_line(b, "AWS_DEFAULT_REGION", region);
	/* Of another account's session, it would spoil every signature. */
	buf_add_str(b, "unset AWS_SESSION_TOKEN\n");
	if (strcmp(in->name, "ng0"))
		export_line(b, "NEARGATE_INSTANCE", span_of(in->name));
	return 0;
}

int
env_file(struct span lines, const char *path)
{
	_cleanup_close_ int fd = open(path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	uint64_t uid, gid;

	if (fd < 0 || fchmod(fd, 0600) < 0 ||
	    write(fd, lines.p, lines.n) != (ssize_t)lines.n)
		return err_origin(errno, "%s: %s", path, strerror(errno));
	if (span_u64(span_of(getenv("SUDO_UID")), &uid) &&
	    span_u64(span_of(getenv("SUDO_GID")), &gid) &&
	    fchown(fd, (uid_t)uid, (gid_t)gid) < 0)
		return err_origin(errno, "%s: %s", path, strerror(errno));
	return 0;
}

int
cli_env(struct cli *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct instance in;
	struct doc *status;
	int r;

	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	r = local_ask(c, &in, "/status", &status);
	if (r == LOCAL_E_DOWN)
		return instance_not_up(c, &in);
	in.state_dir = r < 0 ? NULL :
	    arena_str(c->a, doc_get_str(status, "stateDir"));
	if (r < 0 || env_lines(c, &in, status, &b) < 0)
		return cli_fail("%s", err_last());
	fputs(buf_str(&b), stdout);
	return 0;
}
