/* Keys: making, showing, states, deletion. */
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/kms/kms.h"

#define DAY_MS	       (24 * 60 * 60 * 1000LL)
#define WINDOW_DEFAULT 30 /* days */

static struct doc *
show(struct call *c, const struct res *key)
{
	static const char *const copied[] = {"Description", "KeyUsage",
	    "KeyState", "Origin", "KeyManager", "KeySpec"};
	struct arena *a = c->arena;
	struct doc *d = doc_obj(a), *algorithms = doc_arr(a);

	doc_set_str(a, d, "AWSAccountId", key->scope.account);
	doc_set_str(a, d, "KeyId", key->id);
	doc_set_str(a, d, "Arn", key->arn);
	doc_set_time(a, d, "CreationDate", key->created);
	doc_set_bool(a, d, "Enabled", kms_is(key, "KeyState", "Enabled"));
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		doc_set_str(a, d, copied[i],
		    doc_get_str(key->spec, copied[i]));
	doc_set_str(a, d, "CustomerMasterKeySpec",
	    doc_get_str(key->spec, "KeySpec"));
	doc_push_str(a, algorithms, SPAN("SYMMETRIC_DEFAULT"));
	doc_set(a, d, "EncryptionAlgorithms", algorithms);
	doc_set_bool(a, d, "MultiRegion", false);
	if (doc_get(key->spec, "DeletionDate"))
		doc_set_time(a, d, "DeletionDate",
		    doc_get_int(key->spec, "DeletionDate", 0));
	return d;
}

static struct reply *
reply_key(struct call *c, const struct res *key)
{
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), "KeyMetadata",
	    show(c, key)));
}

int
kms_make(struct call *c, const struct kms_new *n, struct res **ret)
{
	struct arena *a = c->arena;
	struct res *key = res_new(a, &kms_key, c->scope, SPAN_NULL,
	    span_of(id_uuid(a)));
	int r;

	doc_set_str(a, key->spec, "Description", n->description);
	doc_set_str(a, key->spec, "KeyUsage", SPAN("ENCRYPT_DECRYPT"));
	doc_set_str(a, key->spec, "KeySpec", SPAN("SYMMETRIC_DEFAULT"));
	doc_set_str(a, key->spec, "Origin", SPAN("AWS_KMS"));
	doc_set_str(a, key->spec, "KeyManager",
	    n->managed ? SPAN("AWS") : SPAN("CUSTOMER"));
	doc_set_str(a, key->spec, "KeyState", SPAN("Enabled"));
	doc_set_str(a, key->spec, "Policy",
	    n->policy.n ? n->policy : kms_default_policy(c));
	/* AWS rotates its own keys every year. */
	if (n->managed)
		doc_set(a, key->spec, "Rotation", doc_set_int(a, doc_set_int(a,
		    doc_obj(a), "Period", 365), "From", clock_ms()));
	/* A material's place is told by the key's ARN. */
	key->arn = kind_arn(a, &kms_key, c->scope, SPAN_NULL, key->id);
	if ((r = kms_add_material(c, key, NULL, 0)) < 0)
		return err_trace(r);
	r = store_insert(c->store, a, key);
	if (r)
		return r < 0 ? err_trace(r) : err_fold(r);
	*ret = key;
	return 0;
}

/* What keys of ours cannot be. */
static struct reply *
check_new(struct call *c)
{
	struct span spec = doc_get_str(c->in, "KeySpec");
	struct span old = doc_get_str(c->in, "CustomerMasterKeySpec");
	struct span usage = doc_get_str(c->in, "KeyUsage");
	struct span origin = doc_get_str(c->in, "Origin");

	if (spec.n && old.n)
		return kms_invalid(c, "You cannot specify KeySpec and "
		    "CustomerMasterKeySpec in the same request. "
		    "CustomerMasterKeySpec is deprecated.");
	spec = spec.n ? spec : old;
	if (spec.n && !span_is(spec, "SYMMETRIC_DEFAULT"))
		return reply_not_implemented(c, "KeySpec %.*s",
		    SPAN_ARG(spec));
	if (usage.n && !span_is(usage, "ENCRYPT_DECRYPT"))
		return kms_invalid(c, "KeyUsage %.*s is not compatible with "
		    "KeySpec SYMMETRIC_DEFAULT", SPAN_ARG(usage));
	if (origin.n && !span_is(origin, "AWS_KMS"))
		return reply_not_implemented(c, "Origin %.*s",
		    SPAN_ARG(origin));
	if (doc_get_bool(c->in, "MultiRegion", false))
		return reply_not_implemented(c, "MultiRegion");
	return NULL;
}

struct reply *
kms_create_key(struct call *c)
{
	struct kms_new n = {.description = doc_get_str(c->in, "Description"),
	    .policy = doc_get_str(c->in, "Policy")};
	struct reply *no = check_new(c);
	struct res *key;
	int r;

	if (no || (n.policy.n && (no = kms_check_policy(c, n.policy))))
		return no;
	if ((r = kms_make(c, &n, &key)) < 0)
		return kms_fail(c, r);
	if ((no = kms_put_tags(c, key, doc_get(c->in, "Tags"))))
		return no;
	return reply_key(c, key);
}

struct reply *
kms_describe_key(struct call *c)
{
	struct res *key;
	struct reply *no = kms_find(c, doc_get_str(c->in, "KeyId"), true,
	    KMS_LOOK, &key);

	return no ? no : reply_key(c, key);
}

struct reply *
kms_list_keys(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena), *d;
	struct query q = {.kind = &kms_key, .scope = c->scope};
	struct kms_page page;
	struct reply *no = kms_page(c, 100, &page);
	struct res_list l;
	int r;

	if (no)
		return no;
	q.after = page.after;
	q.limit = page.limit;
	if ((r = store_list(c->store, c->arena, &q, &l)))
		return kms_fail(c, r);
	for (size_t i = 0; i < l.n; i++) {
		d = doc_obj(c->arena);
		doc_set_str(c->arena, d, "KeyId", l.v[i]->id);
		doc_set_str(c->arena, d, "KeyArn", l.v[i]->arn);
		doc_push(list, d);
	}
	doc_set(c->arena, out, "Keys", list);
	kms_page_end(c, out, &l);
	return reply_ok(c, out);
}

static struct reply *
put(struct call *c, struct res *key, struct doc *out)
{
	int r = store_put_spec(c->store, key);

	return r ? kms_fail(c, r) : reply_ok(c, out);
}

struct reply *
kms_update_description(struct call *c)
{
	struct res *key;
	struct reply *no = kms_named(c, KMS_CHANGE, &key);

	if (no)
		return no;
	doc_set_str(c->arena, key->spec, "Description",
	    doc_get_str(c->in, "Description"));
	return put(c, key, NULL);
}

static struct reply *
set_state(struct call *c, struct span state)
{
	struct res *key;
	struct reply *no = kms_named(c, KMS_CHANGE, &key);

	if (no)
		return no;
	doc_set_str(c->arena, key->spec, "KeyState", state);
	return put(c, key, NULL);
}

struct reply *
kms_enable_key(struct call *c)
{
	return set_state(c, SPAN("Enabled"));
}

struct reply *
kms_disable_key(struct call *c)
{
	return set_state(c, SPAN("Disabled"));
}

struct reply *
kms_schedule_deletion(struct call *c)
{
	int64_t days = doc_get_int(c->in, "PendingWindowInDays",
	    WINDOW_DEFAULT);
	struct doc *out = doc_obj(c->arena);
	struct res *key;
	struct reply *no = kms_named(c, KMS_CHANGE, &key);
	int64_t when = clock_ms() + days * DAY_MS;

	if (no)
		return no;
	if (days < 7 || days > 30)
		return kms_invalid(c, "Pending window in days must be between "
		    "7 and 30");
	doc_set_str(c->arena, key->spec, "KeyState", SPAN("PendingDeletion"));
	doc_set_int(c->arena, key->spec, "DeletionDate", when);
	doc_set_str(c->arena, out, "KeyId", key->arn);
	doc_set_time(c->arena, out, "DeletionDate", when);
	doc_set_str(c->arena, out, "KeyState", SPAN("PendingDeletion"));
	doc_set_int(c->arena, out, "PendingWindowInDays", days);
	return put(c, key, out);
}

struct reply *
kms_cancel_deletion(struct call *c)
{
	struct res *key;
	struct reply *no = kms_named(c, KMS_MANAGE, &key);

	if (no)
		return no;
	if (!kms_is(key, "KeyState", "PendingDeletion"))
		return reply_error(c, "KMSInvalidStateException",
		    "%.*s is not pending deletion.", SPAN_ARG(key->arn));
	doc_set_str(c->arena, key->spec, "KeyState", SPAN("Disabled"));
	doc_del(key->spec, "DeletionDate");
	return put(c, key, doc_set_str(c->arena, doc_obj(c->arena), "KeyId",
	    key->arn));
}
