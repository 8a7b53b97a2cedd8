/* What an object's bytes are described by. */
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/err.h"
#include "store/files.h"
#include "svc/s3/object.h"

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

static int
write_all(int fd, struct span p)
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
	    (r = write_all(fd, bytes)) < 0 ||
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
