/* Values of records: a type is a list of fields. */
#include <arpa/inet.h>

#include "base/buf.h"
#include "svc/route53/name.h"
#include "svc/route53/rdata.h"

#define STRING_MAX 255

enum field { END, IP4, IP6, NAME, U8, U16, U32, TAG, HEX, STRING, TOKEN };

static const struct form {
	const char *type;
	enum field fields[8];
	enum field more; /* any number of these follow; END: none */
} forms[] = {
	{"A", {IP4}, END},
	{"AAAA", {IP6}, END},
	{"CAA", {U8, TAG, STRING}, END},
	{"CNAME", {NAME}, END},
	{"DS", {U16, U8, U8, HEX}, END},
	{"HTTPS", {U16, NAME}, TOKEN},
	{"MX", {U16, NAME}, END},
	{"NAPTR", {U16, U16, STRING, STRING, STRING, NAME}, END},
	{"NS", {NAME}, END},
	{"PTR", {NAME}, END},
	{"SOA", {NAME, NAME, U32, U32, U32, U32, U32}, END},
	{"SPF", {STRING}, STRING},
	{"SRV", {U16, U16, U16, NAME}, END},
	{"SSHFP", {U8, U8, HEX}, END},
	{"SVCB", {U16, NAME}, TOKEN},
	{"TLSA", {U8, U8, U8, HEX}, END},
	{"TXT", {STRING}, STRING},
};

static const struct {
	const char *name, *text;
} problems[] = {
	[IP4] = {"ARRDATAIllegalIPv4Address",
	    "Value is not a valid IPv4 address"},
	[IP6] = {"AAAARRDATAIllegalIPv6Address",
	    "Value is not a valid IPv6 address"},
	[U8] = {"InvalidUnsignedInt8", "Value is not a number up to 255"},
	[U16] = {"InvalidUnsignedInt16", "Value is not a number up to 65535"},
	[U32] = {"InvalidUnsignedInt32",
	    "Value is not a number up to 4294967295"},
	[TAG] = {"InvalidCAATag", "Value is not a CAA tag"},
	[HEX] = {"InvalidHexString", "Value is not hexadecimal digits"},
	[STRING] = {"InvalidCharacterString",
	    "Value should be enclosed in quotation marks"},
	[TOKEN] = {"InvalidParameter", "Value is not a service parameter"},
};

struct span
rdata_name_problem(struct arena *a, int problem, struct span name)
{
	static const char *const texts[][2] = {
		[NAME_OK] = {"", ""},
		[NAME_EMPTY_LABEL] = {"DomainLabelEmpty",
		    "Domain label is empty"},
		[NAME_LONG_LABEL] = {"DomainLabelTooLong",
		    "Domain label is too long"},
		[NAME_LONG] = {"DomainNameTooLong", "Domain name is too long"},
		[NAME_BAD_ESCAPE] = {"InvalidEscapeSequence",
		    "Value contains an invalid escape sequence"},
	};

	return arena_fmt_span(a, "%s (%s) encountered with '%.*s'",
	    texts[problem][0], texts[problem][1], SPAN_ARG(name));
}

/* The next field; a quoted one keeps its quotes.  False: none, or a quote
 * without its end (the field is then all that is left). */
static bool
next_field(struct span *rest, struct span *ret)
{
	size_t i = 0;
	bool quoted;

	*rest = span_trim(*rest);
	if (rest->n == 0)
		return false;
	quoted = rest->p[0] == '"';
	for (i = quoted; i < rest->n; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->n)
			i++;
		else if (quoted ? rest->p[i] == '"' : rest->p[i] == ' ' ||
		    rest->p[i] == '\t')
			break;
	}
	i = MIN(i + quoted, rest->n);
	*ret = span_to(*rest, i);
	*rest = span_from(*rest, i);
	return true;
}

static bool
all_of(struct span s, const char *set, size_t max)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(set, s.p[i]))
			return false;
	return s.n > 0 && s.n <= max;
}

/* Its length once escapes are undone, or -1 when it is not "quoted". */
static ptrdiff_t
string_length(struct span s)
{
	ptrdiff_t n = 0;

	if (s.n < 2 || s.p[0] != '"' || s.p[s.n - 1] != '"')
		return -1;
	for (size_t i = 1; i < s.n - 1; i++, n++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c > '~' || c == '"')
			return -1;
		if (c != '\\')
			continue;
		if (i + 3 < s.n - 1 && s.p[i + 1] >= '0' && s.p[i + 1] <= '3')
			i += 3;
		else if (++i == s.n - 1)
			return -1;
	}
	return n;
}

static bool
is_number(struct span s, uint64_t max)
{
	uint64_t v;

	return span_u64(s, &v) && v <= max;
}

static bool
is_address(struct arena *a, struct span s, int family)
{
	unsigned char raw[16];

	return s.n < INET6_ADDRSTRLEN &&
	    inet_pton(family, arena_str(a, s), raw) == 1;
}

static bool
field_ok(struct arena *a, enum field f, struct span s)
{
	switch (f) {
	case IP4:
		return is_address(a, s, AF_INET);
	case IP6:
		return is_address(a, s, AF_INET6);
	case U8:
		return is_number(s, UINT8_MAX);
	case U16:
		return is_number(s, UINT16_MAX);
	case U32:
		return is_number(s, UINT32_MAX);
	case TAG:
		return all_of(s, "abcdefghijklmnopqrstuvwxyz0123456789", 255);
	case HEX:
		return s.n % 2 == 0 && all_of(s, "0123456789abcdefABCDEF", 512);
	case STRING:
		return string_length(s) >= 0;
	case TOKEN:
		return span_chr(s, '"') != 0;
	case NAME:
	case END:
		break;
	}
	WRONG("a field without a form");
}

static bool
check_field(struct arena *a, enum field f, struct span s, struct span *ret_why)
{
	struct span name;
	int e;

	if (f == NAME) {
		if ((e = name_canonical(a, s, &name)) == NAME_OK)
			return true;
		*ret_why = rdata_name_problem(a, e, s);
		return false;
	}
	if (!field_ok(a, f, s)) {
		*ret_why = arena_fmt_span(a, "%s (%s) encountered with '%.*s'",
		    problems[f].name, problems[f].text, SPAN_ARG(s));
		return false;
	}
	if (f == STRING && string_length(s) > STRING_MAX) {
		*ret_why = arena_fmt_span(a, "CharacterStringTooLong (Value "
		    "is too long) encountered with '%.*s'", SPAN_ARG(s));
		return false;
	}
	return true;
}

static bool
wrong_number(struct arena *a, const struct form *f, struct span value,
    struct span *ret_why)
{
	unsigned n = 0;

	while (f->fields[n])
		n++;
	*ret_why = arena_fmt_span(a, "%sRRDATANot%uFields (Expected %s %u "
	    "field%s) encountered with '%.*s'", f->type, n,
	    f->more ? "at least" : "exactly", n, n == 1 ? "" : "s",
	    SPAN_ARG(value));
	return false;
}

bool
rdata_check(struct arena *a, struct span type, struct span value,
    struct span *ret_why)
{
	const struct form *f = NULL;
	struct span rest = value, field;
	enum field want;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (span_is(type, forms[i].type))
			f = &forms[i];
	AN(f); /* the model's enum has no other */
	while (next_field(&rest, &field)) {
		want = n < ARRAY_SIZE(f->fields) && f->fields[n] ?
		    f->fields[n] : f->more;
		if (want == END)
			return wrong_number(a, f, value, ret_why);
		if (!check_field(a, want, field, ret_why))
			return false;
		/* Once past the list, only what may repeat counts. */
		n = MIN(n + 1, ARRAY_SIZE(f->fields));
	}
	if (n < ARRAY_SIZE(f->fields) && f->fields[n] != END)
		return wrong_number(a, f, value, ret_why);
	return true;
}
