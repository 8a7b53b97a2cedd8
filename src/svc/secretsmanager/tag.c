/* Tags of secrets. */
#include "svc/secretsmanager/secretsmanager.h"

#define TAGS_MAX 50

struct reply *
secret_put_tags(struct call *c, const struct res *secret,
    const struct doc *tags)
{
	struct doc *now;
	int e;

	doc_each(t, tags) {
		struct span k = doc_get_str(t, "Key");

		if (span_starts(k, SPAN("aws:")) && !c->who.system)
			return secret_bad_parameter(c, "Tag keys can't start "
			    "with the reserved prefix aws:.");
		e = store_tag(c->store, secret, k, doc_get_str(t, "Value"));
		if (e)
			return secret_fail(c, e);
	}
	if ((e = store_tags(c->store, c->arena, secret, &now)))
		return secret_fail(c, e);
	if (doc_len(now) > TAGS_MAX)
		return secret_bad_parameter(c, "A secret can have 50 tags at "
		    "most.");
	return NULL;
}

struct reply *
secret_tag(struct call *c)
{
	struct res *secret;
	struct reply *no = secret_named(c, false, &secret);

	if (no || (no = secret_put_tags(c, secret, doc_get(c->in, "Tags"))) ||
	    (no = secret_put(c, secret)))
		return no;
	return reply_ok(c, NULL);
}

struct reply *
secret_untag(struct call *c)
{
	struct res *secret;
	struct reply *no = secret_named(c, false, &secret);
	int e;

	if (no)
		return no;
	doc_each(k, doc_get(c->in, "TagKeys"))
		if ((e = store_untag(c->store, secret, doc_span(k))) < 0)
			return secret_fail(c, e);
	if ((no = secret_put(c, secret)))
		return no;
	return reply_ok(c, NULL);
}
