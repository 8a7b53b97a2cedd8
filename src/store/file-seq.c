/* Several files as one stream. */
#include "store/file-seq.h"

#include <errno.h>
#include <unistd.h>

#include "base/err.h"

#define SEQ_MAGIC 0x46534551

struct file_seq {
	unsigned magic;
	struct files *files;
	struct arena *arena;
	struct file_run *v;
	size_t n;
	size_t at;     /* the run that is being read */
	uint64_t done; /* bytes of it */
	int fd;	       /* its file; -1: not open */
};

struct file_seq *
file_seq_new(struct files *f, const struct file_run *v, size_t n)
{
	struct file_seq *s;

	ALLOC_OBJ(s, SEQ_MAGIC);
	s->files = f;
	s->arena = arena_new();
	s->v = arena_array(s->arena, struct file_run, n);
	s->n = n;
	s->fd = -1;
	for (size_t i = 0; i < n; i++) {
		s->v[i] = v[i];
		s->v[i].id = arena_span(s->arena, v[i].id);
		files_hold(f, s->v[i].id);
	}
	return s;
}

void
file_seq_free(struct file_seq *s)
{
	if (!s)
		return;
	CHECK_OBJ(s, SEQ_MAGIC);
	close_p(&s->fd);
	for (size_t i = 0; i < s->n; i++)
		files_drop(s->files, s->v[i].id);
	arena_free(s->arena);
	FREE_OBJ(s);
}

void
file_seq_free_p(struct file_seq **s)
{
	file_seq_free(*s);
}

uint64_t
file_seq_length(const struct file_seq *s)
{
	uint64_t sum = 0;

	CHECK_OBJ(s, SEQ_MAGIC);
	for (size_t i = 0; i < s->n; i++)
		sum += s->v[i].n;
	return sum;
}

static int
open_run(struct file_seq *s, const struct file_run *run)
{
	uint64_t size;
	int r;

	if (s->fd >= 0)
		return 0;
	r = files_read(s->files, run->id, &s->fd, &size);
	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	if (run->offset > size || run->n > size - run->offset)
		return err_origin(EIO, "a file of %llu bytes is too short",
		    (unsigned long long)size);
	return 0;
}

ssize_t
file_seq_read(struct file_seq *s, char *p, size_t n)
{
	const struct file_run *run;
	ssize_t got;
	int r;

	CHECK_OBJ(s, SEQ_MAGIC);
	while (s->at < s->n && s->done == s->v[s->at].n) {
		close_p(&s->fd);
		s->done = 0;
		s->at++;
	}
	if (s->at == s->n)
		return 0;
	run = &s->v[s->at];
	if ((r = open_run(s, run)) < 0)
		return err_trace(r);
	do
		got = pread(s->fd, p, MIN(n, run->n - s->done),
		    (off_t)(run->offset + s->done));
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return err_origin(got < 0 ? errno : EIO, "cannot read a file");
	s->done += (uint64_t)got;
	return got;
}
