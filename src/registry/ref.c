/* The grammars of references, digests, tags and registry hosts. */
#include "registry/ref.h"

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_low_alnum(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool
is_alnum(char c)
{
	return is_low_alnum(c) || is_upper(c);
}

/* Length of the separator at s[i]: '.', '_', "__" or any run of '-'. */
static size_t
separator(struct span s, size_t i)
{
	size_t n = 0;

	if (s.p[i] == '.')
		return 1;
	if (s.p[i] == '_')
		return i + 1 < s.n && s.p[i + 1] == '_' ? 2 : 1;
	while (i + n < s.n && s.p[i + n] == '-')
		n++;
	return n;
}

static bool
component_ok(struct span s)
{
	size_t i = 0, sep;

	if (s.n == 0 || !is_low_alnum(s.p[0]))
		return false;
	while (i < s.n) {
		if (is_low_alnum(s.p[i])) {
			i++;
			continue;
		}
		sep = separator(s, i);
		i += sep;
		if (sep == 0 || i >= s.n || !is_low_alnum(s.p[i]))
			return false;
	}
	return true;
}

bool
ref_repo_ok(struct span s)
{
	struct span rest = s;

	if (s.n == 0 || s.n > REF_REPO_MAX)
		return false;
	while (rest.p) {
		if (!component_ok(span_cut(&rest, '/')))
			return false;
	}
	return true;
}

bool
ref_tag_ok(struct span s)
{
	if (s.n == 0 || s.n > REF_TAG_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is_alnum(c) && c != '_' &&
		    (i == 0 || (c != '.' && c != '-')))
			return false;
	}
	return true;
}

bool
digest_is_sha512(struct span s)
{
	return span_starts(s, SPAN("sha512:"));
}

bool
digest_ok(struct span s, struct span *ret_hex)
{
	struct span hex;

	if (!digest_is_sha512(s) && !span_starts(s, SPAN("sha256:")))
		return false;
	hex = span_from(s, 7);
	if (hex.n != (digest_is_sha512(s) ? 128 : 64))
		return false;
	for (size_t i = 0; i < hex.n; i++) {
		if (!is_digit(hex.p[i]) && (hex.p[i] < 'a' || hex.p[i] > 'f'))
			return false;
	}
	if (ret_hex)
		*ret_hex = hex;
	return true;
}

static bool
port_ok(struct span s)
{
	uint64_t v;

	return s.n > 0 && s.n <= 5 && span_u64(s, &v) && v > 0 && v <= 65535;
}

static bool
label_ok(struct span s)
{
	if (s.n == 0 || s.p[0] == '-' || s.p[s.n - 1] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_alnum(s.p[i]) && s.p[i] != '-')
			return false;
	}
	return true;
}

static bool
ipv6_ok(struct span s)
{
	if (s.n < 4 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return false;
	for (size_t i = 1; i + 1 < s.n; i++) {
		char c = s.p[i];

		if (!is_digit(c) && c != ':' && c != '.' &&
		    !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}

/* Splits "host:port"; a bracketed address keeps its colons. */
static void
host_split(struct span host, struct span *ret_name, struct span *ret_port)
{
	ptrdiff_t colon = span_rchr(host, ':');

	if (colon < 0 || (host.n && host.p[host.n - 1] == ']')) {
		*ret_name = host;
		*ret_port = SPAN_NULL;
		return;
	}
	*ret_name = span_to(host, (size_t)colon);
	*ret_port = span_from(host, (size_t)colon + 1);
	if (!ret_port->p)
		ret_port->p = "";
}

static bool
host_ok(struct span host)
{
	struct span name, port, rest;

	host_split(host, &name, &port);
	if (port.p && !port_ok(port))
		return false;
	if (ipv6_ok(name))
		return true;
	rest = name;
	if (name.n == 0)
		return false;
	while (rest.p) {
		if (!label_ok(span_cut(&rest, '.')))
			return false;
	}
	return true;
}

static bool
looks_like_host(struct span s)
{
	if (span_is(s, "localhost"))
		return true;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' || s.p[i] == ':' || is_upper(s.p[i]))
			return true;
	}
	return false;
}

bool
ref_parse(struct arena *a, struct span text, struct ref *ret)
{
	struct ref r = {.host = SPAN("docker.io")};
	struct span name = text;
	ptrdiff_t at, colon, slash;

	if (text.n == 0 || text.n > REF_MAX)
		return false;
	at = span_chr(name, '@');
	if (at >= 0) {
		r.digest = span_from(name, (size_t)at + 1);
		name = span_to(name, (size_t)at);
		if (!digest_ok(r.digest, NULL))
			return false;
	}
	slash = span_chr(name, '/');
	if (slash > 0 && looks_like_host(span_to(name, (size_t)slash))) {
		r.host = span_to(name, (size_t)slash);
		name = span_from(name, (size_t)slash + 1);
		if (!host_ok(r.host))
			return false;
	}
	colon = span_rchr(name, ':');
	if (colon >= 0) {
		r.tag = span_from(name, (size_t)colon + 1);
		name = span_to(name, (size_t)colon);
		if (!ref_tag_ok(r.tag))
			return false;
	} else if (r.digest.n == 0) {
		r.tag = SPAN("latest");
	}
	if (span_is(r.host, "index.docker.io") ||
	    span_is(r.host, "registry-1.docker.io"))
		r.host = SPAN("docker.io");
	if (!ref_repo_ok(name))
		return false;
	r.repo = name;
	if (span_is(r.host, "docker.io") && span_chr(name, '/') < 0)
		r.repo = arena_fmt_span(a, "library/%.*s", SPAN_ARG(name));
	if (r.repo.n > REF_REPO_MAX)
		return false;
	*ret = r;
	return true;
}

bool
ref_ecr_host(struct span host, struct span *ret_account,
    struct span *ret_region)
{
	struct span rest = host, account, region;

	account = span_cut(&rest, '.');
	if (account.n != 12 || !span_is(span_cut(&rest, '.'), "dkr") ||
	    !span_is(span_cut(&rest, '.'), "ecr"))
		return false;
	for (size_t i = 0; i < account.n; i++) {
		if (!is_digit(account.p[i]))
			return false;
	}
	region = span_cut(&rest, '.');
	if (region.n == 0 || rest.n == 0)
		return false;
	*ret_account = account;
	*ret_region = region;
	return true;
}

bool
ref_loopback(struct span host)
{
	struct span name, port;

	host_split(host, &name, &port);
	return span_ieq(name, SPAN("localhost")) || span_is(name, "[::1]") ||
	    span_ends(name, SPAN(".localhost")) ||
	    span_starts(name, SPAN("127."));
}
