/* Rotation: new material encrypts, all of it decrypts. */
#include "base/clock.h"
#include "svc/kms/kms.h"

#define DAY_MS	       (24 * 60 * 60 * 1000LL)
#define PERIOD_DEFAULT 365
#define ON_DEMAND_MAX  25

static struct reply *
put(struct call *c, struct res *key, struct doc *out)
{
	int r = store_put_spec(c->store, key);

	return r ? kms_fail(c, r) : reply_ok(c, out);
}

/* A key whose rotation may change. */
static struct reply *
named(struct call *c, struct res **ret)
{
	struct reply *no = kms_named(c, KMS_CHANGE, ret);

	if (no)
		return no;
	if (!kms_is(*ret, "KeyState", "Enabled"))
		return reply_error(c, "DisabledException", "%.*s is disabled.",
		    SPAN_ARG((*ret)->arn));
	return NULL;
}

struct reply *
kms_enable_rotation(struct call *c)
{
	struct res *key;
	struct reply *no = named(c, &key);
	struct doc *d, *was;
	int64_t period;
	int r;

	if (no)
		return no;
	if ((r = kms_rotate_due(c, key)) < 0)
		return kms_fail(c, r);
	was = doc_get(key->spec, "Rotation");
	period = doc_get_int(was, "Period", PERIOD_DEFAULT);
	period = doc_get_int(c->in, "RotationPeriodInDays", period);
	d = doc_obj(c->arena);
	doc_set_int(c->arena, d, "Period", period);
	doc_set_int(c->arena, d, "From", doc_get_int(was, "From", clock_ms()));
	doc_set(c->arena, key->spec, "Rotation", d);
	/* A shorter period may be over already: then from now on. */
	if (doc_get_int(d, "From", 0) + period * DAY_MS < clock_ms())
		doc_set_int(c->arena, d, "From", clock_ms());
	return put(c, key, NULL);
}

struct reply *
kms_disable_rotation(struct call *c)
{
	struct res *key;
	struct reply *no = named(c, &key);
	int r;

	if (no)
		return no;
	if ((r = kms_rotate_due(c, key)) < 0)
		return kms_fail(c, r);
	doc_del(key->spec, "Rotation");
	return put(c, key, NULL);
}

struct reply *
kms_rotation_status(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *rotation;
	struct res *key;
	struct reply *no = kms_named(c, KMS_LOOK, &key);
	int64_t period;
	int r;

	if (no)
		return no;
	if ((r = kms_rotate_due(c, key)) < 0)
		return kms_fail(c, r);
	rotation = doc_get(key->spec, "Rotation");
	doc_set_str(c->arena, out, "KeyId", key->arn);
	doc_set_bool(c->arena, out, "KeyRotationEnabled", rotation != NULL);
	if (rotation) {
		period = doc_get_int(rotation, "Period", PERIOD_DEFAULT);
		doc_set_int(c->arena, out, "RotationPeriodInDays", period);
		doc_set_time(c->arena, out, "NextRotationDate",
		    doc_get_int(rotation, "From", 0) + period * DAY_MS);
	}
	return reply_ok(c, out);
}

static int
materials(struct call *c, const struct res *key, const struct kms_page *page,
    struct res_list *ret)
{
	struct query q = {.kind = &kms_key_material, .scope = key->scope,
	    .parent = key->id, .after = page->after, .limit = page->limit};

	return store_list(c->store, c->arena, &q, ret);
}

struct reply *
kms_rotate_now(struct call *c)
{
	struct kms_page all = {0, 0};
	struct res_list l;
	struct res *key;
	struct reply *no = named(c, &key);
	size_t n = 0;
	int r;

	if (no)
		return no;
	if ((r = kms_rotate_due(c, key)) < 0 || (r = materials(c, key, &all,
	    &l)))
		return kms_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		n += kms_is(l.v[i], "RotationType", "ON_DEMAND");
	if (n >= ON_DEMAND_MAX)
		return reply_error(c, "LimitExceededException", "The key %.*s "
		    "has reached the limit of %d on-demand rotations.",
		    SPAN_ARG(key->arn), ON_DEMAND_MAX);
	if ((r = kms_add_material(c, key, "ON_DEMAND", clock_ms())) < 0)
		return kms_fail(c, r);
	return put(c, key, doc_set_str(c->arena, doc_obj(c->arena), "KeyId",
	    key->arn));
}

static struct doc *
show(struct call *c, const struct res *key, const struct res *m)
{
	struct doc *d = doc_obj(c->arena);
	int64_t now = doc_get_int(key->spec, "Material", 0);
	int64_t number = 0;

	AN(span_i64(m->id, &number));
	doc_set_str(c->arena, d, "KeyId", key->arn);
	doc_set_str(c->arena, d, "KeyMaterialId",
	    doc_get_str(m->spec, "MaterialId"));
	doc_set_str(c->arena, d, "KeyMaterialState",
	    number == now ? SPAN("CURRENT") : SPAN("NON_CURRENT"));
	if (doc_get(m->spec, "RotationType")) {
		doc_set_str(c->arena, d, "RotationType",
		    doc_get_str(m->spec, "RotationType"));
		doc_set_time(c->arena, d, "RotationDate",
		    doc_get_int(m->spec, "RotationDate", 0));
	}
	return d;
}

struct reply *
kms_list_rotations(struct call *c)
{
	struct doc *out = doc_obj(c->arena), *list = doc_arr(c->arena);
	bool all = span_is(doc_get_str(c->in, "IncludeKeyMaterial"),
	    "ALL_KEY_MATERIAL");
	struct kms_page page;
	struct res_list l;
	struct res *key;
	struct reply *no = kms_named(c, KMS_LOOK, &key);
	int r;

	if (no || (no = kms_page(c, 100, &page)))
		return no;
	if ((r = kms_rotate_due(c, key)) < 0 || (r = materials(c, key, &page,
	    &l)))
		return kms_fail(c, r);
	for (size_t i = 0; i < l.n; i++)
		if (all || doc_get(l.v[i]->spec, "RotationType"))
			doc_push(list, show(c, key, l.v[i]));
	doc_set(c->arena, out, "Rotations", list);
	kms_page_end(c, out, &l);
	return reply_ok(c, out);
}
