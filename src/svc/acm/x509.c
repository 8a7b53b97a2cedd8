/* Making keys and certificates. */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "base/id.h"
#include "svc/acm/x509-internal.h"

#define SERIAL_LEN 16
#define CN_MAX	   64 /* RFC 5280, ub-common-name */

static const struct {
	const char *name;
	unsigned bits;	   /* RSA */
	const char *curve; /* EC */
} algorithms[] = {
	{"RSA_1024", 1024, NULL},
	{"RSA_2048", 2048, NULL},
	{"RSA_3072", 3072, NULL},
	{"RSA_4096", 4096, NULL},
	{"EC_prime256v1", 0, "P-256"},
	{"EC_secp384r1", 0, "P-384"},
	{"EC_secp521r1", 0, "P-521"},
};

void
x509_free_p(X509 **x)
{
	X509_free(*x);
}

void
pkey_free_p(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

void
bio_free_p(BIO **b)
{
	BIO_free_all(*b);
}

void
x509_wipe(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_done(b);
}

/* A password is never asked for at the terminal. */
static int
no_password(char *to UNUSED, int size UNUSED, int rw UNUSED, void *u UNUSED)
{
	return -1;
}

BIO *
bio_of(struct span s)
{
	BIO *b = BIO_new_mem_buf(s.n ? s.p : "", (int)s.n);

	AN(b);
	return b;
}

void
bio_take(BIO *b, struct buf *to)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	buf_add(to, p, (size_t)n);
	OPENSSL_cleanse(p, (size_t)n);
}

EVP_PKEY *
pkey_read(struct span pem)
{
	_cleanup_(bio_free_p) BIO *b = bio_of(pem);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);

	ERR_clear_error();
	return k;
}

X509 *
x509_read(struct span pem)
{
	_cleanup_(bio_free_p) BIO *b = bio_of(pem);
	X509 *x = PEM_read_bio_X509(b, NULL, no_password, NULL);

	ERR_clear_error();
	return x;
}

void
x509_write(X509 *x, struct buf *ret)
{
	_cleanup_(bio_free_p) BIO *b = BIO_new(BIO_s_mem());

	AN(b);
	AN(PEM_write_bio_X509(b, x));
	bio_take(b, ret);
}

void
pkey_write(EVP_PKEY *k, struct span passphrase, struct buf *ret)
{
	_cleanup_(bio_free_p) BIO *b = BIO_new(BIO_s_mem());

	AN(b);
	AN(PEM_write_bio_PKCS8PrivateKey(b, k,
	    passphrase.n ? EVP_aes_256_cbc() : NULL, passphrase.p,
	    (int)passphrase.n, NULL, NULL));
	bio_take(b, ret);
}

static int
algorithm_index(struct span name)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (span_is(name, algorithms[i].name))
			return (int)i;
	return -1;
}

bool
x509_is_algorithm(struct span algorithm)
{
	return algorithm_index(algorithm) >= 0;
}

bool
x509_is_slow(struct span algorithm)
{
	return span_starts(algorithm, SPAN("RSA_"));
}

void
x509_key(struct span algorithm, struct buf *ret)
{
	_cleanup_(pkey_free_p) EVP_PKEY *k = NULL;
	int i = algorithm_index(algorithm);

	AN(i >= 0);
	k = algorithms[i].curve ? EVP_EC_gen(algorithms[i].curve) :
	    EVP_RSA_gen(algorithms[i].bits);
	AN(k);
	pkey_write(k, SPAN_NULL, ret);
}

/* --- certificates ------------------------------------------------------- */

static void
set_time(ASN1_TIME *t, int64_t ms)
{
	AN(ASN1_TIME_set(t, (time_t)(ms / 1000)));
}

static void
set_serial(X509 *x)
{
	unsigned char raw[SERIAL_LEN];
	BIGNUM *n;

	random_bytes(raw, sizeof(raw));
	raw[0] = (raw[0] & 0x7f) | 0x40; /* positive, and always as long */
	AN(n = BN_bin2bn(raw, sizeof(raw), NULL));
	AN(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)));
	BN_free(n);
}

static void
add_entry(X509_NAME *n, const char *field, struct span v)
{
	AN(X509_NAME_add_entry_by_txt(n, field, MBSTRING_UTF8,
	    (const unsigned char *)v.p, (int)v.n, -1, 0));
}

static void
add_extension(X509 *x, X509 *issuer, int nid, const char *text)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	AN(e = X509V3_EXT_nconf_nid(NULL, &ctx, nid, text));
	AN(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

/* Names are built, not parsed from text: none can smuggle in another. */
static void
add_names(X509 *x, const struct doc *names)
{
	GENERAL_NAMES *list = GENERAL_NAMES_new();

	AN(list);
	doc_each(v, names) {
		struct span s = doc_span(v);
		GENERAL_NAME *n = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		AN(n && text && ASN1_STRING_set(text, s.p, (int)s.n));
		GENERAL_NAME_set0_value(n, GEN_DNS, text);
		AN(sk_GENERAL_NAME_push(list, n));
	}
	AN(X509_add1_ext_i2d(x, NID_subject_alt_name, list, 0, 0));
	GENERAL_NAMES_free(list);
}

static X509 *
begin(EVP_PKEY *key, int64_t from_ms, int64_t until_ms)
{
	X509 *x = X509_new();

	AN(x);
	AN(X509_set_version(x, X509_VERSION_3));
	set_serial(x);
	set_time(X509_getm_notBefore(x), from_ms);
	set_time(X509_getm_notAfter(x), until_ms);
	AN(X509_set_pubkey(x, key));
	return x;
}

static void
finish(X509 *x, EVP_PKEY *by, struct buf *ret)
{
	AN(X509_sign(x, by, EVP_sha256()));
	x509_write(x, ret);
}

void
x509_root(struct span key, struct span name, int64_t from_ms,
    int64_t until_ms, struct buf *ret)
{
	_cleanup_(pkey_free_p) EVP_PKEY *k = pkey_read(key);
	_cleanup_(x509_free_p) X509 *x = NULL;
	X509_NAME *n;

	AN(k);
	x = begin(k, from_ms, until_ms);
	n = X509_get_subject_name(x);
	add_entry(n, "O", SPAN("Neargate"));
	add_entry(n, "CN", name);
	AN(X509_set_issuer_name(x, n));
	add_extension(x, x, NID_basic_constraints,
	    "critical,CA:TRUE,pathlen:0");
	add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(x, x, NID_subject_key_identifier, "hash");
	finish(x, k, ret);
}

void
x509_issue(const struct x509_issue *i, struct buf *ret)
{
	_cleanup_(pkey_free_p) EVP_PKEY *k = pkey_read(i->key);
	_cleanup_(pkey_free_p) EVP_PKEY *by = pkey_read(i->ca_key);
	_cleanup_(x509_free_p) X509 *ca = x509_read(i->ca), *x = NULL;
	struct span first = doc_span(doc_at(i->names, 0));

	AN(k && by && ca);
	x = begin(k, i->from_ms, i->until_ms);
	if (first.n <= CN_MAX)
		add_entry(X509_get_subject_name(x), "CN", first);
	AN(X509_set_issuer_name(x, X509_get_subject_name(ca)));
	add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE");
	add_extension(x, ca, NID_key_usage, EVP_PKEY_is_a(k, "RSA") ?
	    "critical,digitalSignature,keyEncipherment" :
	    "critical,digitalSignature");
	add_extension(x, ca, NID_ext_key_usage, "serverAuth,clientAuth");
	add_extension(x, ca, NID_subject_key_identifier, "hash");
	add_extension(x, ca, NID_authority_key_identifier, "keyid:always");
	add_names(x, i->names);
	finish(x, by, ret);
}

void
x509_export_key(struct span key, struct span passphrase, struct buf *ret)
{
	_cleanup_(pkey_free_p) EVP_PKEY *k = pkey_read(key);

	AN(k);
	pkey_write(k, passphrase, ret);
}
