/*
 * The store: every acknowledged fact, in SQLite (WAL, synchronous=FULL).
 *
 * Resources are uniform.  A kind says how a resource is named and found; the
 * store keeps, for each one: account, region, parent, id, ARN, spec, status,
 * tags, creation time and a version.  The API writes spec, controllers write
 * status; nobody writes both.
 *
 * Turns.  All work of one event-loop turn shares one transaction, opened by
 * the first write.  store_commit() ends it with one fsync and then, in order:
 * runs the waiters of store_on_commit() (replies leave here) and tells the
 * commit feed.  Each API call runs inside store_savepoint()/store_release();
 * a call that fails is rolled back alone by store_rollback().  When the commit
 * itself fails (a full disk), all of the turn is undone, the waiters hear of
 * it, and the feed is told all the same, so that controllers look again.
 *
 * Reads see the turn's own writes.  All results are the given arena's and
 * stay valid as long as it; they are snapshots, not live.
 */
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

struct store;

enum {
	STORE_E_NOT_FOUND = 1,
	STORE_E_EXISTS,	 /* the name is taken within kind, scope and parent */
	STORE_E_CONFLICT /* changed since it was read: version differs */
};

/* region is empty for global kinds. */
struct scope {
	struct span account;
	struct span region;
};

struct res;

struct kind {
	const char *name; /* "ecs.cluster": service, dot, AWS's noun */
	/* ARN form with {account} {region} {parent} {id}; NULL: no ARN (and so
	 * no tags).  "arn:aws:ecs:{region}:{account}:cluster/{id}" */
	const char *arn;
	/* Up to 8 members that lookups go by, NULL-terminated: paths into the
	 * spec ("spec.VpcId") or status ("status.state").  A member that is an
	 * array of strings is indexed once for each element. */
	const char *const *index;
	bool global;	   /* not regional: region is stored empty */
	bool untaggable;   /* has an ARN but is not listed by GetResources */
	/* True for a resource that has ended but is still described for a
	 * while, with its tags: GetResources lists it no longer.  NULL: the
	 * row goes when the resource does. */
	bool (*ended)(const struct res *r);
};

struct res {
	unsigned magic;
	const struct kind *kind;
	int64_t row;		/* unique in the store, grows, never reused */
	struct scope scope;
	struct span parent;	/* an id of the owning kind, or empty */
	struct span id;
	struct span arn;	/* empty if the kind has none */
	int64_t created;	/* ms */
	int64_t version;	/* grows with every write of this resource */
	struct doc *spec;	/* never NULL: an object */
	struct doc *status;	/* never NULL: an object */
};

/* path: a directory that exists and is ours.  Opens or creates state.db,
 * migrates it, and takes the lock that keeps a second daemon out.
 * kinds: NULL-terminated, kept by reference. */
int store_open(const char *path, const struct kind *const *kinds,
    struct store **ret);
void store_close(struct store *s); /* commits first; NULL is fine */
/* Empties everything but settings, in one transaction (for reset). */
int store_wipe(struct store *s);

/* Transactions */
int store_savepoint(struct store *s);
void store_release(struct store *s);
void store_rollback(struct store *s);
/* True while the turn has writes that are not durable yet: a reply that read
 * them must wait, too. */
bool store_dirty(const struct store *s);
void store_commit(struct store *s);
/* Ends what only reads, as store_commit() does, too: before one sleeps. */
void store_rest(struct store *s);
/* True while a store_commit() is owed: there are writes, or somebody waits for
 * it.  Then the loop must not sleep. */
bool store_owes(const struct store *s);
/* How many turns' writes were lost as yet. */
uint64_t store_losses(const struct store *s);
/* fn runs after the next store_commit(), also when nothing is dirty.  err is
 * negative if the turn's writes were lost: a reply that tells of them must
 * become a 500. */
void store_on_commit(struct store *s, void (*fn)(void *ctx, int err),
    void *ctx);

/* Resources */

/* A fresh resource in memory, to fill spec and status and then insert. */
struct res *res_new(struct arena *a, const struct kind *k, struct scope scope,
    struct span parent, struct span id);
/* The ARN a kind gives to a name, whether such a resource exists or not. */
struct span kind_arn(struct arena *a, const struct kind *k, struct scope scope,
    struct span parent, struct span id);
const struct kind *store_kind(struct store *s, struct span name);

/* Writes r as new: sets row, created, version and arn.  STORE_E_EXISTS. */
int store_insert(struct store *s, struct arena *a, struct res *r);
/* Write back spec or status of a resource that was read; each bumps the
 * version.  store_put_spec: STORE_E_NOT_FOUND when deleted meanwhile.
 * store_put_status: the same.  Neither checks the version: the daemon has one
 * writer thread and reads are synchronous. */
int store_put_spec(struct store *s, struct res *r);
int store_put_status(struct store *s, struct res *r);
int store_delete(struct store *s, const struct res *r); /* with its tags */
/* Another parent and id, and the ARN that follows; row and tags stay.  Writes
 * spec, too.  STORE_E_EXISTS. */
int store_rename(struct store *s, struct arena *a, struct res *r,
    struct span parent, struct span id);

int store_get(struct store *s, struct arena *a, const struct kind *k,
    struct scope scope, struct span parent, struct span id,
    struct res **ret); /* STORE_E_NOT_FOUND */
int store_get_arn(struct store *s, struct arena *a, struct span arn,
    struct res **ret); /* STORE_E_NOT_FOUND */
int store_get_row(struct store *s, struct arena *a, int64_t row,
    struct res **ret); /* STORE_E_NOT_FOUND */

struct query {
	const struct kind *kind;
	struct scope scope;	 /* account empty: all accounts and regions;
				    region empty (kind not global): all regions */
	bool any_parent;	 /* else parent must match exactly */
	struct span parent;
	const char *index;	 /* one of kind->index, or NULL */
	struct span value;	 /* what the index must equal */
	int64_t after;		 /* rows greater than this; 0 for all */
	size_t limit;		 /* 0: no limit */
	bool newest_first;	 /* then after means rows less than it */
};
struct res_list {
	struct res **v; /* never NULL */
	size_t n;
	bool more; /* the limit cut the list; go on after v[n-1]->row */
};
int store_list(struct store *s, struct arena *a, const struct query *q,
    struct res_list *ret);
int64_t store_count(struct store *s, const struct query *q); /* or negative */

/* The resources of one kind and parent in the byte order of their ids. */
struct id_range {
	const struct kind *kind;
	struct scope scope;
	struct span parent;
	struct span from;  /* ids from this one on, itself included */
	bool after;	   /* itself excluded */
	struct span until; /* ids less than this; p NULL: all */
	size_t limit;	   /* 0: no limit */
};
int store_list_ids(struct store *s, struct arena *a, const struct id_range *q,
    struct res_list *ret);

/* Tags: an object {key: value}; keys in byte order. */
int store_tags(struct store *s, struct arena *a, const struct res *r,
    struct doc **ret);
int store_tag(struct store *s, const struct res *r, struct span key,
    struct span value);
int store_untag(struct store *s, const struct res *r, struct span key);
/* Resources of any kind with an ARN, by tags; see svc/tagging.  Each filter is
 * {Key, Values[]}: any of Values, or any value if Values is empty; all filters
 * must hold.  Without filters: all that have or once had a tag.  types:
 * "ecs:cluster" or "ecs", none: all.  Global resources are in us-east-1. */
int store_find_tagged(struct store *s, struct arena *a, struct scope scope,
    const struct doc *filters, const struct doc *types, int64_t after,
    size_t limit, struct res_list *ret);

/* The tag keys in use in a scope, or the values of one (key not empty), as an
 * array of strings in byte order without the first skip ones. */
int store_tag_words(struct store *s, struct arena *a, struct scope scope,
    struct span key, size_t skip, size_t limit, struct doc **ret,
    bool *ret_more);

/* Settings of the installation: account id, root key and the like. */
int store_setting(struct store *s, struct arena *a, const char *key,
    struct span *ret); /* STORE_E_NOT_FOUND */
int store_set_setting(struct store *s, const char *key, struct span value);
/* A counter that never repeats, also after a crash: 1, 2, 3 and so on for each
 * name.  A call that is rolled back gives its number back. */
int store_next(struct store *s, struct span name, int64_t *ret);

/* Secrets at rest: sealed with AES-256-GCM under the root key, the file root.key
 * (mode 0600) beside the database, made with it; without it the store does not
 * open.  what names the place, so that a sealed value cannot be moved to
 * another.  store_unseal: negative if it was not sealed here as that.
 * store_try_unseal: the same for what strangers bring; false, *to unchanged. */
void store_seal(struct store *s, struct span what, struct span plain,
    struct buf *to);
int store_unseal(struct store *s, struct span what, struct span sealed,
    struct buf *to);
bool store_try_unseal(struct store *s, struct span what, struct span sealed,
    struct buf *to);

/* Commit feed: after each commit, once for every resource that it changed.
 * Subscribers are for the daemon's life; kind NULL: all kinds.  fn may write
 * (into the next turn's transaction). */
struct change {
	const struct kind *kind;
	int64_t row;
	struct scope scope;
	struct span parent;
	struct span id;
	bool inserted;
	bool deleted;
	bool spec;   /* spec was written */
	bool status; /* status was written */
};
typedef void (*change_fn)(void *ctx, const struct change *c);
void store_subscribe(struct store *s, const struct kind *k, change_fn fn,
    void *ctx);

/* Every resource as JSON lines, for `neargate dump`. */
int store_dump(struct store *s, struct buf *b);
