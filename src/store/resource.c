/* Resources: naming, writing, reading one. */
#include <errno.h>

#include "base/clock.h"
#include "store/store-internal.h"

struct res *
res_new(struct arena *a, const struct kind *k, struct scope scope,
    struct span parent, struct span id)
{
	struct res *r = arena_new_of(a, struct res);

	r->magic = RES_MAGIC;
	r->kind = k;
	r->scope.account = arena_span(a, scope.account);
	r->scope.region = k->global ? SPAN("") : arena_span(a, scope.region);
	r->parent = arena_span(a, parent);
	r->id = arena_span(a, id);
	r->spec = doc_obj(a);
	r->status = doc_obj(a);
	return r;
}

/* The value of one {name} of an ARN form. */
static struct span
arn_part(struct span name, const struct scope *scope, struct span parent,
    struct span id)
{
	if (span_is(name, "account"))
		return scope->account;
	if (span_is(name, "region"))
		return scope->region;
	if (span_is(name, "parent"))
		return parent;
	AN(span_is(name, "id"));
	return id;
}

struct span
kind_arn(struct arena *a, const struct kind *k, struct scope scope,
    struct span parent, struct span id)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest = span_of(k->arn);
	ptrdiff_t open, close;

	while ((open = span_chr(rest, '{')) >= 0) {
		close = span_chr(rest, '}');
		AN(close > open);
		buf_add_span(&b, span_to(rest, (size_t)open));
		buf_add_span(&b, arn_part(span_make(rest.p + open + 1,
		    (size_t)(close - open - 1)), &scope, parent, id));
		rest = span_from(rest, (size_t)close + 1);
	}
	buf_add_span(&b, rest);
	return arena_span(a, buf_span(&b));
}

/* The value at "spec.VpcId" or "status.a.b". */
static const struct doc *
member(const struct res *r, const char *path)
{
	struct span rest = span_of(path);
	struct span root = span_cut(&rest, '.');
	const struct doc *d = span_is(root, "spec") ? r->spec : r->status;

	AN(span_is(root, "spec") || span_is(root, "status"));
	while (rest.p)
		d = doc_getn(d, span_cut(&rest, '.'));
	return d;
}

static int
add_lookup(struct store *s, const struct res *r, int64_t kind, int i,
    const struct doc *v)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s,
	    "INSERT OR IGNORE INTO lookup(kind,member,value,row)"
	    " VALUES(?,?,?,?)");
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span text = doc_span(v);

	if (!st)
		return -EIO;
	if (doc_type(v) != DOC_STR) {
		doc_write_json(&b, v);
		text = buf_span(&b);
	}
	store_bind_int(st, 1, kind);
	store_bind_int(st, 2, i);
	store_bind_span(st, 3, text);
	store_bind_int(st, 4, r->row);
	return err_fold(store_run(s, st));
}

static int
clear_member(struct store *s, const struct res *r, int64_t kind, int i)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s,
	    "DELETE FROM lookup WHERE row=? AND kind=? AND member=?");

	if (!st)
		return -EIO;
	store_bind_int(st, 1, r->row);
	store_bind_int(st, 2, kind);
	store_bind_int(st, 3, i);
	return err_fold(store_run(s, st));
}

/* Rewrites the lookups whose path starts with root ("spec", "status"). */
static int
index_res(struct store *s, const struct res *r, const char *root, bool fresh)
{
	const char *const *path = r->kind->index;
	int64_t kind = store_kind_id(s, r->kind);
	int ret = 0;

	for (int i = 0; path && path[i] && ret == 0; i++) {
		const struct doc *v = member(r, path[i]);

		if (!span_starts(span_of(path[i]), span_of(root)))
			continue;
		if (!fresh && (ret = clear_member(s, r, kind, i)) != 0)
			break;
		if (doc_type(v) == DOC_NONE || doc_type(v) == DOC_NULL)
			continue;
		if (doc_type(v) != DOC_ARR) {
			ret = add_lookup(s, r, kind, i, v);
			continue;
		}
		doc_each(e, v)
			if (ret == 0)
				ret = add_lookup(s, r, kind, i, e);
	}
	return ret;
}

int
store_insert(struct store *s, struct arena *a, struct res *r)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int ret;

	CHECK_OBJ(r, RES_MAGIC);
	if ((ret = store_begin_write(s)) < 0)
		return err_trace(ret);
	st = store_stmt(s, "INSERT INTO resource(kind,account,region,parent,id,"
	    "arn,created,version,spec,status) VALUES(?,?,?,?,?,?,?,?,?,?)");
	if (!st)
		return -EIO;
	r->arn = r->kind->arn ?
	    kind_arn(a, r->kind, r->scope, r->parent, r->id) : SPAN_NULL;
	r->created = r->created ? r->created : clock_ms();
	r->version = 1;
	store_bind_int(st, 1, store_kind_id(s, r->kind));
	store_bind_span(st, 2, r->scope.account);
	store_bind_span(st, 3, r->scope.region);
	store_bind_span(st, 4, r->parent);
	store_bind_span(st, 5, r->id);
	store_bind_span(st, 6, r->arn);
	store_bind_int(st, 7, r->created);
	store_bind_int(st, 8, r->version);
	store_bind_span(st, 9, doc_json(a, r->spec));
	store_bind_span(st, 10, doc_json(a, r->status));
	if ((ret = store_run(s, st)) != 0)
		return ret;
	r->row = sqlite3_last_insert_rowid(s->db);
	store_note_change(s, r, &(struct change){.inserted = true,
	    .spec = true, .status = true});
	if ((ret = index_res(s, r, "spec", true)) < 0)
		return err_trace(ret);
	return err_trace(index_res(s, r, "status", true));
}

static int
put(struct store *s, struct res *r, const char *sql, const struct doc *d,
    const struct change *what)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT;
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int ret;

	CHECK_OBJ(r, RES_MAGIC);
	AN(r->row);
	if ((ret = store_begin_write(s)) < 0)
		return err_trace(ret);
	if (!(st = store_stmt(s, sql)))
		return -EIO;
	doc_write_json(&text, d);
	store_bind_span(st, 1, buf_span(&text));
	store_bind_int(st, 2, r->row);
	if ((ret = store_run(s, st)) != 0)
		return err_fold(ret);
	if (sqlite3_changes(s->db) == 0)
		return STORE_E_NOT_FOUND;
	r->version++;
	store_note_change(s, r, what);
	return err_trace(index_res(s, r, what->spec ? "spec" : "status", false));
}

int
store_put_spec(struct store *s, struct res *r)
{
	return put(s, r, "UPDATE resource SET spec=?,version=version+1"
	    " WHERE row=?", r->spec, &(struct change){.spec = true});
}

int
store_rename(struct store *s, struct arena *a, struct res *r,
    struct span parent, struct span id)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	struct span arn = r->kind->arn ?
	    kind_arn(a, r->kind, r->scope, parent, id) : SPAN_NULL;
	int ret;

	CHECK_OBJ(r, RES_MAGIC);
	AN(r->row);
	if ((ret = store_begin_write(s)) < 0)
		return err_trace(ret);
	st = store_stmt(s,
	    "UPDATE resource SET parent=?,id=?,arn=? WHERE row=?");
	if (!st)
		return -EIO;
	store_bind_span(st, 1, parent);
	store_bind_span(st, 2, id);
	store_bind_span(st, 3, arn);
	store_bind_int(st, 4, r->row);
	if ((ret = store_run(s, st)) != 0)
		return ret;
	r->parent = arena_span(a, parent);
	r->id = arena_span(a, id);
	r->arn = arn;
	return store_put_spec(s, r);
}

int
store_put_status(struct store *s, struct res *r)
{
	return put(s, r, "UPDATE resource SET status=?,version=version+1"
	    " WHERE row=?", r->status, &(struct change){.status = true});
}

int
store_delete(struct store *s, const struct res *r)
{
	static const char *const sql[] = {
	    "DELETE FROM tag WHERE row=?",
	    "DELETE FROM lookup WHERE row=?",
	    "DELETE FROM resource WHERE row=?",
	};
	int ret;

	CHECK_OBJ(r, RES_MAGIC);
	if ((ret = store_begin_write(s)) < 0)
		return err_trace(ret);
	for (size_t i = 0; i < ARRAY_SIZE(sql); i++) {
		_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s, sql[i]);

		if (!st)
			return -EIO;
		store_bind_int(st, 1, r->row);
		if ((ret = store_run(s, st)) != 0)
			return err_fold(ret);
	}
	if (sqlite3_changes(s->db) == 0)
		return STORE_E_NOT_FOUND;
	store_note_change(s, r, &(struct change){.deleted = true});
	return 0;
}

static int
parse_part(struct arena *a, sqlite3_stmt *st, int col, struct doc **ret)
{
	struct span text = span_make((const char *)sqlite3_column_text(st, col),
	    (size_t)sqlite3_column_bytes(st, col));

	if (doc_parse_json(a, text, ret) != 0)
		return err_origin(EIO, "a stored document is not JSON");
	return 0;
}

int
store_read_res(struct store *s, struct arena *a, sqlite3_stmt *st,
    struct res **ret)
{
	struct res *r = arena_new_of(a, struct res);
	int64_t kind = sqlite3_column_int64(st, 1);
	int ret_;

	r->magic = RES_MAGIC;
	r->row = sqlite3_column_int64(st, 0);
	r->kind = kind >= 0 && kind <= s->kind_max ? s->kind_of[kind] : NULL;
	if (!r->kind)
		return err_origin(EIO, "kind %lld is not known",
		    (long long)kind);
	r->scope.account = store_col(a, st, 2);
	r->scope.region = store_col(a, st, 3);
	r->parent = store_col(a, st, 4);
	r->id = store_col(a, st, 5);
	r->arn = store_col(a, st, 6);
	r->created = sqlite3_column_int64(st, 7);
	r->version = sqlite3_column_int64(st, 8);
	if ((ret_ = parse_part(a, st, 9, &r->spec)) < 0 ||
	    (ret_ = parse_part(a, st, 10, &r->status)) < 0)
		return err_trace(ret_);
	*ret = r;
	return 0;
}

static int
read_one(struct store *s, struct arena *a, sqlite3_stmt *st, struct res **ret)
{
	int r = store_step(s, st);

	if (r < 0)
		return err_trace(r);
	if (r == 0)
		return STORE_E_NOT_FOUND;
	return err_trace(store_read_res(s, a, st, ret));
}

int
store_get(struct store *s, struct arena *a, const struct kind *k,
    struct scope scope, struct span parent, struct span id, struct res **ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s, "SELECT " RES_COLUMNS
	    RES_FROM "WHERE r.kind=? AND r.account=? AND r.region=?"
	    " AND r.parent=? AND r.id=?");

	if (!st)
		return -EIO;
	store_bind_int(st, 1, store_kind_id(s, k));
	store_bind_span(st, 2, scope.account);
	store_bind_span(st, 3, k->global ? SPAN("") : scope.region);
	store_bind_span(st, 4, parent);
	store_bind_span(st, 5, id);
	return read_one(s, a, st, ret);
}

int
store_get_arn(struct store *s, struct arena *a, struct span arn,
    struct res **ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s,
	    "SELECT " RES_COLUMNS RES_FROM "WHERE r.arn=? AND r.arn<>''");

	if (!st)
		return -EIO;
	store_bind_span(st, 1, arn);
	return read_one(s, a, st, ret);
}

int
store_get_row(struct store *s, struct arena *a, int64_t row, struct res **ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s,
	    "SELECT " RES_COLUMNS RES_FROM "WHERE r.row=?");

	if (!st)
		return -EIO;
	store_bind_int(st, 1, row);
	return read_one(s, a, st, ret);
}
