/* Log events: logs.db, its statements, its part in the turn's commit. */
#include <errno.h>

#include "store/store-internal.h"

#define LOGS_MAGIC 0x4c4f4753

#define VERSION 2

/* The order of the index is the order of an answer; the index of a group holds
 * the stream, so that skipping other streams' events costs no look-up. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS event("
    " id INTEGER PRIMARY KEY,"
    " grp INTEGER NOT NULL,"
    " stream INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " ingested INTEGER NOT NULL,"
    " message BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS event_stream ON event(stream,time,id);"
    "CREATE INDEX IF NOT EXISTS event_group ON event(grp,time,id,stream);"
    "CREATE TABLE IF NOT EXISTS stream("
    " stream INTEGER PRIMARY KEY,"
    " grp INTEGER NOT NULL,"
    " first INTEGER NOT NULL,"
    " last INTEGER NOT NULL,"
    " ingested INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS stream_group ON stream(grp);"
    "DROP TABLE IF EXISTS source;"
    "CREATE TABLE IF NOT EXISTS position("
    " name TEXT PRIMARY KEY,"
    " made INTEGER NOT NULL,"
    " segment INTEGER NOT NULL,"
    " offset INTEGER NOT NULL,"
    " part0 BLOB, time0 INTEGER NOT NULL,"
    " part1 BLOB, time1 INTEGER NOT NULL,"
    " part2 BLOB, time2 INTEGER NOT NULL);";

enum sql {
	SQL_BEGIN, SQL_COMMIT, SQL_LAST_ID, SQL_INSERT, SQL_TOUCH,
	SQL_STREAM_UP, SQL_STREAM_DOWN, SQL_GROUP_UP, SQL_GROUP_DOWN,
	SQL_STATS, SQL_STATS_GROUP, SQL_STATS_ALL, SQL_SHRINK, SQL_NO_STREAM,
	SQL_OLD, SQL_OF_STREAM, SQL_DELETE,
	SQL_SOURCE_GET, SQL_SOURCE_PUT, SQL_SOURCE_DELETE, SQL_SOURCES,
	SQL_COUNT,
	SQLS
};

#define EVENT "SELECT id,stream,time,ingested,message FROM event "
#define STATS "SELECT stream,grp,first,last,ingested,bytes FROM stream "
/* ?2, ?3: the first place; ?4, ?5: the first that does not count. */
#define RANGE " AND (time,id)>=(?2,?3) AND (time,id)<(?4,?5) ORDER BY "

static const char *const sqls[SQLS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_LAST_ID] = "SELECT coalesce(max(id),0) FROM event",
    [SQL_INSERT] = "INSERT INTO event(id,grp,stream,time,ingested,message)"
	" VALUES(?,?,?,?,?,?)",
    [SQL_TOUCH] = "INSERT INTO stream(stream,grp,first,last,ingested,bytes)"
	" VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT(stream) DO UPDATE SET"
	" first=CASE WHEN first<0 THEN ?3 ELSE min(first,?3) END,"
	" last=max(last,?4),ingested=?5,bytes=bytes+?6",
    [SQL_STREAM_UP] = EVENT "INDEXED BY event_stream WHERE stream=?1" RANGE
	"time,id",
    [SQL_STREAM_DOWN] = EVENT "INDEXED BY event_stream WHERE stream=?1" RANGE
	"time DESC,id DESC",
    [SQL_GROUP_UP] = EVENT "INDEXED BY event_group WHERE grp=?1" RANGE
	"time,id",
    [SQL_GROUP_DOWN] = EVENT "INDEXED BY event_group WHERE grp=?1" RANGE
	"time DESC,id DESC",
    [SQL_STATS] = STATS "WHERE stream=?",
    [SQL_STATS_GROUP] = STATS "WHERE grp=?",
    [SQL_STATS_ALL] = STATS,
    [SQL_SHRINK] = "UPDATE stream SET bytes=bytes-?2,first=coalesce("
	"(SELECT min(time) FROM event WHERE stream=?1),first)"
	" WHERE stream=?1",
    [SQL_NO_STREAM] = "DELETE FROM stream WHERE stream=?",
    [SQL_OLD] = "SELECT id,stream,length(message)"
	" FROM event INDEXED BY event_group"
	" WHERE grp=? AND time<? ORDER BY time LIMIT ?",
    [SQL_OF_STREAM] = "SELECT id,stream,length(message)"
	" FROM event INDEXED BY event_stream WHERE stream=?1 LIMIT ?3",
    [SQL_DELETE] = "DELETE FROM event WHERE id=?",
    [SQL_SOURCE_GET] = "SELECT made,segment,offset,part0,time0,part1,time1,"
	"part2,time2 FROM position WHERE name=?",
    [SQL_SOURCE_PUT] = "INSERT INTO position(name,made,segment,offset,"
	"part0,time0,part1,time1,part2,time2)"
	" VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)"
	" ON CONFLICT(name) DO UPDATE SET made=?2,segment=?3,offset=?4,"
	"part0=?5,time0=?6,part1=?7,time1=?8,part2=?9,time2=?10",
    [SQL_SOURCE_DELETE] = "DELETE FROM position WHERE name=?",
    [SQL_SOURCES] = "SELECT name FROM position",
    [SQL_COUNT] = "SELECT count(*),coalesce(sum(bytes),0) FROM stream",
};

struct log_store {
	unsigned magic;
	sqlite3 *db;
	sqlite3_stmt *st[SQLS];
	int64_t last_id;
	bool in_txn;
	bool firm;   /* the transaction must be on the disk when it ends */
	bool broken; /* a write in it failed: it must not be committed */
};

static int
fail(struct log_store *l, const char *doing)
{
	int err = sqlite3_errcode(l->db) == SQLITE_FULL ? ENOSPC : EIO;

	if (sqlite3_errcode(l->db) == SQLITE_NOMEM)
		WRONG("SQLite is out of memory");
	l->broken = l->in_txn;
	return err_origin(err, "logs.db: %s: %s", doing,
	    sqlite3_errmsg(l->db));
}

/* 1: a row; 0: done; negative: error. */
static int
step(struct log_store *l, sqlite3_stmt *st)
{
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	}
	return fail(l, sqlite3_sql(st));
}

/* Runs a statement that returns nothing. */
static int
run(struct log_store *l, sqlite3_stmt *st)
{
	int r = step(l, st);

	store_end(st);
	return r < 0 ? err_trace(r) : 0;
}

static int
begin(struct log_store *l, bool firm)
{
	int r;

	CHECK_OBJ(l, LOGS_MAGIC);
	/* SQLite may have ended it: what came now would commit by itself. */
	if (l->broken)
		return err_origin(EIO, "logs.db: the turn is lost");
	if (!l->in_txn && (r = run(l, l->st[SQL_BEGIN])) < 0)
		return err_trace(r);
	l->in_txn = true;
	l->firm |= firm;
	return 0;
}

/* Opening */

static int
prepare(struct log_store *l)
{
	for (size_t i = 0; i < SQLS; i++)
		if (sqlite3_prepare_v3(l->db, sqls[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &l->st[i], NULL) != SQLITE_OK)
			return fail(l, sqls[i]);
	return 0;
}

static void
log_store_close_p(struct log_store **l)
{
	log_store_close(*l);
}

int
log_store_open(const char *path, struct log_store **ret)
{
	_cleanup_(log_store_close_p) struct log_store *l = NULL;
	_cleanup_free_ char *file = xasprintf("%s/logs.db", path);
	int r;

	ALLOC_OBJ(l, LOGS_MAGIC);
	if (sqlite3_open_v2(file, &l->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fail(l, file);
	sqlite3_busy_timeout(l->db, 5000);
	/* NORMAL: a commit does not wait for the disk; log_sync() does. */
	if (sqlite3_exec(l->db, "PRAGMA journal_mode=WAL;"
	    "PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"
	    "PRAGMA cache_size=-4000;PRAGMA journal_size_limit=33554432;"
	    "PRAGMA wal_autocheckpoint=4000",
	    NULL, NULL, NULL) != SQLITE_OK)
		return fail(l, "settings");
	if (store_schema(l->db, VERSION, schema) != SQLITE_OK)
		return fail(l, "schema");
	if ((r = prepare(l)) < 0 || (r = step(l, l->st[SQL_LAST_ID])) < 0)
		return err_trace(r);
	l->last_id = sqlite3_column_int64(l->st[SQL_LAST_ID], 0);
	store_end(l->st[SQL_LAST_ID]);
	*ret = TAKE_PTR(l);
	return 0;
}

void
log_store_close(struct log_store *l)
{
	if (!l)
		return;
	CHECK_OBJ(l, LOGS_MAGIC);
	for (size_t i = 0; i < SQLS; i++)
		sqlite3_finalize(l->st[i]);
	sqlite3_close(l->db);
	FREE_OBJ(l);
}

/* The turn */

bool
log_store_dirty(const struct log_store *l)
{
	return l->in_txn;
}

bool
log_store_firm(const struct log_store *l)
{
	return l->firm;
}

int
log_sync(struct log_store *l)
{
	sqlite3_file *f = NULL;

	CHECK_OBJ(l, LOGS_MAGIC);
	/* What synchronous=FULL does after each commit: the log to the disk. */
	if (sqlite3_file_control(l->db, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &f) != SQLITE_OK)
		return fail(l, "journal");
	if (f && f->pMethods &&
	    f->pMethods->xSync(f, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return err_origin(EIO, "logs.db: cannot be synced");
	return 0;
}

int
log_store_commit(struct log_store *l)
{
	bool firm = l->firm, broken = l->broken;
	int r;

	CHECK_OBJ(l, LOGS_MAGIC);
	if (!l->in_txn)
		return 0;
	l->in_txn = l->firm = l->broken = false;
	/* SQLite undoes a transaction by itself on a full disk. */
	if (broken || sqlite3_get_autocommit(l->db))
		r = err_origin(EIO, "logs.db: the turn's events are undone");
	else
		r = run(l, l->st[SQL_COMMIT]);
	if (r < 0) {
		if (!sqlite3_get_autocommit(l->db) && sqlite3_exec(l->db,
		    "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
			WRONG("a failed transaction cannot be undone");
		return err_trace(r);
	}
	return firm ? err_trace(log_sync(l)) : 0;
}

int
log_store_wipe(struct log_store *l)
{
	int r = begin(l, true);

	if (r < 0)
		return err_trace(r);
	if (sqlite3_exec(l->db, "DELETE FROM event;DELETE FROM stream;"
	    "DELETE FROM position", NULL, NULL, NULL) != SQLITE_OK)
		return fail(l, "wipe");
	return 0;
}

/* Events */

int
log_append(struct log_store *l, int64_t group, int64_t stream,
    const struct log_event *v, size_t n, int64_t now, bool firm)
{
	int64_t first = INT64_MAX, last = INT64_MIN, bytes = 0;
	sqlite3_stmt *st = l->st[SQL_INSERT];
	int r;

	if (n == 0)
		return 0;
	if ((r = begin(l, firm)) < 0)
		return err_trace(r);
	for (size_t i = 0; i < n; i++) {
		store_bind_int(st, 1, ++l->last_id);
		store_bind_int(st, 2, group);
		store_bind_int(st, 3, stream);
		store_bind_int(st, 4, v[i].time);
		store_bind_int(st, 5, now);
		/* The caller's memory stays until the statement ran. */
		AZ(sqlite3_bind_blob64(st, 6, v[i].message.p ?
		    v[i].message.p : "", v[i].message.n, SQLITE_STATIC));
		if ((r = run(l, st)) < 0)
			return err_trace(r);
		first = MIN(first, v[i].time);
		last = MAX(last, v[i].time);
		bytes += (int64_t)v[i].message.n + LOG_EVENT_OVERHEAD;
	}
	st = l->st[SQL_TOUCH];
	store_bind_int(st, 1, stream);
	store_bind_int(st, 2, group);
	store_bind_int(st, 3, first);
	store_bind_int(st, 4, last);
	store_bind_int(st, 5, now);
	store_bind_int(st, 6, bytes);
	return err_trace(run(l, st));
}

int
log_scan(struct log_store *l, const struct log_query *q,
    bool (*fn)(void *ctx, const struct log_event *e), void *ctx)
{
	enum sql which = q->stream ?
	    (q->backward ? SQL_STREAM_DOWN : SQL_STREAM_UP) :
	    (q->backward ? SQL_GROUP_DOWN : SQL_GROUP_UP);
	_cleanup_stmt_ sqlite3_stmt *st = l->st[which];
	int r;

	CHECK_OBJ(l, LOGS_MAGIC);
	store_bind_int(st, 1, q->stream ? q->stream : q->group);
	store_bind_int(st, 2, q->from.time);
	store_bind_int(st, 3, q->from.id);
	store_bind_int(st, 4, q->to.time);
	store_bind_int(st, 5, q->to.id);
	while ((r = step(l, st)) == 1) {
		struct log_event e = {
		    .id = sqlite3_column_int64(st, 0),
		    .stream = sqlite3_column_int64(st, 1),
		    .time = sqlite3_column_int64(st, 2),
		    .ingested = sqlite3_column_int64(st, 3),
		    .message.p = sqlite3_column_blob(st, 4),
		};

		e.message.n = (size_t)sqlite3_column_bytes(st, 4);
		if (!fn(ctx, &e))
			return 0;
	}
	return err_trace(r);
}

/* Statistics */

static void
read_stats(sqlite3_stmt *st, struct log_stats *ret)
{
	*ret = (struct log_stats){
	    .stream = sqlite3_column_int64(st, 0),
	    .group = sqlite3_column_int64(st, 1),
	    .first = sqlite3_column_int64(st, 2),
	    .last = sqlite3_column_int64(st, 3),
	    .ingested = sqlite3_column_int64(st, 4),
	    .bytes = sqlite3_column_int64(st, 5),
	};
}

int
log_stats(struct log_store *l, int64_t stream, struct log_stats *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = l->st[SQL_STATS];
	int r;

	store_bind_int(st, 1, stream);
	if ((r = step(l, st)) < 0)
		return err_trace(r);
	if (r == 1)
		read_stats(st, ret);
	else
		*ret = (struct log_stats){.stream = stream, .first = -1,
		    .last = -1};
	return 0;
}

int
log_stats_each(struct log_store *l, int64_t group,
    void (*fn)(void *ctx, const struct log_stats *s), void *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *st =
	    l->st[group ? SQL_STATS_GROUP : SQL_STATS_ALL];
	struct log_stats s;
	int r;

	if (group)
		store_bind_int(st, 1, group);
	while ((r = step(l, st)) == 1) {
		read_stats(st, &s);
		fn(ctx, &s);
	}
	return err_trace(r);
}

/* Deleting */

/* One event that goes. */
struct victim {
	int64_t id;
	int64_t stream;
	int64_t bytes;
};

static int
victims(struct log_store *l, sqlite3_stmt *st, size_t max, struct victim *v,
    size_t *ret_n)
{
	size_t n = 0;
	int r;

	store_bind_int(st, 3, (int64_t)max);
	while ((r = step(l, st)) == 1 && n < max)
		v[n++] = (struct victim){sqlite3_column_int64(st, 0),
		    sqlite3_column_int64(st, 1),
		    sqlite3_column_int64(st, 2) + LOG_EVENT_OVERHEAD};
	store_end(st);
	if (r < 0)
		return err_trace(r);
	*ret_n = n;
	return 0;
}

static int
shrink(struct log_store *l, int64_t stream, int64_t bytes)
{
	store_bind_int(l->st[SQL_SHRINK], 1, stream);
	store_bind_int(l->st[SQL_SHRINK], 2, bytes);
	return err_trace(run(l, l->st[SQL_SHRINK]));
}

static int
by_stream(const void *a, const void *b)
{
	const struct victim *x = a, *y = b;

	return (x->stream > y->stream) - (x->stream < y->stream);
}

static int
delete(struct log_store *l, struct victim *v, size_t n)
{
	int64_t bytes = 0;
	int r;

	if (n == 0)
		return 0;
	if ((r = begin(l, false)) < 0)
		return err_trace(r);
	for (size_t i = 0; i < n; i++) {
		store_bind_int(l->st[SQL_DELETE], 1, v[i].id);
		if ((r = run(l, l->st[SQL_DELETE])) < 0)
			return err_trace(r);
	}
	qsort(v, n, sizeof(*v), by_stream);
	for (size_t i = 0; i < n; i++) {
		bytes += v[i].bytes;
		if (i + 1 < n && v[i + 1].stream == v[i].stream)
			continue;
		if ((r = shrink(l, v[i].stream, bytes)) < 0)
			return err_trace(r);
		bytes = 0;
	}
	return 0;
}

int
log_delete_before(struct log_store *l, int64_t group, int64_t time,
    size_t max, size_t *ret_n)
{
	_cleanup_free_ struct victim *v = xcalloc(max, sizeof(*v));
	sqlite3_stmt *st = l->st[SQL_OLD];
	int r;

	CHECK_OBJ(l, LOGS_MAGIC);
	store_bind_int(st, 1, group);
	store_bind_int(st, 2, time);
	if ((r = victims(l, st, max, v, ret_n)) < 0)
		return err_trace(r);
	return err_trace(delete(l, v, *ret_n));
}

int
log_delete_stream(struct log_store *l, int64_t stream, size_t max,
    size_t *ret_n)
{
	_cleanup_free_ struct victim *v = xcalloc(max, sizeof(*v));
	sqlite3_stmt *st = l->st[SQL_OF_STREAM];
	int r;

	CHECK_OBJ(l, LOGS_MAGIC);
	store_bind_int(st, 1, stream);
	if ((r = victims(l, st, max, v, ret_n)) < 0 ||
	    (r = delete(l, v, *ret_n)) < 0)
		return err_trace(r);
	if (*ret_n == max)
		return 0;
	if ((r = begin(l, false)) < 0)
		return err_trace(r);
	store_bind_int(l->st[SQL_NO_STREAM], 1, stream);
	return err_trace(run(l, l->st[SQL_NO_STREAM]));
}

/* Sources */

int
log_source_get(struct log_store *l, struct arena *a, struct span name,
    struct log_source *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st = l->st[SQL_SOURCE_GET];
	int r;

	CHECK_OBJ(l, LOGS_MAGIC);
	store_bind_span(st, 1, name);
	if ((r = step(l, st)) < 0)
		return err_trace(r);
	if (r == 0)
		return LOG_E_NOT_FOUND;
	*ret = (struct log_source){.made = sqlite3_column_int64(st, 0),
	    .segment = sqlite3_column_int64(st, 1),
	    .offset = sqlite3_column_int64(st, 2)};
	for (int i = 0; i < LOG_PARTS; i++) {
		const char *p = sqlite3_column_blob(st, 3 + 2 * i);

		ret->part[i] = arena_span(a, span_make(p,
		    (size_t)sqlite3_column_bytes(st, 3 + 2 * i)));
		ret->part_time[i] = sqlite3_column_int64(st, 4 + 2 * i);
	}
	return 0;
}

int
log_source_put(struct log_store *l, struct span name,
    const struct log_source *s)
{
	sqlite3_stmt *st = l->st[SQL_SOURCE_PUT];
	int r = begin(l, false);

	if (r < 0)
		return err_trace(r);
	store_bind_span(st, 1, name);
	store_bind_int(st, 2, s->made);
	store_bind_int(st, 3, s->segment);
	store_bind_int(st, 4, s->offset);
	for (int i = 0; i < LOG_PARTS; i++) {
		/* NULL where there is none: the usual case stays small. */
		if (s->part[i].n)
			AZ(sqlite3_bind_blob64(st, 5 + 2 * i, s->part[i].p,
			    s->part[i].n, SQLITE_STATIC));
		store_bind_int(st, 6 + 2 * i, s->part_time[i]);
	}
	return err_trace(run(l, st));
}

int
log_source_delete(struct log_store *l, struct span name)
{
	int r = begin(l, false);

	if (r < 0)
		return err_trace(r);
	store_bind_span(l->st[SQL_SOURCE_DELETE], 1, name);
	return err_trace(run(l, l->st[SQL_SOURCE_DELETE]));
}

int
log_source_each(struct log_store *l, void (*fn)(void *ctx, struct span name),
    void *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *st = l->st[SQL_SOURCES];
	int r;

	while ((r = step(l, st)) == 1)
		fn(ctx, span_make((const char *)sqlite3_column_text(st, 0),
		    (size_t)sqlite3_column_bytes(st, 0)));
	return err_trace(r);
}

int
log_dump(struct log_store *l, struct buf *b)
{
	_cleanup_stmt_ sqlite3_stmt *st = l->st[SQL_COUNT];
	int r = step(l, st);

	if (r < 0)
		return err_trace(r);
	buf_addf(b, "{\"class\":\"logs\",\"streams\":%lld,\"bytes\":%lld,"
	    "\"lastId\":%lld}\n", sqlite3_column_int64(st, 0),
	    sqlite3_column_int64(st, 1), (long long)l->last_id);
	return 0;
}
