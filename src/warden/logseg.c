/* Records into segment files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "warden/logseg.h"

void
logseg_init(struct logseg *l, int dir)
{
	*l = (struct logseg){.dir = dir, .fd = -1, .seq = 0, .oldest = 1};
}

/* The directory is neargated's, so nothing there is trusted to be ours: every
 * file is made by us (O_EXCL), none is opened twice. */
static int
next_segment(struct logseg *l)
{
	_cleanup_free_ char *name = xasprintf("%06u.log", l->seq + 1);
	int fd = openat(l->dir, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

	if (fd < 0)
		return -errno;
	/* The group of the directory reads it. */
	close_p(&l->fd);
	l->fd = fd;
	l->seq++;
	l->size = 0;
	return 0;
}

static int
write_all(struct logseg *l)
{
	size_t done = 0;
	ssize_t n;
	int r;

	if (l->fd < 0 || l->size + l->out.n > LOGSEG_SIZE) {
		r = next_segment(l);
		if (r < 0)
			return r;
	}
	while (done < l->out.n) {
		n = write(l->fd, l->out.p + done, l->out.n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			/* Half a record may stand at its end: no more there. */
			r = -errno;
			close_p(&l->fd);
			return r;
		}
		done += (size_t)n;
	}
	l->size += l->out.n;
	return 0;
}

/* What cannot be written is lost: it must not pile up here. */
static int
write_out(struct logseg *l)
{
	int r = l->out.n ? write_all(l) : 0;

	buf_clear(&l->out);
	return r;
}

static void
record(struct logseg *l, char stream, char kind, struct span text, int64_t ms)
{
	buf_addf(&l->out, "%jd %c %c ", (intmax_t)ms, stream, kind);
	buf_add_span(&l->out, text);
	buf_add_char(&l->out, '\n');
}

int
logseg_add(struct logseg *l, char stream, const char *p, size_t n, int64_t ms)
{
	struct buf *line = &l->line[stream == 'e'];
	struct span rest = span_make(p, n), head;
	ptrdiff_t at;
	int r = 0, w;

	while (rest.n > 0) {
		at = span_chr(rest, '\n');
		head = span_to(rest, MIN(at < 0 ? rest.n : (size_t)at,
		    LOGSEG_LINE - line->n));
		buf_add_span(line, head);
		rest = span_from(rest, head.n);
		if (rest.n > 0 && rest.p[0] == '\n') {
			record(l, stream, 'F', buf_span(line), ms);
			rest = span_from(rest, 1);
		} else if (line->n == LOGSEG_LINE) {
			record(l, stream, 'P', buf_span(line), ms);
		} else {
			break;
		}
		buf_clear(line);
		if (l->out.n >= LOGSEG_LINE) {
			w = write_out(l);
			r = r ? r : w;
		}
	}
	w = write_out(l);
	return r ? r : w;
}

int
logseg_end(struct logseg *l, int64_t ms)
{
	_cleanup_close_ int fd = -1;
	int r;

	for (int i = 0; i < 2; i++) {
		if (l->line[i].n)
			record(l, "oe"[i], 'F', buf_span(&l->line[i]), ms);
		buf_done(&l->line[i]);
	}
	r = write_out(l);
	buf_done(&l->out);
	close_p(&l->fd);
	fd = openat(l->dir, "end",
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	return r < 0 ? r : fd < 0 ? -errno : 0;
}

bool
logseg_full(struct logseg *l)
{
	while (l->seq + 1 - l->oldest >= LOGSEG_UNREAD / LOGSEG_SIZE) {
		_cleanup_free_ char *name = xasprintf("%06u.log", l->oldest);

		if (faccessat(l->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
		l->oldest++;
	}
	return false;
}
