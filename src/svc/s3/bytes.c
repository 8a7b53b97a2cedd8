/* What an object's bytes are described by. */
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/files.h"
#include "svc/s3/lifecycle.h"
#include "svc/s3/multipart.h"

void
object_set_body(struct call *c, struct doc *spec, const struct call_body *b)
{
	struct doc *sums = doc_obj(c->arena);

	doc_setn(c->arena, sums, checksum_label(b->kind),
	    doc_strdup(c->arena, b->sum));
	doc_set(c->arena, spec, "Blob", doc_strdup(c->arena, b->id));
	doc_set_int(c->arena, spec, "Size", b->size);
	doc_set_str(c->arena, spec, "ETag", object_quoted_hex(c->arena,
	    b->md5));
	doc_set(c->arena, spec, "Checksums", sums);
}

void
object_tell_expiry(struct call *c, const struct res *bucket, struct span key,
    const struct doc *spec, struct doc *out)
{
	struct lifecycle_due due = lifecycle_current(doc_get(doc_get(
	    bucket->spec, "Lifecycle"), "Rules"), key, spec);
	_cleanup_(buf_done) struct buf rule = BUF_INIT;

	if (due.at == LIFECYCLE_NEVER)
		return;
	buf_add_uri(&rule, due.rule, false);
	doc_setf(c->arena, out, "Expiration", "expiry-date=\"%s\", "
	    "rule-id=\"%s\"", clock_http(c->arena, due.at), buf_str(&rule));
}

int
object_write_all(int fd, struct span p)
{
	while (p.n > 0) {
		ssize_t n = write(fd, p.p, p.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_origin(errno, "cannot write an object");
		p = span_from(p, (size_t)n);
	}
	return 0;
}

/* A file that no row comes to name is removed by the next sweep. */
int
object_store_bytes(struct call *c, struct span bytes, struct call_body *ret)
{
	_cleanup_close_ int fd = -1;
	unsigned char md5[EVP_MAX_MD_SIZE];
	struct checksum *sum;
	unsigned n = 0;
	int r;

	if ((r = files_create(c->files, c->arena, &ret->id, &fd)) < 0 ||
	    (r = object_write_all(fd, bytes)) < 0 ||
	    (r = files_seal(c->files, fd)) < 0)
		return err_trace(r);
	AN(EVP_Digest(bytes.p ? bytes.p : "", bytes.n, md5, &n, EVP_md5(),
	    NULL));
	ret->size = (int64_t)bytes.n;
	ret->md5 = arena_span(c->arena, span_make((char *)md5, n));
	ret->kind = CHECKSUM_CRC64NVME;
	sum = checksum_new(ret->kind);
	checksum_add(sum, bytes);
	ret->sum = checksum_text(sum, c->arena);
	checksum_free(sum);
	return 0;
}

/* The parts that have bytes of the range; *ret_start: where the first begins
 * in the object. */
static int
parts_of(struct call *c, const struct doc *spec, uint64_t first, uint64_t len,
    struct res_list *ret, uint64_t *ret_start)
{
	uint64_t size = (uint64_t)doc_get_int(spec, "PartSize", 0);
	int64_t last = doc_get_int(spec, "PartsCount", 1);
	int64_t from = 0, to = PARTS_MAX;

	/* The last one may be larger. */
	if (size && len) {
		from = MIN((int64_t)(first / size) + 1, last);
		to = MIN((int64_t)((first + len - 1) / size) + 1, last);
	}
	*ret_start = from ? (uint64_t)(from - 1) * size : 0;
	return err_trace(part_list(c, doc_get_str(spec, "Upload"), from, to,
	    ret));
}

int
object_runs(struct call *c, const struct doc *spec, uint64_t first,
    uint64_t len, struct file_run **ret, size_t *ret_n)
{
	struct file_run *v;
	struct res_list l;
	uint64_t at, end = first + len;
	size_t n = 0;
	int r;

	if (!doc_get(spec, "Upload")) {
		*ret = v = arena_new_of(c->arena, struct file_run);
		*v = (struct file_run){doc_get_str(spec, "Blob"), first, len};
		*ret_n = 1;
		return 0;
	}
	if ((r = parts_of(c, spec, first, len, &l, &at)) < 0)
		return err_trace(r);
	v = arena_array(c->arena, struct file_run, l.n);
	for (size_t i = 0; i < l.n; i++) {
		uint64_t size = (uint64_t)doc_get_int(l.v[i]->spec, "Size", 0);
		uint64_t lo = MAX(at, first), hi = MIN(at + size, end);

		if (lo < hi)
			v[n++] = (struct file_run){doc_get_str(l.v[i]->spec,
			    "Blob"), lo - at, hi - lo};
		at += size;
	}
	if (at < end)
		return err_origin(EIO, "an object's parts have %llu bytes, "
		    "not %llu", (unsigned long long)at,
		    (unsigned long long)end);
	*ret = v;
	*ret_n = n;
	return 0;
}
