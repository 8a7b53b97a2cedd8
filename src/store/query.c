/* Lists, counts, tags, settings, the dump. */
#include <errno.h>

#include "store/store-internal.h"

/* Lists.  The text depends only on which conditions are there, so that the
 * statement cache holds few; the values follow in the same order. */

enum { BIND_MAX = 8 };

struct binds {
	struct {
		bool text;
		struct span s;
		int64_t i;
	} v[BIND_MAX];
	int n;
};

static void
bind_span(struct binds *b, struct span s)
{
	AN(b->n < BIND_MAX);
	b->v[b->n].text = true;
	b->v[b->n++].s = s;
}

static void
bind_int(struct binds *b, int64_t i)
{
	AN(b->n < BIND_MAX);
	b->v[b->n++].i = i;
}

static void
bind_all(sqlite3_stmt *st, const struct binds *b)
{
	for (int i = 0; i < b->n; i++) {
		if (b->v[i].text)
			store_bind_span(st, i + 1, b->v[i].s);
		else
			store_bind_int(st, i + 1, b->v[i].i);
	}
}

static int
index_of(const struct kind *k, const char *name)
{
	for (int i = 0; k->index && k->index[i]; i++)
		if (strcmp(k->index[i], name) == 0)
			return i;
	WRONG("the kind has no such index");
}

static void
where(struct store *s, const struct query *q, struct buf *sql, struct binds *b)
{
	int64_t kind = store_kind_id(s, q->kind);

	if (q->index) {
		buf_add_str(sql, "JOIN lookup l ON l.row=r.row"
		    " WHERE l.kind=? AND l.member=? AND l.value=?");
		bind_int(b, kind);
		bind_int(b, index_of(q->kind, q->index));
		bind_span(b, q->value);
	} else {
		buf_add_str(sql, "WHERE r.kind=?");
		bind_int(b, kind);
	}
	if (q->scope.account.n) {
		buf_add_str(sql, " AND r.account=?");
		bind_span(b, q->scope.account);
	}
	if (q->scope.region.n && !q->kind->global) {
		buf_add_str(sql, " AND r.region=?");
		bind_span(b, q->scope.region);
	}
	if (!q->any_parent) {
		buf_add_str(sql, " AND r.parent=?");
		bind_span(b, q->parent);
	}
	if (q->after) {
		buf_add_str(sql, q->newest_first ? " AND r.row<?" :
						   " AND r.row>?");
		bind_int(b, q->after);
	}
}

/* Reads rows until the limit; the statement was asked for one more. */
static int
collect(struct store *s, struct arena *a, sqlite3_stmt *st, size_t limit,
    struct res_list *ret)
{
	size_t cap = 16;
	struct res_list l = {.v = arena_array(a, struct res *, cap)};
	int r;

	while ((r = store_step(s, st)) == 1) {
		if (limit && l.n == limit) {
			l.more = true;
			break;
		}
		if (l.n == cap) {
			l.v = arena_grow(a, l.v, cap * sizeof(*l.v),
			    cap * 2 * sizeof(*l.v));
			cap *= 2;
		}
		if ((r = store_read_res(s, a, st, &l.v[l.n])) < 0)
			return err_trace(r);
		l.n++;
	}
	if (r < 0)
		return err_trace(r);
	*ret = l;
	return 0;
}

int
store_list(struct store *s, struct arena *a, const struct query *q,
    struct res_list *ret)
{
	_cleanup_(buf_done) struct buf sql = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	struct binds b = {0};

	buf_add_str(&sql, "SELECT " RES_COLUMNS RES_FROM);
	where(s, q, &sql, &b);
	buf_add_str(&sql, q->newest_first ? " ORDER BY r.row DESC" :
					    " ORDER BY r.row");
	if (q->limit) {
		buf_add_str(&sql, " LIMIT ?");
		bind_int(&b, (int64_t)q->limit + 1);
	}
	if (!(st = store_stmt(s, buf_str(&sql))))
		return -EIO;
	bind_all(st, &b);
	return err_trace(collect(s, a, st, q->limit, ret));
}

int
store_list_ids(struct store *s, struct arena *a, const struct id_range *q,
    struct res_list *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int n = 5;

	if (q->until.p)
		st = store_stmt(s, q->after ?
		    "SELECT " RES_COLUMNS RES_FROM "WHERE r.kind=? AND"
		    " r.account=? AND r.region=? AND r.parent=? AND r.id>?"
		    " AND r.id<? ORDER BY r.id LIMIT ?" :
		    "SELECT " RES_COLUMNS RES_FROM "WHERE r.kind=? AND"
		    " r.account=? AND r.region=? AND r.parent=? AND r.id>=?"
		    " AND r.id<? ORDER BY r.id LIMIT ?");
	else
		st = store_stmt(s, q->after ?
		    "SELECT " RES_COLUMNS RES_FROM "WHERE r.kind=? AND"
		    " r.account=? AND r.region=? AND r.parent=? AND r.id>?"
		    " ORDER BY r.id LIMIT ?" :
		    "SELECT " RES_COLUMNS RES_FROM "WHERE r.kind=? AND"
		    " r.account=? AND r.region=? AND r.parent=? AND r.id>=?"
		    " ORDER BY r.id LIMIT ?");
	if (!st)
		return -EIO;
	store_bind_int(st, 1, store_kind_id(s, q->kind));
	store_bind_span(st, 2, q->scope.account);
	store_bind_span(st, 3, q->kind->global ? SPAN("") : q->scope.region);
	store_bind_span(st, 4, q->parent);
	store_bind_span(st, 5, q->from);
	if (q->until.p)
		store_bind_span(st, ++n, q->until);
	store_bind_int(st, ++n, q->limit ? (int64_t)q->limit + 1 : -1);
	return err_trace(collect(s, a, st, q->limit, ret));
}

int64_t
store_count(struct store *s, const struct query *q)
{
	_cleanup_(buf_done) struct buf sql = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	struct binds b = {0};
	int r;

	buf_add_str(&sql, "SELECT count(*)" RES_FROM);
	where(s, q, &sql, &b);
	if (!(st = store_stmt(s, buf_str(&sql))))
		return -EIO;
	bind_all(st, &b);
	if ((r = store_step(s, st)) != 1)
		return r < 0 ? err_trace(r) : err_fold(1);
	return sqlite3_column_int64(st, 0);
}

/* Tags.  The key '' of a resource says that it once had one: AWS tells of
 * those, too. */

int
store_tags(struct store *s, struct arena *a, const struct res *r,
    struct doc **ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s,
	    "SELECT key,value FROM tag WHERE row=? AND key>'' ORDER BY key");
	struct doc *d = doc_obj(a);
	int ret_;

	if (!st)
		return -EIO;
	store_bind_int(st, 1, r->row);
	while ((ret_ = store_step(s, st)) == 1)
		doc_append(a, d, store_col(a, st, 0),
		    doc_str(a, store_col(a, st, 1)));
	if (ret_ < 0)
		return err_trace(ret_);
	*ret = d;
	return 0;
}

static int
write_tag(struct store *s, const struct res *r, const char *sql,
    struct span key, struct span value)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int ret;

	if ((ret = store_begin_write(s)) < 0)
		return err_trace(ret);
	if (!(st = store_stmt(s, sql)))
		return -EIO;
	store_bind_int(st, 1, r->row);
	store_bind_span(st, 2, key);
	if (value.p)
		store_bind_span(st, 3, value);
	return err_fold(store_run(s, st));
}

int
store_tag(struct store *s, const struct res *r, struct span key,
    struct span value)
{
	return write_tag(s, r, "INSERT INTO tag(row,key,value) VALUES(?,?,?)"
	    " ON CONFLICT(row,key) DO UPDATE SET value=excluded.value", key,
	    value.p ? value : SPAN(""));
}

int
store_untag(struct store *s, const struct res *r, struct span key)
{
	int ret = write_tag(s, r, "DELETE FROM tag WHERE row=? AND key=?", key,
	    SPAN_NULL);

	if (ret || sqlite3_changes(s->db) == 0)
		return ret;
	return write_tag(s, r, "INSERT OR IGNORE INTO tag(row,key,value)"
	    " VALUES(?,?,'')", SPAN(""), SPAN_NULL);
}

/* "ecs:cluster" or "ecs" against "arn:aws:ecs:{region}:{account}:cluster/...".
 * Where the ARN names no type ("arn:aws:s3:::{id}"), it is the kind's noun. */
static bool
type_matches(const struct kind *k, struct span type)
{
	struct span arn = span_of(k->arn), want = span_cut(&type, ':'), service;

	span_cut(&arn, ':');
	span_cut(&arn, ':');
	service = span_cut(&arn, ':');
	if (!span_eq(service, want))
		return false;
	if (!type.p)
		return true;
	span_cut(&arn, ':');
	span_cut(&arn, ':');
	if (span_starts(arn, SPAN("{"))) {
		arn = span_of(k->name);
		span_cut(&arn, '.');
	}
	return span_starts(arn, type) &&
	    (arn.n == type.n || arn.p[type.n] == '/' || arn.p[type.n] == ':');
}

static bool
kind_wanted(const struct kind *k, const struct doc *types)
{
	if (!k->arn || k->untaggable)
		return false;
	if (doc_len(types) == 0)
		return true;
	doc_each(t, types)
		if (type_matches(k, doc_span(t)))
			return true;
	return false;
}

/* AWS: global resources are told of in us-east-1 and nowhere else. */
static struct span
global_region(struct scope scope)
{
	return span_is(scope.region, "us-east-1") ? SPAN("") : scope.region;
}

/* One text for all filters: statements are kept for good. */
#define FIND_TAGGED                                                      \
	"SELECT " RES_COLUMNS RES_FROM                                   \
	"WHERE r.account=? AND r.region IN (?,?) AND r.row>?"            \
	" AND r.kind IN (SELECT value FROM json_each(?))"                \
	" AND EXISTS(SELECT 1 FROM tag t WHERE t.row=r.row)"             \
	" AND NOT EXISTS(SELECT 1 FROM json_each(?) f WHERE NOT EXISTS(" \
	"SELECT 1 FROM tag t WHERE t.row=r.row AND t.key>''"             \
	" AND t.key=f.value->>'Key'"                                     \
	" AND (NOT coalesce(json_array_length(f.value,'$.Values'),0)"    \
	" OR t.value IN (SELECT value FROM json_each(f.value,'$.Values')))))" \
	" ORDER BY r.row LIMIT ?"

int
store_find_tagged(struct store *s, struct arena *a, struct scope scope,
    const struct doc *filters, const struct doc *types, int64_t after,
    size_t limit, struct res_list *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s, FIND_TAGGED);
	struct doc *kinds = doc_arr(a);

	if (!st)
		return -EIO;
	for (size_t i = 0; i < s->n_kinds; i++)
		if (kind_wanted(s->kind_v[i].kind, types))
			doc_push(kinds, doc_int(a, s->kind_v[i].id));
	store_bind_span(st, 1, scope.account);
	store_bind_span(st, 2, scope.region);
	store_bind_span(st, 3, global_region(scope));
	store_bind_int(st, 4, after);
	store_bind_span(st, 5, doc_json(a, kinds));
	store_bind_span(st, 6, doc_len(filters) ? doc_json(a, filters) :
	    SPAN("[]"));
	store_bind_int(st, 7, limit ? (int64_t)limit + 1 : -1);
	return err_trace(collect(s, a, st, limit, ret));
}

int
store_tag_words(struct store *s, struct arena *a, struct scope scope,
    struct span key, size_t skip, size_t limit, struct doc **ret,
    bool *ret_more)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s, key.n ?
	    "SELECT DISTINCT t.value FROM tag t JOIN resource r USING(row)"
	    " WHERE t.key=? AND r.account=? AND r.region IN (?,?)"
	    " ORDER BY t.value LIMIT ? OFFSET ?" :
	    "SELECT DISTINCT t.key FROM tag t JOIN resource r USING(row)"
	    " WHERE t.key>? AND r.account=? AND r.region IN (?,?)"
	    " ORDER BY t.key LIMIT ? OFFSET ?");
	struct doc *list = doc_arr(a);
	int r;

	if (!st)
		return -EIO;
	store_bind_span(st, 1, key.n ? key : SPAN(""));
	store_bind_span(st, 2, scope.account);
	store_bind_span(st, 3, scope.region);
	store_bind_span(st, 4, global_region(scope));
	store_bind_int(st, 5, (int64_t)limit + 1);
	store_bind_int(st, 6, (int64_t)skip);
	while ((r = store_step(s, st)) == 1)
		doc_push(list, doc_str(a, store_col(a, st, 0)));
	if (r < 0)
		return err_trace(r);
	*ret_more = doc_len(list) > limit;
	if (*ret_more)
		doc_remove(list, limit);
	*ret = list;
	return 0;
}

/* Settings and counters */

int
store_setting(struct store *s, struct arena *a, const char *key,
    struct span *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st =
	    store_stmt(s, "SELECT value FROM setting WHERE key=?");
	int r;

	if (!st)
		return -EIO;
	store_bind_span(st, 1, span_of(key));
	if ((r = store_step(s, st)) < 0)
		return err_trace(r);
	if (r == 0)
		return STORE_E_NOT_FOUND;
	*ret = store_col(a, st, 0);
	return 0;
}

int
store_set_setting(struct store *s, const char *key, struct span value)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r;

	if ((r = store_begin_write(s)) < 0)
		return err_trace(r);
	st = store_stmt(s, "INSERT INTO setting(key,value) VALUES(?,?)"
	    " ON CONFLICT(key) DO UPDATE SET value=excluded.value");
	if (!st)
		return -EIO;
	store_bind_span(st, 1, span_of(key));
	store_bind_span(st, 2, value);
	return err_fold(store_run(s, st));
}

int
store_next(struct store *s, struct span name, int64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *up = NULL, *get = NULL;
	int r;

	if ((r = store_begin_write(s)) < 0)
		return err_trace(r);
	/* Two statements: RETURNING makes a table of its own each time. */
	up = store_stmt(s, "INSERT INTO counter(name,value) VALUES(?,1)"
	    " ON CONFLICT(name) DO UPDATE SET value=value+1");
	get = store_stmt(s, "SELECT value FROM counter WHERE name=?");
	if (!up || !get)
		return -EIO;
	store_bind_span(up, 1, name);
	store_bind_span(get, 1, name);
	if ((r = store_run(s, up)) != 0)
		return err_fold(r);
	if ((r = store_step(s, get)) != 1)
		return r < 0 ? err_trace(r) : err_fold(1);
	*ret = sqlite3_column_int64(get, 0);
	return 0;
}

/* One resource, one line. */
static int
dump_res(struct store *s, struct buf *b, sqlite3_stmt *st)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct doc *d = doc_obj(a), *tags = NULL;
	struct res *r;
	int ret;

	if ((ret = store_read_res(s, a, st, &r)) < 0 ||
	    (ret = store_tags(s, a, r, &tags)) < 0)
		return err_trace(ret);
	doc_set_str(a, d, "kind", span_of(r->kind->name));
	doc_set_str(a, d, "account", r->scope.account);
	doc_set_str(a, d, "region", r->scope.region);
	doc_set_str(a, d, "parent", r->parent);
	doc_set_str(a, d, "id", r->id);
	doc_set_str(a, d, "arn", r->arn);
	doc_set_int(a, d, "created", r->created);
	doc_set_int(a, d, "version", r->version);
	doc_set(a, d, "spec", r->spec);
	doc_set(a, d, "status", r->status);
	doc_set(a, d, "tags", tags);
	doc_write_json(b, d);
	buf_add_char(b, '\n');
	return 0;
}

int
store_dump(struct store *s, struct buf *b)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s,
	    "SELECT " RES_COLUMNS RES_FROM "ORDER BY r.row");
	int r;

	if (!st)
		return -EIO;
	while ((r = store_step(s, st)) == 1)
		if ((r = dump_res(s, b, st)) < 0)
			return err_trace(r);
	return r < 0 ? err_trace(r) : err_trace(log_dump(s->logs, b));
}
