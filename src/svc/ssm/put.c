/* PutParameter, deletion. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/clock.h"
#include "base/err.h"
#include "svc/ssm/ssm.h"

#define STANDARD_MAX 4096
#define ADVANCED_MAX 8192
#define VERSIONS_MAX 100
#define MORE "For more information, see https://docs.aws.amazon.com/" \
	"systems-manager/latest/userguide/parameter-store-advanced-" \
	"parameters.html"

static void
code_free(pcre2_code **re)
{
	pcre2_code_free(*re);
}

static void
data_free(pcre2_match_data **m)
{
	pcre2_match_data_free(*m);
}

static struct reply *
check_pattern(struct call *c, struct span value)
{
	struct span pattern = doc_get_str(c->in, "AllowedPattern");
	_cleanup_(code_free) pcre2_code *re = NULL;
	_cleanup_(data_free) pcre2_match_data *m = NULL;
	pcre2_match_context *limits;
	PCRE2_SIZE at;
	int e;

	if (pattern.n == 0)
		return NULL;
	re = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
	    PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C,
	    &e, &at, NULL);
	if (!re)
		return reply_error(c, "InvalidAllowedPatternException",
		    "The request does not meet the regular expression "
		    "requirement.");
	m = pcre2_match_data_create_from_pattern(re, NULL);
	limits = pcre2_match_context_create(NULL);
	AN(m && limits);
	pcre2_set_match_limit(limits, 1000000);
	e = pcre2_match(re, (PCRE2_SPTR)value.p, value.n, 0, 0, m, limits);
	pcre2_match_context_free(limits);
	if (e < 0)
		return reply_error(c, "ParameterPatternMismatchException",
		    "Parameter value, cannot be validated against "
		    "allowedPattern: %.*s", SPAN_ARG(pattern));
	return NULL;
}

static struct reply *
check_data_type(struct call *c)
{
	struct span type = doc_get_str(c->in, "DataType");

	if (type.n == 0 || span_is(type, "text"))
		return NULL;
	if (span_is(type, "aws:ec2:image") ||
	    span_is(type, "aws:ssm:integration"))
		return reply_not_implemented(c, "DataType %.*s",
		    SPAN_ARG(type));
	return ssm_invalid(c, "The following data type is not supported: %.*s "
	    "(Data type names are all lowercase.)", SPAN_ARG(type));
}

/* was: the tier so far, or empty. */
static struct reply *
choose_tier(struct call *c, struct span was, size_t size, struct span *ret)
{
	struct span tier = doc_get_str(c->in, "Tier");
	bool advanced = span_is(was, "Advanced");

	if (advanced && span_is(tier, "Standard"))
		return ssm_invalid(c, "This parameter uses the "
		    "advanced-parameter tier. You can't downgrade a parameter "
		    "from the advanced-parameter tier to the "
		    "standard-parameter tier. If necessary, you can delete "
		    "the advanced parameter and recreate it as a standard "
		    "parameter.");
	if (span_is(tier, "Intelligent-Tiering"))
		advanced = advanced || size > STANDARD_MAX;
	else
		advanced = advanced || span_is(tier, "Advanced");
	if (!advanced && size > STANDARD_MAX)
		return ssm_invalid(c, "Standard tier parameters support a "
		    "maximum parameter value of %d characters. To create a "
		    "larger parameter value, upgrade the parameter to use the "
		    "advanced-parameter tier. " MORE, STANDARD_MAX);
	if (size > ADVANCED_MAX)
		return ssm_invalid(c, "Advanced tier parameters support a "
		    "maximum parameter value of %d characters. " MORE,
		    ADVANCED_MAX);
	*ret = advanced ? SPAN("Advanced") : SPAN("Standard");
	return NULL;
}

/* p: what is there, or NULL. */
static struct reply *
check(struct call *c, const struct res *p, struct span *ret_type)
{
	struct span name = doc_get_str(c->in, "Name");
	struct span type = doc_get_str(c->in, "Type");
	struct span was = p ? doc_get_str(p->spec, "Type") : SPAN_NULL;
	struct span value = doc_get_str(c->in, "Value");
	bool overwrite = doc_get_bool(c->in, "Overwrite", false);
	struct reply *no;

	if (!p && (no = ssm_check_name(c, name)))
		return no;
	if (value.n == 0)
		return ssm_invalid(c, "1 validation error detected: Value '' "
		    "at 'value' failed to satisfy constraint: Member must "
		    "have length greater than or equal to 1.");
	if (overwrite && doc_len(doc_get(c->in, "Tags")) > 0)
		return ssm_invalid(c, "Invalid request: tags and overwrite "
		    "can't be used together. To create a parameter with tags, "
		    "please remove overwrite flag. To update tags for an "
		    "existing parameter, please use AddTagsToResource or "
		    "RemoveTagsFromResource.");
	if (p && !overwrite)
		return reply_error(c, "ParameterAlreadyExists", "The "
		    "parameter already exists. To overwrite this value, set "
		    "the overwrite option in the request to true.");
	if (!type.n && !p)
		return ssm_invalid(c, "A parameter type is required when you "
		    "create a parameter.");
	*ret_type = type.n ? type : was;
	if (doc_get(c->in, "KeyId") && !span_is(*ret_type, "SecureString"))
		return ssm_invalid(c, "KeyId is required for SecureString "
		    "type parameter only.");
	if ((no = check_data_type(c)))
		return no;
	return check_pattern(c, value);
}

/* What is given, else what was there. */
static void
take(struct call *c, const struct res *p, struct doc *spec, const char *member)
{
	struct span v = doc_get(c->in, member) || !p ?
	    doc_get_str(c->in, member) : doc_get_str(p->spec, member);

	if (v.n)
		doc_set_str(c->arena, spec, member, v);
}

static struct reply *
set_value(struct call *c, const struct res *p, struct span arn,
    struct doc *spec)
{
	struct span value = doc_get_str(c->in, "Value"), sealed;
	struct reply *no;

	if (!span_is(doc_get_str(spec, "Type"), "SecureString")) {
		doc_set_str(c->arena, spec, "Value", value);
		return NULL;
	}
	take(c, p, spec, "KeyId");
	if (!doc_get(spec, "KeyId"))
		doc_set_str(c->arena, spec, "KeyId", SPAN("alias/aws/ssm"));
	no = ssm_encrypt(c, arn, doc_get_str(spec, "KeyId"), value, &sealed);
	if (no)
		return no;
	doc_set_str(c->arena, spec, "Value", sealed);
	return NULL;
}

/* The oldest version makes room, unless it has a label. */
static struct reply *
make_room(struct call *c, const struct res *p)
{
	struct res_list l;
	int r = ssm_versions(c, p, &l);

	if (r)
		return ssm_fail(c, r);
	if (l.n < VERSIONS_MAX)
		return NULL;
	if (doc_len(doc_get(l.v[0]->spec, "Labels")) > 0)
		return reply_error(c, "ParameterMaxVersionLimitExceeded",
		    "You attempted to create a new version of %.*s by calling "
		    "the PutParameter API with the overwrite flag. Version "
		    "%.*s, the oldest version, can't be deleted because it "
		    "has a label associated with it. Move the label to another "
		    "version of the parameter, and try again.",
		    SPAN_ARG(doc_get_str(p->spec, "Name")),
		    SPAN_ARG(l.v[0]->id));
	r = store_delete(c->store, l.v[0]);
	return r ? ssm_fail(c, r) : NULL;
}

static int
write_version(struct call *c, struct res *p, bool fresh, int64_t version)
{
	struct res *v = res_new(c->arena, &ssm_parameter_version, c->scope,
	    p->id, arena_fmt_span(c->arena, "%lld", (long long)version));
	int r = fresh ? store_insert(c->store, c->arena, p)
	    : store_put_spec(c->store, p);

	if (r)
		return r;
	v->spec = doc_copy(c->arena, p->spec);
	doc_del(v->spec, "Name");
	return store_insert(c->store, c->arena, v);
}

struct reply *
ssm_put_parameter(struct call *c)
{
	struct span name = doc_get_str(c->in, "Name"), type, tier;
	struct doc *spec = doc_obj(c->arena), *out = doc_obj(c->arena);
	struct res *p = NULL;
	struct span id = span_from(name, span_starts(name, SPAN("/")));
	struct span arn = kind_arn(c->arena, &ssm_parameter, c->scope,
	    SPAN_NULL, id);
	int r = ssm_get(c, name, &p);
	bool fresh = r == STORE_E_NOT_FOUND;
	int64_t version;
	struct reply *no;

	if (r && !fresh)
		return ssm_fail(c, r);
	if ((no = check(c, fresh ? NULL : p, &type)))
		return no;
	no = choose_tier(c, fresh ? SPAN_NULL : doc_get_str(p->spec, "Tier"),
	    doc_get_str(c->in, "Value").n, &tier);
	if (no)
		return no;
	version = fresh ? 1 : doc_get_int(p->spec, "Version", 0) + 1;
	if (fresh)
		p = res_new(c->arena, &ssm_parameter, c->scope, SPAN_NULL, id);
	else if ((no = make_room(c, p)))
		return no;
	doc_set_str(c->arena, spec, "Name",
	    fresh ? name : doc_get_str(p->spec, "Name"));
	doc_set_int(c->arena, spec, "Version", version);
	doc_set_str(c->arena, spec, "Type", type);
	doc_set_str(c->arena, spec, "Tier", tier);
	doc_set_str(c->arena, spec, "DataType", SPAN("text"));
	doc_set_int(c->arena, spec, "Modified", clock_ms());
	doc_set_str(c->arena, spec, "User", c->who.arn);
	take(c, fresh ? NULL : p, spec, "Description");
	take(c, NULL, spec, "AllowedPattern");
	if ((no = set_value(c, fresh ? NULL : p, arn, spec)))
		return no;
	p->spec = spec;
	if ((r = write_version(c, p, fresh, version)))
		return ssm_fail(c, r);
	if ((no = ssm_put_tags(c, p, doc_get(c->in, "Tags"))))
		return no;
	doc_set_int(c->arena, out, "Version", version);
	doc_set_str(c->arena, out, "Tier", tier);
	return reply_ok(c, out);
}

static int
delete_one(struct call *c, struct span name)
{
	struct res_list l;
	struct res *p;
	int r = ssm_get(c, name, &p);

	if (r || (r = ssm_versions(c, p, &l)))
		return r;
	for (size_t i = 0; i < l.n; i++)
		if ((r = store_delete(c->store, l.v[i])))
			return r < 0 ? err_trace(r) : err_fold(r);
	return store_delete(c->store, p);
}

struct reply *
ssm_delete_parameter(struct call *c)
{
	int r = delete_one(c, doc_get_str(c->in, "Name"));

	if (r == STORE_E_NOT_FOUND)
		return ssm_not_found(c);
	return r ? ssm_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
ssm_delete_parameters(struct call *c)
{
	struct doc *out = doc_obj(c->arena);
	struct doc *gone = doc_arr(c->arena), *bad = doc_arr(c->arena);
	int r;

	doc_each(name, doc_get(c->in, "Names")) {
		r = delete_one(c, doc_span(name));
		if (r && r != STORE_E_NOT_FOUND)
			return ssm_fail(c, r);
		doc_push_str(c->arena, r ? bad : gone, doc_span(name));
	}
	doc_set(c->arena, out, "DeletedParameters", gone);
	doc_set(c->arena, out, "InvalidParameters", bad);
	return reply_ok(c, out);
}
