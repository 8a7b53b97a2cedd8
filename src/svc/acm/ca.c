/* The private CA. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/acm/ca.h"
#include "svc/acm/pem.h"
#include "svc/acm/x509.h"

#define CERTIFICATE "acm_ca_certificate"
#define KEY	    "acm_ca_key"
#define PLACE	    SPAN("acm.ca")
#define YEAR_MS	    (365 * 24 * 60 * 60 * 1000LL)
#define YEARS	    20
/* A host's clock may be behind the one the root was made by. */
#define SLACK_MS    (24 * 60 * 60 * 1000LL)

static int
make(struct store *s, struct arena *a)
{
	_cleanup_(x509_wipe) struct buf key = BUF_INIT;
	_cleanup_(buf_done) struct buf pem = BUF_INIT;
	int64_t now = clock_ms();
	int r;

	x509_key(SPAN("EC_prime256v1"), &key);
	x509_root(buf_span(&key), arena_fmt_span(a, "Neargate private CA %s",
	    id_hex(a, 8)), now - SLACK_MS, now + YEARS * YEAR_MS, &pem);
	r = store_set_setting(s, KEY,
	    acm_seal_key(s, a, PLACE, buf_span(&key)));
	if (r == 0)
		r = store_set_setting(s, CERTIFICATE, buf_span(&pem));
	return err_trace(r);
}

int
ca_load(struct store *s, struct arena *a, struct ca *ret)
{
	struct span sealed;
	struct ca ca;
	int r = store_setting(s, a, CERTIFICATE, &ca.certificate);

	if (r == STORE_E_NOT_FOUND && (r = make(s, a)) == 0)
		r = store_setting(s, a, CERTIFICATE, &ca.certificate);
	if (r == 0)
		r = store_setting(s, a, KEY, &sealed);
	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	if ((r = acm_open_key(s, a, PLACE, sealed, &ca.key)) < 0)
		return err_trace(r);
	*ret = ca;
	return 0;
}
