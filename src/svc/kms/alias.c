/* Aliases: other names of keys. */
#include "base/clock.h"
#include "svc/kms/kms.h"

/* https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
#define PER_KEY_MAX 50

static struct reply *
check_name(struct call *c, struct span name)
{
	if (!span_starts(name, SPAN("alias/")) || name.n == strlen("alias/"))
		return kms_invalid(c, "Invalid identifier");
	if (span_chr(name, ':') >= 0)
		return kms_invalid(c, "%.*s contains invalid characters for "
		    "an alias", SPAN_ARG(name));
	if (span_starts(name, SPAN("alias/aws/")))
		return reply_error(c, "NotAuthorizedException",
		    "Aliases that begin with alias/aws/ are reserved");
	return NULL;
}

/* The key that TargetKeyId names, if it can take one more alias. */
static struct reply *
target(struct call *c, struct res **ret)
{
	struct span id = doc_get_str(c->in, "TargetKeyId");
	struct query q = {.kind = &kms_alias, .scope = c->scope,
	    .index = "spec.TargetKeyId"};
	struct reply *no;
	int64_t n;

	if (span_starts(id, SPAN("alias/")) ||
	    span_find(id, SPAN(":alias/")) >= 0)
		return kms_invalid(c, "Aliases must refer to keys. Not "
		    "aliases");
	if ((no = kms_find(c, id, false, KMS_CHANGE, ret)))
		return no;
	q.value = (*ret)->id;
	if ((n = store_count(c->store, &q)) < 0)
		return kms_fail(c, (int)n);
	if (n >= PER_KEY_MAX)
		return reply_error(c, "LimitExceededException",
		    "The key %.*s has %d aliases, which is the limit.",
		    SPAN_ARG((*ret)->arn), PER_KEY_MAX);
	return NULL;
}

static struct reply *
find(struct call *c, struct span name, struct res **ret)
{
	int r = store_get(c->store, c->arena, &kms_alias, c->scope, SPAN_NULL,
	    name, ret);

	if (r == STORE_E_NOT_FOUND)
		return reply_error(c, "NotFoundException",
		    "Alias %.*s is not found.", SPAN_ARG(kind_arn(c->arena,
		    &kms_alias, c->scope, SPAN_NULL, name)));
	return r ? kms_fail(c, r) : NULL;
}

static void
aim(struct call *c, struct res *alias, const struct res *key)
{
	doc_set_str(c->arena, alias->spec, "TargetKeyId", key->id);
	doc_set_int(c->arena, alias->spec, "Updated", clock_ms());
}

struct reply *
kms_create_alias(struct call *c)
{
	struct span name = doc_get_str(c->in, "AliasName");
	struct reply *no = check_name(c, name);
	struct res *alias, *key;
	int r;

	if (no || (no = target(c, &key)))
		return no;
	alias = res_new(c->arena, &kms_alias, c->scope, SPAN_NULL, name);
	aim(c, alias, key);
	r = store_insert(c->store, c->arena, alias);
	if (r == STORE_E_EXISTS)
		return reply_error(c, "AlreadyExistsException",
		    "An alias with the name %.*s already exists",
		    SPAN_ARG(kind_arn(c->arena, &kms_alias, c->scope,
		    SPAN_NULL, name)));
	return r ? kms_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
kms_update_alias(struct call *c)
{
	struct span name = doc_get_str(c->in, "AliasName");
	struct reply *no = check_name(c, name);
	struct res *alias, *key;
	int r;

	if (no || (no = find(c, name, &alias)))
		return no;
	if ((no = target(c, &key)))
		return no;
	aim(c, alias, key);
	r = store_put_spec(c->store, alias);
	return r ? kms_fail(c, r) : reply_ok(c, NULL);
}

struct reply *
kms_delete_alias(struct call *c)
{
	struct span name = doc_get_str(c->in, "AliasName");
	struct reply *no = check_name(c, name);
	struct res *alias;
	int r;

	if (no || (no = find(c, name, &alias)))
		return no;
	r = store_delete(c->store, alias);
	return r ? kms_fail(c, r) : reply_ok(c, NULL);
}

static struct doc *
show(struct call *c, const struct res *alias)
{
	struct doc *d = doc_obj(c->arena);

	doc_set_str(c->arena, d, "AliasName", alias->id);
	doc_set_str(c->arena, d, "AliasArn", alias->arn);
	doc_set_str(c->arena, d, "TargetKeyId",
	    doc_get_str(alias->spec, "TargetKeyId"));
	doc_set_time(c->arena, d, "CreationDate", alias->created);
	doc_set_time(c->arena, d, "LastUpdatedDate",
	    doc_get_int(alias->spec, "Updated", 0));
	return d;
}

struct reply *
kms_list_aliases(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	struct query q = {.kind = &kms_alias, .scope = c->scope};
	struct kms_page page;
	struct reply *no = kms_page(c, 50, &page);
	struct res_list l;
	struct res *key;
	int r;

	if (no)
		return no;
	if (doc_get(c->in, "KeyId")) {
		if ((no = kms_named(c, KMS_LOOK, &key)))
			return no;
		q.index = "spec.TargetKeyId";
		q.value = key->id;
	}
	q.after = page.after;
	q.limit = page.limit;
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return kms_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		doc_push(list, show(c, l.v[i]));
	doc_set(c->arena, out, "Aliases", list);
	kms_page_end(c, out, &l);
	return reply_ok(c, out);
}
