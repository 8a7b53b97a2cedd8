/* Access keys that are in use. */
#include <uthash.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "svc/iam/iam.h"
#include "svc/iam/keyring.h"

#define KEYRING_MAGIC 0x4b45594b
#define ENTRY_MAGIC   0x4b454e54

#define ENTRIES_MAX 4096
/* Each note of a use is a write. */
#define USED_STEP_MS (60 * 1000)

/* Lives on while a request holds it. */
struct entry {
	unsigned magic;
	unsigned refs;
	struct arena *arena;
	struct span key;
	struct span token;
	struct iam_holder holder;
	int64_t noted; /* ms; when its use was noted last */
	UT_hash_handle hh;
};

struct keyring {
	unsigned magic;
	struct store *store;
	struct entry *entries;
};

static void
entry_unref(void *ctx)
{
	struct entry *e;

	CAST_OBJ(e, ctx, ENTRY_MAGIC);
	AN(e->refs);
	if (--e->refs)
		return;
	arena_free(e->arena);
	FREE_OBJ(e);
}

static void
drop(struct keyring *k, struct entry *e)
{
	HASH_DEL(k->entries, e);
	entry_unref(e);
}

void
keyring_forget(struct keyring *k)
{
	struct entry *e, *next;

	CHECK_OBJ(k, KEYRING_MAGIC);
	HASH_ITER (hh, k->entries, e, next)
		drop(k, e);
}

/* Status alone tells of uses: our own notes. */
static void
on_change(void *ctx, const struct change *c)
{
	if (c->inserted || c->deleted || c->spec)
		keyring_forget(ctx);
}

struct keyring *
keyring_new(struct store *s)
{
	struct keyring *k;

	ALLOC_OBJ(k, KEYRING_MAGIC);
	k->store = s;
	store_subscribe(s, &iam_access_key, on_change, k);
	store_subscribe(s, &iam_user, on_change, k);
	store_subscribe(s, &iam_role, on_change, k);
	return k;
}

void
keyring_free(struct keyring *k)
{
	if (!k)
		return;
	keyring_forget(k);
	FREE_OBJ(k);
}

/* A fresh entry: 0, what iam_holder() says, or negative. */
static int
look_up(struct keyring *k, struct span account, struct span key,
    struct span token, struct entry **ret)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct entry *e;
	struct iam_holder h;
	int r;

	key = arena_span(a, key);
	if ((r = iam_holder(k->store, a, account, key, token, &h)))
		return r < 0 ? err_trace(r) : r;
	if (HASH_COUNT(k->entries) >= ENTRIES_MAX)
		keyring_forget(k);
	ALLOC_OBJ(e, ENTRY_MAGIC);
	e->refs = 1;
	e->key = key;
	e->token = arena_span(a, token);
	e->holder = h;
	e->noted = h.used ? doc_get_int(h.used->status, "LastUsed", 0) : 0;
	e->arena = TAKE_PTR(a);
	HASH_ADD_KEYPTR(hh, k->entries, e->key.p, e->key.n, e);
	*ret = e;
	return 0;
}

int
keyring_find(void *ctx, struct arena *a, struct span account, struct span key,
    struct span token, struct credential *ret)
{
	struct keyring *k;
	struct entry *e;
	int r;

	CAST_OBJ(k, ctx, KEYRING_MAGIC);
	HASH_FIND(hh, k->entries, key.p, key.n, e);
	/* Another token does not make the right one forgotten. */
	if (e && !secret_eq(e->token, token))
		return token.n ? CREDENTIAL_E_TOKEN : CREDENTIAL_E_UNKNOWN;
	if (!e && (r = look_up(k, account, key, token, &e)))
		return r;
	if (e->holder.expires && e->holder.expires <= clock_ms())
		return CREDENTIAL_E_EXPIRED;
	e->refs++;
	arena_note(a, entry_unref, e);
	*ret = (struct credential){e->holder.who, e->holder.secret, e};
	return 0;
}

int
keyring_used(void *ctx, struct arena *a, const struct credential *c,
    struct span service, struct span region)
{
	int64_t now = clock_ms();
	struct keyring *k;
	struct entry *e;
	struct res *r;
	int err;

	CAST_OBJ(k, ctx, KEYRING_MAGIC);
	CAST_OBJ(e, c->holder, ENTRY_MAGIC);
	if (!e->holder.used || e->noted > now - USED_STEP_MS)
		return 0;
	e->noted = now;
	err = store_get_row(k->store, a, e->holder.used->row, &r);
	if (err)
		return err < 0 ? err_trace(err) : 0;
	doc_set_int(a, r->status, "LastUsed", now / 1000 * 1000);
	doc_set_str(a, r->status, "Service", service);
	doc_set_str(a, r->status, "Region", region);
	err = store_put_status(k->store, r);
	return err > 0 ? err_fold(err) : err_trace(err);
}
