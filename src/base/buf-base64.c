/* base64 of a buf; apart, so that what needs none is not linked with OpenSSL. */
#include <ctype.h>
#include <openssl/evp.h>

#include "base/buf.h"

void
buf_add_base64(struct buf *b, const void *p, size_t n)
{
	size_t out = (n + 2) / 3 * 4;

	buf_reserve(b, out);
	b->n += (size_t)EVP_EncodeBlock((unsigned char *)b->p + b->n, p, (int)n);
	b->p[b->n] = '\0';
}

bool
buf_add_unbase64(struct buf *b, struct span s)
{
	int n, pad = 0;

	if (s.n == 0)
		return true;
	if (s.n % 4)
		return false;
	/* EVP_DecodeBlock trims blanks by itself, which base64 has none of. */
	if (isspace((unsigned char)s.p[0]) ||
	    isspace((unsigned char)s.p[s.n - 1]))
		return false;
	while (pad < 2 && s.p[s.n - 1 - (size_t)pad] == '=')
		pad++;
	if (span_chr(span_to(s, s.n - (size_t)pad), '=') >= 0)
		return false;
	buf_reserve(b, s.n / 4 * 3);
	n = EVP_DecodeBlock((unsigned char *)b->p + b->n,
	    (const unsigned char *)s.p, (int)s.n);
	if (n < 0) {
		b->p[b->n] = '\0';
		return false;
	}
	b->n += (size_t)(n - pad);
	b->p[b->n] = '\0';
	return true;
}
