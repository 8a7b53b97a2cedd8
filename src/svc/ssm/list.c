/* DescribeParameters and GetParametersByPath: filters and pages. */
#include "svc/ssm/ssm.h"

static struct span
option_of(const struct doc *f)
{
	struct span o = doc_get_str(f, "Option");

	if (o.n)
		return o;
	return span_is(doc_get_str(f, "Key"), "Path") ? SPAN("OneLevel")
	    : SPAN("Equals");
}

/* Does the parameter whose name is id lie under path? */
static bool
under(struct span path, bool recursive, struct span id)
{
	while (span_starts(path, SPAN("/")))
		path = span_from(path, 1);
	while (span_ends(path, SPAN("/")))
		path = span_to(path, path.n - 1);
	if (path.n) {
		if (!span_starts(id, path) || id.n <= path.n ||
		    id.p[path.n] != '/')
			return false;
		id = span_from(id, path.n + 1);
	}
	return recursive || span_chr(id, '/') < 0;
}

static bool
compare(struct span option, struct span have, struct span want)
{
	if (span_is(option, "BeginsWith"))
		return span_starts(have, want);
	if (span_is(option, "Contains"))
		return span_find(have, want) >= 0;
	return span_eq(have, want);
}

static bool
any_label(const struct doc *versions, struct span want)
{
	doc_each(labels, versions)
		if (doc_has_str(labels, want))
			return true;
	return false;
}

struct subject {
	const struct res *p;
	struct doc *tags, *labels; /* NULL: not asked for */
};

static bool
matches_value(const struct subject *s, const struct doc *f, struct span want)
{
	struct span key = doc_get_str(f, "Key"), option = option_of(f);
	struct span name = s->p->id;

	if (span_is(key, "Path"))
		return under(want, span_is(option, "Recursive"), name);
	if (span_is(key, "Name")) {
		if (span_starts(want, SPAN("/")) &&
		    !span_is(option, "Contains"))
			want = span_from(want, 1);
		else if (span_is(option, "Contains"))
			name = doc_get_str(s->p->spec, "Name");
		return compare(option, name, want);
	}
	if (span_is(key, "Label"))
		return any_label(s->labels, want);
	if (span_starts(key, SPAN("tag:")))
		return compare(option, doc_span(doc_getn(s->tags,
		    span_from(key, 4))), want);
	return compare(option, doc_span(doc_getn(s->p->spec, key)), want);
}

static bool
matches(const struct subject *s, const struct doc *filters)
{
	doc_each(f, filters) {
		struct span key = doc_get_str(f, "Key");
		bool ok = false;

		if (span_starts(key, SPAN("tag:")) && !doc_get(f, "Values"))
			ok = doc_getn(s->tags, span_from(key, 4)) != NULL;
		doc_each(v, doc_get(f, "Values"))
			ok = ok || matches_value(s, f, doc_span(v));
		if (!ok)
			return false;
	}
	return true;
}

static struct reply *
check_option(struct call *c, struct span key, struct span option)
{
	const char *valid = span_is(key, "Path") ? "Recursive, OneLevel" :
	    span_is(key, "Name") ? "BeginsWith, Contains, Equals" :
	    span_is(key, "Label") ? "Equals" : "BeginsWith, Equals";
	struct span rest = span_of(valid);

	while (rest.p)
		if (span_eq(span_trim(span_cut(&rest, ',')), option))
			return NULL;
	return reply_error(c, "InvalidFilterOption", "The following filter "
	    "option is not valid: %.*s. Valid options include: [%s].",
	    SPAN_ARG(option), valid);
}

static bool
is_one_of(struct span v, const char *list)
{
	struct span rest = span_of(list);

	while (rest.p)
		if (span_eq(span_trim(span_cut(&rest, ',')), v))
			return true;
	return false;
}

static struct reply *
check_values(struct call *c, struct span key, const struct doc *values)
{
	const char *valid = span_is(key, "Type")
	    ? "String, StringList, SecureString" : span_is(key, "Tier")
	    ? "Standard, Advanced, Intelligent-Tiering" : NULL;

	if (doc_len(values) == 0 && !span_starts(key, SPAN("tag:")))
		return reply_error(c, "InvalidFilterValue", "The following "
		    "filter values are missing : null for filter key %.*s.",
		    SPAN_ARG(key));
	doc_each(v, values)
		if (valid && !is_one_of(doc_span(v), valid))
			return reply_error(c, "InvalidFilterOption",
			    "The following filter value is not valid: %.*s. "
			    "Valid values include: [%s].",
			    SPAN_ARG(doc_span(v)), valid);
	return NULL;
}

static struct reply *
check_filters(struct call *c, const struct doc *filters, bool by_path)
{
	const char *valid = by_path ? "Type, KeyId, Label"
	    : "Path, Name, Type, KeyId, Tier, DataType";
	struct reply *no;
	size_t same;

	doc_each(f, filters) {
		struct span key = doc_get_str(f, "Key");

		if (!is_one_of(key, valid) &&
		    (by_path || !span_starts(key, SPAN("tag:"))))
			return reply_error(c, "InvalidFilterKey",
			    "The following filter key is not valid: %.*s. "
			    "Valid filter keys include: [%s].", SPAN_ARG(key),
			    valid);
		same = 0;
		doc_each(other, filters)
			same += span_eq(doc_get_str(other, "Key"), key);
		if (same > 1)
			return reply_error(c, "InvalidFilterKey",
			    "The following filter is duplicated in the "
			    "request: %.*s. A request can contain only one "
			    "occurrence of a specific filter.", SPAN_ARG(key));
		if ((no = check_values(c, key, doc_get(f, "Values"))) ||
		    (no = check_option(c, key, option_of(f))))
			return no;
	}
	return NULL;
}

static bool
asks(const struct doc *filters, const char *prefix)
{
	doc_each(f, filters)
		if (span_starts(doc_get_str(f, "Key"), span_of(prefix)))
			return true;
	return false;
}

/* Reads what the filters look at besides the parameter itself. */
static int
read_subject(struct call *c, const struct doc *filters, struct subject *s)
{
	struct res_list l;
	int r = 0;

	if (asks(filters, "tag:"))
		r = store_tags(c->store, c->arena, s->p, &s->tags);
	if (r || !asks(filters, "Label"))
		return r;
	s->labels = doc_arr(c->arena);
	if ((r = ssm_versions(c, s->p, &l)))
		return r;
	for (size_t i = 0; i < l.n; i++)
		doc_push(s->labels, doc_copy(c->arena,
		    doc_get(l.v[i]->spec, "Labels") ?
		    doc_get(l.v[i]->spec, "Labels") : doc_arr(c->arena)));
	return 0;
}

struct listing {
	const struct doc *filters;
	struct span path; /* p NULL: any */
	bool recursive;
	size_t max;
	struct reply *(*show)(struct call *c, const struct res *p,
	    const struct doc *spec, struct doc **ret);
};

static struct reply *
list(struct call *c, const struct listing *want)
{
	struct query q = {.kind = &ssm_parameter, .scope = c->scope};
	struct span token = doc_get_str(c->in, "NextToken");
	struct doc *out = doc_obj(c->arena), *found = doc_arr(c->arena), *d;
	int64_t last = 0;
	struct reply *no;
	struct res_list l;
	int r;

	if (token.n && !page_token_row(c, token, &q.after))
		return reply_error(c, "InvalidNextToken",
		    "The specified token is not valid.");
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return ssm_fail(c, r);
	doc_set(c->arena, out, "Parameters", found);
	for (size_t i = 0; i < l.n; i++) {
		struct subject s = {.p = l.v[i]};

		if (want->path.p && !under(want->path, want->recursive,
		    s.p->id))
			continue;
		if ((r = read_subject(c, want->filters, &s)))
			return ssm_fail(c, r);
		if (!matches(&s, want->filters))
			continue;
		if (doc_len(found) == want->max) {
			doc_set_str(c->arena, out, "NextToken",
			    page_token(c, last));
			break;
		}
		if ((no = want->show(c, s.p, s.p->spec, &d)))
			return no;
		doc_push(found, d);
		last = s.p->row;
	}
	return reply_ok(c, out);
}

struct reply *
ssm_get_by_path(struct call *c)
{
	struct listing l = {doc_get(c->in, "ParameterFilters"),
	    doc_get_str(c->in, "Path"),
	    doc_get_bool(c->in, "Recursive", false),
	    (size_t)doc_get_int(c->in, "MaxResults", 10), ssm_show};
	struct reply *no = check_filters(c, l.filters, true);

	if (no)
		return no;
	if (!span_starts(l.path, SPAN("/")))
		return ssm_invalid(c, "The parameter doesn't meet the "
		    "parameter name requirements. The parameter name must "
		    "begin with a forward slash \"/\". It can't be prefixed "
		    "with \"aws\" or \"ssm\" (case-insensitive). It must use "
		    "only letters, numbers, or the following symbols: . "
		    "(period), - (hyphen), _ (underscore). Special characters "
		    "are not allowed. All sub-paths, if specified, must use "
		    "the forward slash symbol \"/\". Valid example: "
		    "/get/parameters2-/by1./path0_.");
	return list(c, &l);
}

static struct reply *
show_metadata(struct call *c, const struct res *p, const struct doc *spec,
    struct doc **ret)
{
	*ret = ssm_metadata(c, p, spec);
	return NULL;
}

struct reply *
ssm_describe_parameters(struct call *c)
{
	const struct doc *old = doc_get(c->in, "Filters");
	struct listing l = {doc_get(c->in, "ParameterFilters"), SPAN_NULL,
	    false, (size_t)doc_get_int(c->in, "MaxResults", 50),
	    show_metadata};
	struct doc *f;
	struct reply *no;

	if (doc_len(old) > 0 && doc_len(l.filters) > 0)
		return ssm_invalid(c, "You can use either Filters or "
		    "ParameterFilters in a single request.");
	if (doc_len(old) > 0) {
		/* The old ones mean the same, but a name is a prefix. */
		l.filters = f = doc_copy(c->arena, old);
		doc_each(one, f)
			if (span_is(doc_get_str(one, "Key"), "Name"))
				doc_set_str(c->arena, one, "Option",
				    SPAN("BeginsWith"));
	}
	if ((no = check_filters(c, l.filters, false)))
		return no;
	return list(c, &l);
}
