/* DescribeSecret, ListSecrets: filters, orders, pages. */
#include <ctype.h>
#include <stdlib.h>

#include "base/err.h"
#include "svc/secretsmanager/secretsmanager.h"

#define PAGE 100

/* Does a word of text begin with want?  Both in lower case. */
static bool
word_begins(struct span text, struct span want)
{
	for (size_t i = 0; i + want.n <= text.n; i++)
		if ((i == 0 || !isalnum((unsigned char)text.p[i - 1])) &&
		    span_starts(span_from(text, i), want))
			return true;
	return false;
}

struct subject {
	struct call *c;
	const struct res *secret;
	struct doc *tags;
};

static bool
tag_begins(const struct subject *s, bool values, struct span want, bool fold)
{
	doc_each_key(k, v, s->tags) {
		struct span text = values ? doc_span(v) : k;

		if (span_starts(fold ? arena_lower(s->c->arena, text) : text, want))
			return true;
	}
	return false;
}

/* Every word of want must begin one of the secret's attributes. */
static bool
anywhere(const struct subject *s, struct span want)
{
	struct arena *a = s->c->arena;
	struct span rest = arena_lower(a, want), word;
	struct span name = arena_lower(a, doc_get_str(s->secret->spec, "Name"));
	struct span text = arena_lower(a, doc_get_str(s->secret->spec,
	    "Description"));

	while (rest.p) {
		word = span_cut(&rest, ' ');
		if (word.n && !word_begins(name, word) &&
		    !word_begins(text, word) &&
		    !tag_begins(s, false, word, true) &&
		    !tag_begins(s, true, word, true))
			return false;
	}
	return true;
}

/* AWS: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html */
static bool
matches_value(const struct subject *s, struct span key, struct span want)
{
	if (span_is(key, "name"))
		return span_starts(doc_get_str(s->secret->spec, "Name"), want);
	if (span_is(key, "description"))
		return word_begins(arena_lower(s->c->arena, doc_get_str(s->secret->spec,
		    "Description")), arena_lower(s->c->arena, want));
	if (span_is(key, "tag-key"))
		return tag_begins(s, false, want, false);
	if (span_is(key, "tag-value"))
		return tag_begins(s, true, want, false);
	/* Every secret is where it was made, and nobody's but the account's. */
	if (span_is(key, "primary-region"))
		return span_starts(s->secret->scope.region, want);
	return span_is(key, "all") && anywhere(s, want);
}

int
secret_matches(struct call *c, const struct res *secret,
    const struct doc *filters, bool *ret)
{
	struct subject s = {c, secret, NULL};
	int e = doc_len(filters) ? store_tags(c->store, c->arena, secret,
	    &s.tags) : 0;

	if (e)
		return err_fold(e);
	*ret = true;
	doc_each(f, filters) {
		bool any = false;

		doc_each(v, doc_get(f, "Values")) {
			struct span want = doc_span(v);
			bool not = span_starts(want, SPAN("!"));

			any = any || matches_value(&s, doc_get_str(f, "Key"),
			    span_from(want, not)) != not;
		}
		*ret = *ret && any;
	}
	return 0;
}

int
secret_find_all(struct call *c, const struct doc *filters, bool doomed,
    struct res_list *ret)
{
	struct query q = {.kind = &secretsmanager_secret, .scope = c->scope};
	size_t n = 0;
	bool ok;
	int e = store_list(c->store, c->arena, &q, ret);

	for (size_t i = 0; !e && i < ret->n; i++) {
		if (!doomed && doc_get(ret->v[i]->spec, "Deletion"))
			continue;
		if ((e = secret_matches(c, ret->v[i], filters, &ok)))
			return err_trace(e);
		if (ok)
			ret->v[n++] = ret->v[i];
	}
	ret->n = n;
	return e ? err_fold(e) : 0;
}

static void
set_time(struct call *c, struct doc *d, const char *name,
    const struct res *secret, const char *member)
{
	if (doc_get(secret->spec, member))
		doc_set_time(c->arena, d, name,
		    doc_get_int(secret->spec, member, 0));
}

/* stages: what the map of versions is called. */
static int
shown(struct call *c, const struct res *secret, const char *stages,
    struct doc **ret)
{
	struct doc *d = secret_names(c, secret), *map = doc_obj(c->arena);
	struct doc *list = doc_arr(c->arena), *tags;
	struct res_list l;
	int e;

	if ((e = version_list(c, secret, &l)) ||
	    (e = store_tags(c->store, c->arena, secret, &tags)))
		return err_fold(e);
	for (size_t i = 0; i < l.n; i++)
		if (doc_len(doc_get(l.v[i]->spec, "Stages")))
			doc_setn(c->arena, map, l.v[i]->id, doc_copy(c->arena,
			    doc_get(l.v[i]->spec, "Stages")));
	if (doc_len(map))
		doc_set(c->arena, d, stages, map);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_set_str(c->arena, doc_obj(c->arena), "Key",
		    k);

		doc_push(list, doc_set_str(c->arena, t, "Value",
		    doc_span(v)));
	}
	if (doc_len(list))
		doc_set(c->arena, d, "Tags", list);
	for (size_t i = 0; i < 2; i++) {
		static const char *const copied[] = {"Description",
		    "KmsKeyId"};

		if (doc_get(secret->spec, copied[i]))
			doc_set_str(c->arena, d, copied[i],
			    doc_get_str(secret->spec, copied[i]));
	}
	doc_set_time(c->arena, d, "CreatedDate", secret->created);
	set_time(c, d, "LastChangedDate", secret, "Changed");
	set_time(c, d, "LastAccessedDate", secret, "Accessed");
	set_time(c, d, "DeletedDate", secret, "Deletion");
	*ret = d;
	return 0;
}

struct reply *
secret_describe(struct call *c)
{
	struct res *secret;
	struct reply *no = secret_named(c, true, &secret);
	struct doc *d;
	int e;

	if (no)
		return no;
	e = shown(c, secret, "VersionIdsToStages", &d);
	return e ? secret_fail(c, e) : reply_ok(c, d);
}

static int
by_name(const void *a, const void *b)
{
	const struct res *const *x = a, *const *y = b;

	return span_cmp(doc_get_str((*x)->spec, "Name"),
	    doc_get_str((*y)->spec, "Name"));
}

static int
by_time(const struct res *x, const struct res *y, const char *member)
{
	int64_t a = doc_get_int(x->spec, member, 0);
	int64_t b = doc_get_int(y->spec, member, 0);

	return a != b ? (a > b) - (a < b) : (x->row > y->row) - (x->row < y->row);
}

static int
by_change(const void *a, const void *b)
{
	const struct res *const *x = a, *const *y = b;

	return by_time(*x, *y, "Changed");
}

static int
by_access(const void *a, const void *b)
{
	const struct res *const *x = a, *const *y = b;

	return by_time(*x, *y, "Accessed");
}

/* By creation, the oldest first, unless it is asked for otherwise. */
static void
sort(struct call *c, struct res_list *l)
{
	struct span by = doc_get_str(c->in, "SortBy");

	if (span_is(by, "name"))
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	else if (span_is(by, "last-changed-date"))
		qsort(l->v, l->n, sizeof(*l->v), by_change);
	else if (span_is(by, "last-accessed-date"))
		qsort(l->v, l->n, sizeof(*l->v), by_access);
	if (!span_is(doc_get_str(c->in, "SortOrder"), "desc"))
		return;
	for (size_t i = 0; i < l->n / 2; i++) {
		struct res *r = l->v[i];

		l->v[i] = l->v[l->n - 1 - i];
		l->v[l->n - 1 - i] = r;
	}
}

struct reply *
secret_list(struct call *c)
{
	size_t max = (size_t)doc_get_int(c->in, "MaxResults", PAGE), i = 0;
	struct span token = doc_get_str(c->in, "NextToken");
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *d;
	struct res_list l;
	int64_t after = 0;
	int e;

	if (token.n && !page_token_row(c, token, &after))
		return reply_error(c, "InvalidNextTokenException",
		    "The NextToken value is invalid.");
	e = secret_find_all(c, doc_get(c->in, "Filters"),
	    doc_get_bool(c->in, "IncludePlannedDeletion", false), &l);
	if (e)
		return secret_fail(c, e);
	sort(c, &l);
	/* A token is the last one shown, in whatever order. */
	while (after && i < l.n && l.v[i++]->row != after)
		;
	for (; i < l.n && doc_len(list) < max; i++) {
		if ((e = shown(c, l.v[i], "SecretVersionsToStages", &d)))
			return secret_fail(c, e);
		doc_push(list, d);
	}
	if (i < l.n)
		doc_set_str(c->arena, out, "NextToken",
		    page_token(c, l.v[i - 1]->row));
	doc_set(c->arena, out, "SecretList", list);
	return reply_ok(c, out);
}
