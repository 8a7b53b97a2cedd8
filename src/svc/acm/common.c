/* Errors, lookups, tags. */
#include "base/clock.h"
#include "base/err.h"
#include "svc/acm/acm.h"
#include "svc/acm/validation.h"

#define TAGS_MAX 50

struct reply *
acm_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
acm_find(struct call *c, struct res **ret)
{
	struct span arn = doc_get_str(c->in, "CertificateArn");
	int r = store_get_arn(c->store, c->arena, arn, ret);

	if (r && r != STORE_E_NOT_FOUND)
		return acm_fail(c, r);
	if (r || (*ret)->kind != &acm_certificate ||
	    !span_eq((*ret)->scope.account, c->scope.account) ||
	    !span_eq((*ret)->scope.region, c->scope.region))
		return reply_error(c, "ResourceNotFoundException",
		    "Could not find certificate %.*s.", SPAN_ARG(arn));
	return NULL;
}

bool
acm_is_type(const struct res *r, const char *type)
{
	return span_is(doc_get_str(r->spec, "Type"), type);
}

struct span
acm_status(const struct res *r)
{
	struct span is = doc_get_str(r->status, "Status");

	if (span_is(is, "ISSUED") &&
	    doc_get_int(r->status, "NotAfter", 0) <= clock_ms())
		return SPAN("EXPIRED");
	return is;
}

int
acm_use(struct call *c, const struct res *r, struct doc **ret_users,
    bool *ret_renewable)
{
	struct doc *users;
	int e = acm_users(c->store, c->arena, r->scope, r->arn, &users);

	if (e < 0)
		return err_trace(e);
	*ret_users = users;
	*ret_renewable = acm_is_type(r, "AMAZON_ISSUED") &&
	    span_is(acm_status(r), "ISSUED") && (doc_len(users) ||
	    doc_get_int(r->spec, "Exported", 0) >
		doc_get_int(r->status, "IssuedAt", 0));
	return 0;
}

/* --- tags --------------------------------------------------------------- */

struct reply *
acm_put_tags(struct call *c, const struct res *r, const struct doc *tags)
{
	struct doc *now;
	int e;

	doc_each(t, tags) {
		struct span key = doc_get_str(t, "Key");

		if (span_starts(key, SPAN("aws:")) && !c->who.system)
			return reply_error(c, "InvalidTagException",
			    "%.*s is not a valid tag key: the prefix aws: is "
			    "reserved", SPAN_ARG(key));
		if ((e = store_tag(c->store, r, key, doc_get_str(t, "Value"))))
			return acm_fail(c, e);
	}
	if ((e = store_tags(c->store, c->arena, r, &now)))
		return acm_fail(c, e);
	if (doc_len(now) > TAGS_MAX)
		return reply_error(c, "TooManyTagsException", "The request "
		    "contains too many tags: at most %d", TAGS_MAX);
	return NULL;
}

struct reply *
acm_add_tags(struct call *c)
{
	struct res *r;
	struct reply *no = acm_find(c, &r);

	if (no || (no = acm_put_tags(c, r, doc_get(c->in, "Tags"))))
		return no;
	return reply_ok(c, NULL);
}

/* AWS: a tag given with a value goes only if that is its value. */
struct reply *
acm_remove_tags(struct call *c)
{
	struct doc *now;
	struct res *r;
	struct reply *no = acm_find(c, &r);
	int e;

	if (no)
		return no;
	if ((e = store_tags(c->store, c->arena, r, &now)))
		return acm_fail(c, e);
	doc_each(t, doc_get(c->in, "Tags")) {
		struct span key = doc_get_str(t, "Key");
		const struct doc *value = doc_get(t, "Value");

		if (value && !span_eq(doc_span(value),
		    doc_span(doc_getn(now, key))))
			continue;
		if ((e = store_untag(c->store, r, key)) < 0)
			return acm_fail(c, e);
	}
	return reply_ok(c, NULL);
}

struct reply *
acm_list_tags(struct call *c)
{
	struct doc *list = doc_arr(c->arena), *tags;
	struct res *r;
	struct reply *no = acm_find(c, &r);
	int e;

	if (no)
		return no;
	if ((e = store_tags(c->store, c->arena, r, &tags)))
		return acm_fail(c, e);
	doc_each_key(k, v, tags) {
		struct doc *t = doc_obj(c->arena);

		doc_set_str(c->arena, t, "Key", k);
		doc_push(list, doc_set_str(c->arena, t, "Value", doc_span(v)));
	}
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "Tags", list));
}
