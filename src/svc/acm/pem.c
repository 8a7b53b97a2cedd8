/* Certificates with their keys: sealed in the store, clear in an arena. */
#include <errno.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/err.h"
#include "svc/acm/pem.h"
#include "svc/acm/x509.h"

struct clear_text {
	char *p;
	size_t n;
};

static void
wipe(void *ctx)
{
	struct clear_text *t = ctx;

	OPENSSL_cleanse(t->p, t->n);
}

static struct span
place(struct arena *a, struct span arn)
{
	return arena_fmt_span(a, "acm.certificate %.*s", SPAN_ARG(arn));
}

struct span
acm_seal_key(struct store *s, struct arena *a, struct span arn,
    struct span pem)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT, text = BUF_INIT;

	store_seal(s, place(a, arn), pem, &sealed);
	buf_add_base64(&text, sealed.p, sealed.n);
	return arena_span(a, buf_span(&text));
}

int
acm_open_key(struct store *s, struct arena *a, struct span arn,
    struct span sealed_text, struct span *ret)
{
	_cleanup_(buf_done) struct buf sealed = BUF_INIT;
	_cleanup_(x509_wipe) struct buf plain = BUF_INIT;
	struct clear_text *t;
	int r;

	if (!buf_add_unbase64(&sealed, sealed_text))
		return err_origin(EBADMSG, "a private key is no base64");
	r = store_unseal(s, place(a, arn), buf_span(&sealed), &plain);
	if (r < 0)
		return err_trace(r);
	*ret = arena_span(a, buf_span(&plain));
	t = arena_new_of(a, struct clear_text);
	*t = (struct clear_text){(char *)ret->p, ret->n};
	arena_note(a, wipe, t);
	return 0;
}

bool
acm_is_issued(const struct res *certificate)
{
	struct span is = doc_get_str(certificate->status, "Status");

	return span_is(is, "ISSUED") &&
	    doc_get_str(certificate->status, "Certificate").n > 0;
}

bool
acm_is_strong(const struct res *certificate)
{
	return x509_is_strong(doc_get_str(certificate->status, "Certificate"),
	    doc_get_str(certificate->status, "CertificateChain"));
}

static int
find_issued(struct store *s, struct arena *a, struct span arn,
    struct res **ret)
{
	struct res *r;
	int e = store_get_arn(s, a, arn, &r);

	if (e < 0)
		return err_trace(e);
	if (e || r->kind != &acm_certificate || !acm_is_issued(r))
		return ACM_E_NONE;
	*ret = r;
	return 0;
}

static struct acm_pem
public_part(const struct res *r)
{
	return (struct acm_pem){
	    .certificate = doc_get_str(r->status, "Certificate"),
	    .chain = doc_get_str(r->status, "CertificateChain")};
}

int
acm_public(struct store *s, struct arena *a, struct span arn,
    struct acm_pem *ret)
{
	struct res *r;
	int e = find_issued(s, a, arn, &r);

	if (!e)
		*ret = public_part(r);
	return e;
}

int
acm_pem(struct store *s, struct arena *a, struct span arn,
    struct acm_pem *ret)
{
	struct acm_pem p;
	struct res *r;
	int e = find_issued(s, a, arn, &r);

	if (e)
		return e;
	p = public_part(r);
	if ((e = acm_open_key(s, a, r->arn,
	    doc_get_str(r->status, "PrivateKey"), &p.key)) < 0)
		return err_trace(e);
	*ret = p;
	return 0;
}
