/* Looking at certificates: their facts, and whether one may be imported. */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "svc/acm/x509-internal.h"

#define CHAIN_MAX 20

static const struct {
	uint32_t bit;
	const char *name;
} usages[] = {
	{X509v3_KU_DIGITAL_SIGNATURE, "DIGITAL_SIGNATURE"},
	{X509v3_KU_NON_REPUDIATION, "NON_REPUDIATION"},
	{X509v3_KU_KEY_ENCIPHERMENT, "KEY_ENCIPHERMENT"},
	{X509v3_KU_DATA_ENCIPHERMENT, "DATA_ENCIPHERMENT"},
	{X509v3_KU_KEY_AGREEMENT, "KEY_AGREEMENT"},
	{X509v3_KU_KEY_CERT_SIGN, "CERTIFICATE_SIGNING"},
	{X509v3_KU_CRL_SIGN, "CRL_SIGNING"},
	{X509v3_KU_ENCIPHER_ONLY, "ENCIPHER_ONLY"},
	{X509v3_KU_DECIPHER_ONLY, "DECIPHER_ONLY"},
};

static const struct {
	int nid;
	const char *name;
} extended[] = {
	{NID_server_auth, "TLS_WEB_SERVER_AUTHENTICATION"},
	{NID_client_auth, "TLS_WEB_CLIENT_AUTHENTICATION"},
	{NID_code_sign, "CODE_SIGNING"},
	{NID_email_protect, "EMAIL_PROTECTION"},
	{NID_time_stamp, "TIME_STAMPING"},
	{NID_OCSP_sign, "OCSP_SIGNING"},
	{NID_ipsecEndSystem, "IPSEC_END_SYSTEM"},
	{NID_ipsecTunnel, "IPSEC_TUNNEL"},
	{NID_ipsecUser, "IPSEC_USER"},
	{NID_anyExtendedKeyUsage, "ANY"},
};

/* "RSA_2048", "EC_prime256v1"; empty: none that ACM has. */
static struct span
key_algorithm(struct arena *a, const EVP_PKEY *k)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span s;
	size_t n = 0;

	buf_reserve(&b, 64);
	if (EVP_PKEY_is_a(k, "RSA"))
		s = arena_fmt_span(a, "RSA_%d", EVP_PKEY_get_bits(k));
	else if (EVP_PKEY_is_a(k, "EC") &&
	    EVP_PKEY_get_group_name(k, b.p, 64, &n))
		s = arena_fmt_span(a, "EC_%.*s", (int)n, b.p);
	else
		s = SPAN_NULL;
	return x509_is_algorithm(s) ? s : SPAN_NULL;
}

/* 0a:1b:… */
static struct span
serial_text(struct arena *a, X509 *x)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const ASN1_INTEGER *n = X509_get0_serialNumber(x);
	const unsigned char *p = ASN1_STRING_get0_data(n);

	for (int i = 0; i < ASN1_STRING_length(n); i++)
		buf_addf(&b, "%s%02x", i ? ":" : "", p[i]);
	return arena_span(a, buf_span(&b));
}

static struct span
name_text(struct arena *a, const X509_NAME *n)
{
	_cleanup_(bio_free_p) BIO *bio = BIO_new(BIO_s_mem());
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	AN(bio);
	X509_NAME_print_ex(bio, n, 0, XN_FLAG_RFC2253);
	bio_take(bio, &b);
	return arena_span(a, buf_span(&b));
}

/* AWS: the issuer's organisation; what has none is told by its whole name. */
static struct span
issuer_text(struct arena *a, X509 *x)
{
	X509_NAME *n = X509_get_issuer_name(x);
	int i = X509_NAME_get_index_by_NID(n, NID_organizationName, -1);
	unsigned char *p = NULL;
	struct span s;
	int len;

	if (i < 0)
		return name_text(a, n);
	len = ASN1_STRING_to_UTF8(&p, X509_NAME_ENTRY_get_data(
	    X509_NAME_get_entry(n, i)));
	if (len < 0)
		return name_text(a, n);
	s = arena_span(a, span_make((char *)p, (size_t)len));
	OPENSSL_free(p);
	return s;
}

static int64_t
time_ms(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, secs = 0;

	AN(epoch);
	ASN1_TIME_diff(&days, &secs, epoch, t);
	ASN1_TIME_free(epoch);
	return (days * 86400LL + secs) * 1000;
}

/* What is no host's name is none that ACM could tell. */
static bool
is_text(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

static struct doc *
names_of(struct arena *a, X509 *x)
{
	GENERAL_NAMES *list = X509_get_ext_d2i(x, NID_subject_alt_name, NULL,
	    NULL);
	struct doc *d = doc_arr(a);

	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(list, i);
		struct span s;

		if (n->type != GEN_DNS)
			continue;
		s = span_make((const char *)ASN1_STRING_get0_data(
		    n->d.dNSName), (size_t)ASN1_STRING_length(n->d.dNSName));
		if (is_text(s))
			doc_push(d, doc_strdup(a, s));
	}
	GENERAL_NAMES_free(list);
	return d;
}

static struct doc *
common_names(struct arena *a, X509 *x)
{
	X509_NAME *n = X509_get_subject_name(x);
	struct doc *d = doc_arr(a);
	unsigned char *p = NULL;
	int i = X509_NAME_get_index_by_NID(n, NID_commonName, -1), len = -1;

	if (i >= 0)
		len = ASN1_STRING_to_UTF8(&p, X509_NAME_ENTRY_get_data(
		    X509_NAME_get_entry(n, i)));
	if (len > 0)
		doc_push(d, doc_strdup(a, span_make((char *)p, (size_t)len)));
	OPENSSL_free(p);
	return d;
}

static struct doc *
usages_of(struct arena *a, X509 *x)
{
	uint32_t bits = X509_get_key_usage(x);
	struct doc *d = doc_arr(a);

	/* A certificate that says nothing may be used for everything. */
	if (bits == UINT32_MAX) {
		doc_push_str(a, d, SPAN("ANY"));
		return d;
	}
	for (size_t i = 0; i < ARRAY_SIZE(usages); i++)
		if (bits & usages[i].bit)
			doc_push_str(a, d, span_of(usages[i].name));
	return d;
}

static struct doc *
extended_of(struct arena *a, X509 *x)
{
	EXTENDED_KEY_USAGE *list = X509_get_ext_d2i(x, NID_ext_key_usage, NULL,
	    NULL);
	struct doc *d = doc_arr(a), *one;
	char *oid = arena_alloc(a, 128);

	for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
		ASN1_OBJECT *o = sk_ASN1_OBJECT_value(list, i);
		const char *name = "CUSTOM";

		for (size_t j = 0; j < ARRAY_SIZE(extended); j++)
			if (OBJ_obj2nid(o) == extended[j].nid)
				name = extended[j].name;
		OBJ_obj2txt(oid, 128, o, 1);
		one = doc_set_str(a, doc_obj(a), "Name", span_of(name));
		doc_push(d, doc_set(a, one, "OID", doc_strdup(a, span_of(oid))));
	}
	EXTENDED_KEY_USAGE_free(list);
	return d;
}

struct doc *
x509_facts(struct arena *a, struct span certificate)
{
	_cleanup_(x509_free_p) X509 *x = x509_read(certificate);
	struct doc *d = doc_obj(a), *names;

	if (!x)
		return NULL;
	names = names_of(a, x);
	doc_set_str(a, d, "Serial", serial_text(a, x));
	doc_set_str(a, d, "Subject", name_text(a, X509_get_subject_name(x)));
	doc_set_str(a, d, "Issuer", issuer_text(a, x));
	doc_set_int(a, d, "NotBefore", time_ms(X509_get0_notBefore(x)));
	doc_set_int(a, d, "NotAfter", time_ms(X509_get0_notAfter(x)));
	doc_set_str(a, d, "KeyAlgorithm",
	    key_algorithm(a, X509_get0_pubkey(x)));
	doc_set_str(a, d, "SignatureAlgorithm",
	    span_of(OBJ_nid2sn(X509_get_signature_nid(x))));
	doc_set(a, d, "Names", doc_len(names) ? names : common_names(a, x));
	doc_set(a, d, "KeyUsages", usages_of(a, x));
	return doc_set(a, d, "ExtendedKeyUsages", extended_of(a, x));
}

/* --- import ------------------------------------------------------------- */

static void
chain_free_p(STACK_OF(X509) **c)
{
	sk_X509_pop_free(*c, X509_free);
}

/* NULL: something in it is no certificate, or there are too many. */
static STACK_OF(X509) *
chain_read(struct span pem)
{
	_cleanup_(bio_free_p) BIO *b = bio_of(pem);
	STACK_OF(X509) *c = sk_X509_new_null();
	unsigned long why;
	X509 *x;

	AN(c);
	ERR_clear_error();
	while (sk_X509_num(c) <= CHAIN_MAX &&
	    (x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		AN(sk_X509_push(c, x));
	why = ERR_peek_last_error();
	ERR_clear_error();
	if (sk_X509_num(c) == 0 || sk_X509_num(c) > CHAIN_MAX || (why &&
	    ERR_GET_REASON(why) != PEM_R_NO_START_LINE)) {
		chain_free_p(&c);
		return NULL;
	}
	return c;
}

#define STRENGTH 112 /* bits: SECLEVEL=2, Debian's default */

static bool
is_strong(X509 *x)
{
	int bits = 0;

	if (EVP_PKEY_get_security_bits(X509_get0_pubkey(x)) < STRENGTH)
		return false;
	if (X509_get_extension_flags(x) & EXFLAG_SS)
		return true;
	return X509_get_signature_info(x, NULL, NULL, &bits, NULL) &&
	    bits >= STRENGTH;
}

bool
x509_is_strong(struct span certificate, struct span chain)
{
	_cleanup_(x509_free_p) X509 *x = x509_read(certificate);
	_cleanup_(chain_free_p) STACK_OF(X509) *c = chain.n ?
	    chain_read(chain) : sk_X509_new_null();
	bool strong = x && c && is_strong(x);

	for (int i = 0; strong && i < sk_X509_num(c); i++)
		strong = is_strong(sk_X509_value(c, i));
	return strong;
}

/* Does each one sign the one before it?  The last need not be a root. */
static const char *
chain_problem(struct arena *a, X509 *x, STACK_OF(X509) *c)
{
	X509 *below = x, *by;
	bool ok;

	for (int i = 0; i < sk_X509_num(c); i++, below = by) {
		by = sk_X509_value(c, i);
		ok = X509_check_issued(by, below) == X509_V_OK &&
		    X509_verify(below, X509_get0_pubkey(by)) == 1;
		ERR_clear_error();
		if (!ok)
			return arena_fmt(a, "Unable to validate certificate "
			    "chain. The certificate chain must start with the "
			    "immediate signing certificate, followed by any "
			    "intermediaries in order. The index within the "
			    "chain of the invalid certificate is: %d", i);
	}
	return NULL;
}

static const char *
read_chain(struct arena *a, X509 *x, struct span pem, struct span *ret)
{
	_cleanup_(chain_free_p) STACK_OF(X509) *c = NULL;
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	const char *why;
	bool self;

	*ret = SPAN_NULL;
	if (!pem.n) {
		self = X509_verify(x, X509_get0_pubkey(x)) == 1;
		ERR_clear_error();
		return self ? NULL : "The certificate that is not a valid "
		    "self-signed. Please provide either a valid self-signed "
		    "certificate or certificate chain.";
	}
	if (!(c = chain_read(pem)))
		return "The certificate chain is not in PEM format.";
	if ((why = chain_problem(a, x, c)))
		return why;
	for (int i = 0; i < sk_X509_num(c); i++)
		x509_write(sk_X509_value(c, i), &text);
	*ret = arena_span(a, buf_span(&text));
	return NULL;
}

/* Is there a second one behind the first? */
static bool
is_several(struct span pem)
{
	ptrdiff_t end = span_find(pem, SPAN("-----END CERTIFICATE-----"));

	return end >= 0 && span_find(span_from(pem, (size_t)end + 1),
	    SPAN("-----BEGIN CERTIFICATE-----")) >= 0;
}

static const char *
pair_problem(struct arena *a, X509 *x, EVP_PKEY *k, int64_t now_ms)
{
	bool match;

	if (key_algorithm(a, k).n == 0)
		return "The private key algorithm or length is not supported.";
	match = X509_check_private_key(x, k) == 1;
	ERR_clear_error();
	if (!match)
		return "The certificate and private key do not match.";
	if (X509_NAME_entry_count(X509_get_issuer_name(x)) == 0)
		return "The issuer of the certificate is empty.";
	if (time_ms(X509_get0_notBefore(x)) > now_ms)
		return "The certificate is not valid yet.";
	if (time_ms(X509_get0_notAfter(x)) <= now_ms)
		return "The certificate has expired.";
	return NULL;
}

const char *
x509_import(struct arena *a, struct span certificate, struct span chain,
    struct span key, int64_t now_ms, struct x509_import *ret)
{
	_cleanup_(x509_free_p) X509 *x = x509_read(certificate);
	_cleanup_(pkey_free_p) EVP_PKEY *k = pkey_read(key);
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	struct x509_import is = {.key = BUF_INIT};
	const char *why;

	if (!x)
		return "The certificate is not in PEM format.";
	if (is_several(certificate))
		return "The certificate field contains more than one "
		    "certificate. You can specify only one certificate in "
		    "this field.";
	if (!k)
		return span_find(key, SPAN("ENCRYPTED")) >= 0 ?
		    "The private key is encrypted. It must be unencrypted." :
		    "The private key is not in PEM format.";
	if ((why = pair_problem(a, x, k, now_ms)) ||
	    (why = read_chain(a, x, chain, &is.chain)))
		return why;
	x509_write(x, &text);
	is.certificate = arena_span(a, buf_span(&text));
	pkey_write(k, SPAN_NULL, &is.key);
	*ret = is;
	return NULL;
}
