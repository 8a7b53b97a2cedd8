/* Reads lifecycle policies and applies them. */
#include "registry/lifecycle.h"

#include "base/err.h"
#include "base/log.h"
#include "registry/internal.h"
#include "registry/repo.h"

#define RULES_MAX 50
#define DAY_MS	  (24 * 3600 * 1000LL)

/* Checking */

static const char *
check_selection(const struct doc *s)
{
	struct span status = doc_get_str(s, "tagStatus");
	struct span type = doc_get_str(s, "countType");
	bool tagged = span_is(status, "tagged");
	size_t lists = (doc_len(doc_get(s, "tagPrefixList")) > 0) +
	    (doc_len(doc_get(s, "tagPatternList")) > 0);

	if (!tagged && !span_is(status, "untagged") && !span_is(status, "any"))
		return "tagStatus is one of tagged, untagged, any";
	if (tagged && lists != 1)
		return "tagged needs either tagPrefixList or tagPatternList";
	if (!tagged && lists)
		return "tag lists are for tagStatus tagged alone";
	if (doc_get_int(s, "countNumber", 0) < 1)
		return "countNumber is 1 or more";
	if (span_is(type, "imageCountMoreThan"))
		return doc_get(s, "countUnit")
		    ? "countUnit is for sinceImagePushed alone" : NULL;
	if (!span_is(type, "sinceImagePushed"))
		return "countType is one of imageCountMoreThan, "
		       "sinceImagePushed";
	if (!span_is(doc_get_str(s, "countUnit"), "days"))
		return "sinceImagePushed needs countUnit days";
	return NULL;
}

/* Against the rules before it. */
static const char *
check_rule(const struct doc *rules, const struct doc *rule)
{
	int64_t priority = doc_get_int(rule, "rulePriority", 0);
	struct span status = doc_get_str(doc_get(rule, "selection"),
	    "tagStatus");

	if (priority < 1)
		return "rulePriority is 1 or more";
	if (!span_is(doc_get_str(doc_get(rule, "action"), "type"), "expire"))
		return "the type of an action is expire";
	doc_each(other, rules) {
		struct span its = doc_get_str(doc_get(other, "selection"),
		    "tagStatus");
		int64_t p = doc_get_int(other, "rulePriority", 0);

		if (other == rule)
			continue;
		if (p == priority)
			return "rulePriority is unique";
		if (!span_is(status, "tagged") && span_eq(its, status))
			return "one rule may select untagged, one any";
		if (span_is(status, "any") && p > priority)
			return "a rule for any has the highest rulePriority";
	}
	return check_selection(doc_get(rule, "selection"));
}

const char *
lifecycle_parse(struct arena *a, struct span text, struct doc **ret)
{
	const struct doc *rules;
	const char *why;
	struct doc *d;

	if (doc_parse_json(a, text, &d) || doc_type(d) != DOC_OBJ)
		return "it is not a JSON object";
	rules = doc_get(d, "rules");
	if (doc_type(rules) != DOC_ARR || doc_len(rules) < 1 ||
	    doc_len(rules) > RULES_MAX)
		return "rules has 1 to 50 elements";
	doc_each(rule, rules) {
		why = check_rule(rules, rule);
		if (why)
			return why;
	}
	*ret = d;
	return NULL;
}

/* Marking */

static bool
has_tag(const struct lifecycle_image *i, struct span want, bool prefix)
{
	for (size_t t = 0; t < i->n_tags; t++) {
		if (prefix ? span_starts(i->tags[t], want)
			   : span_glob(want, i->tags[t]))
			return true;
	}
	return false;
}

/* Each word of a list must fit some tag. */
static bool
selects(const struct doc *s, const struct lifecycle_image *i)
{
	struct span status = doc_get_str(s, "tagStatus");

	if (span_is(status, "any"))
		return true;
	if (span_is(status, "untagged"))
		return i->n_tags == 0;
	doc_each(p, doc_get(s, "tagPrefixList")) {
		if (!has_tag(i, doc_span(p), true))
			return false;
	}
	doc_each(p, doc_get(s, "tagPatternList")) {
		if (!has_tag(i, doc_span(p), false))
			return false;
	}
	return i->n_tags > 0;
}

static int
newest_first(const void *x, const void *y)
{
	const struct lifecycle_image *a = *(struct lifecycle_image *const *)x;
	const struct lifecycle_image *b = *(struct lifecycle_image *const *)y;

	if (a->pushed != b->pushed)
		return a->pushed < b->pushed ? 1 : -1;
	return a < b ? 1 : a > b ? -1 : 0; /* listed as they came */
}

/* taken[i]: a rule of higher priority has images[i]. */
static void
apply(const struct doc *rule, struct lifecycle_image **sorted, size_t n,
    const struct lifecycle_image *images, bool *taken, int64_t now)
{
	const struct doc *s = doc_get(rule, "selection");
	bool by_age = span_is(doc_get_str(s, "countType"), "sinceImagePushed");
	int64_t number = doc_get_int(s, "countNumber", 0), seen = 0;

	for (size_t i = 0; i < n; i++) {
		struct lifecycle_image *image = sorted[i];
		bool *mine = &taken[image - images];

		if (!selects(s, image))
			continue;
		seen++;
		if (*mine)
			continue;
		*mine = true;
		if (by_age ? (now - image->pushed) / DAY_MS >= number
			   : seen > number)
			image->rule = doc_get_int(rule, "rulePriority", 0);
	}
}

static const struct doc *
next_rule(const struct doc *rules, int64_t after)
{
	const struct doc *best = NULL;
	int64_t least = INT64_MAX;

	doc_each(r, rules) {
		int64_t p = doc_get_int(r, "rulePriority", 0);

		if (p > after && p < least) {
			least = p;
			best = r;
		}
	}
	return best;
}

void
lifecycle_mark(struct arena *a, const struct doc *policy,
    struct lifecycle_image *images, size_t n, int64_t now)
{
	struct lifecycle_image **v =
	    arena_array(a, struct lifecycle_image *, n + 1);
	const struct doc *rules = doc_get(policy, "rules"), *rule;
	bool *taken = arena_array(a, bool, n + 1);
	int64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		v[i] = &images[i];
		images[i].rule = 0;
		taken[i] = false;
	}
	qsort(v, n, sizeof(*v), newest_first);
	while ((rule = next_rule(rules, at))) {
		apply(rule, v, n, images, taken, now);
		at = doc_get_int(rule, "rulePriority", 0);
	}
}

/* Applying */

struct gathering {
	const struct repo_key *k;
	struct arena *a;
	struct lifecycle_image *v;
	struct span *digests;
	size_t n, max;
};

static int
gather(void *ctx, struct res *image)
{
	struct gathering *x = ctx;
	struct span *tags;
	int r;

	if (x->n == x->max)
		return 0; /* pushed meanwhile: next time */
	r = repo_tags(x->k, x->a, image->id, &tags, &x->v[x->n].n_tags);
	x->v[x->n].tags = tags;
	x->v[x->n].pushed = doc_get_time(image->spec, "pushedAt");
	x->digests[x->n++] = arena_span(x->a, image->id);
	return r;
}

static int
run_repository(struct registry *g, struct arena *a, struct res *repo,
    const struct doc *policy, int64_t now)
{
	struct repo_key k = {g->store, repo->scope, repo->id};
	struct query all = {.kind = &ecr_image, .scope = k.scope,
	    .parent = k.name};
	struct gathering x = {.k = &k, .a = a};
	int64_t n = store_count(g->store, &all);
	struct span unused;
	int r;

	if (n < 0)
		return (int)n;
	x.max = (size_t)n;
	x.v = arena_array(a, struct lifecycle_image, x.max + 1);
	x.digests = arena_array(a, struct span, x.max + 1);
	r = repo_each_image(&k, 0, gather, &x);
	if (r)
		return r;
	lifecycle_mark(a, policy, x.v, x.n, now);
	for (size_t i = 0; r >= 0 && i < x.n; i++) {
		/* What an index lists goes after the index: next time. */
		if (x.v[i].rule)
			r = repo_delete_image(&k, a, x.digests[i], &unused);
	}
	if (r < 0)
		return r;
	doc_set_time(a, repo->status, "lifecycleEvaluatedAt", now);
	return store_put_status(g->store, repo);
}

void
lifecycle_run(struct registry *g, int64_t now)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct query all = {.kind = &ecr_repository, .any_parent = true};
	struct res_list l;
	struct doc *policy;
	int r = store_list(g->store, a, &all, &l);

	for (size_t i = 0; r == 0 && i < l.n; i++) {
		struct span text = doc_get_str(l.v[i]->spec,
		    "lifecyclePolicyText");

		if (!text.n || lifecycle_parse(a, text, &policy))
			continue;
		r = run_repository(g, a, l.v[i], policy, now);
	}
	if (r)
		log_warn("lifecycle policies: %s, ignoring", err_last());
}
