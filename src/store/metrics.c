/* Metrics: metrics.db and its statements. */
#include <errno.h>

#include "store/metrics.h"
#include "store/store-internal.h"

#define METRICS_MAGIC 0x4d455452
#define VERSION	      1

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS metric("
    " id INTEGER PRIMARY KEY,"
    " account TEXT NOT NULL,"
    " region TEXT NOT NULL,"
    " space TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " dimensions TEXT NOT NULL);"
    "CREATE UNIQUE INDEX IF NOT EXISTS metric_name ON"
    " metric(account,region,space,name,dimensions);"
    "CREATE TABLE IF NOT EXISTS point("
    " metric INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " sum REAL NOT NULL,"
    " count REAL NOT NULL,"
    " min REAL NOT NULL,"
    " max REAL NOT NULL,"
    " PRIMARY KEY(metric,time)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS point_time ON point(time);";

enum sql {
	SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_NAME, SQL_PUT, SQL_GET,
	SQL_OLD, SQL_EMPTY,
	SQLS
};

/* ?1 to ?5 name a metric. */
#define NAMED "account=?1 AND region=?2 AND space=?3 AND name=?4" \
	" AND dimensions=?5"

static const char *const sqls[SQLS] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_NAME] = "INSERT OR IGNORE INTO metric(account,region,space,name,"
	"dimensions) VALUES(?1,?2,?3,?4,?5)",
    [SQL_PUT] = "INSERT OR REPLACE INTO point(metric,time,sum,count,min,max)"
	" SELECT id,?6,?7,?8,?9,?10 FROM metric WHERE " NAMED,
    [SQL_GET] = "SELECT time,sum,count,min,max FROM point WHERE metric="
	"(SELECT id FROM metric WHERE " NAMED ") AND time>=?6"
	" ORDER BY time DESC LIMIT ?7",
    [SQL_OLD] = "DELETE FROM point WHERE time<?",
    [SQL_EMPTY] = "DELETE FROM metric WHERE NOT EXISTS"
	"(SELECT 1 FROM point WHERE metric=id)",
};

struct metric_store {
	unsigned magic;
	sqlite3 *db;
	sqlite3_stmt *st[SQLS];
};

static int
fail(struct metric_store *m, const char *doing)
{
	int err = sqlite3_errcode(m->db) == SQLITE_FULL ? ENOSPC : EIO;

	if (sqlite3_errcode(m->db) == SQLITE_NOMEM)
		WRONG("SQLite is out of memory");
	return err_origin(err, "metrics.db: %s: %s", doing,
	    sqlite3_errmsg(m->db));
}

/* 1: a row; 0: done; negative: error. */
static int
step(struct metric_store *m, enum sql which)
{
	switch (sqlite3_step(m->st[which])) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	}
	return fail(m, sqls[which]);
}

static int
run(struct metric_store *m, enum sql which)
{
	int r = step(m, which);

	store_end(m->st[which]);
	return r < 0 ? err_trace(r) : 0;
}

static void
close_p_store(struct metric_store **m)
{
	metric_store_close(*m);
}

int
metric_store_open(const char *path, struct metric_store **ret)
{
	_cleanup_(close_p_store) struct metric_store *m = NULL;
	_cleanup_free_ char *file = xasprintf("%s/metrics.db", path);

	ALLOC_OBJ(m, METRICS_MAGIC);
	if (sqlite3_open_v2(file, &m->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fail(m, file);
	sqlite3_busy_timeout(m->db, 5000);
	/* NORMAL: a commit does not wait for the disk. */
	if (sqlite3_exec(m->db, "PRAGMA journal_mode=WAL;"
	    "PRAGMA synchronous=NORMAL;PRAGMA temp_store=MEMORY;"
	    "PRAGMA cache_size=-500;PRAGMA journal_size_limit=4194304",
	    NULL, NULL, NULL) != SQLITE_OK)
		return fail(m, "settings");
	if (store_schema(m->db, VERSION, schema) != SQLITE_OK)
		return fail(m, "schema");
	for (size_t i = 0; i < SQLS; i++)
		if (sqlite3_prepare_v3(m->db, sqls[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &m->st[i], NULL) != SQLITE_OK)
			return fail(m, sqls[i]);
	*ret = TAKE_PTR(m);
	return 0;
}

void
metric_store_close(struct metric_store *m)
{
	if (!m)
		return;
	CHECK_OBJ(m, METRICS_MAGIC);
	for (size_t i = 0; i < SQLS; i++)
		sqlite3_finalize(m->st[i]);
	sqlite3_close(m->db);
	FREE_OBJ(m);
}

int
metric_store_wipe(struct metric_store *m)
{
	CHECK_OBJ(m, METRICS_MAGIC);
	if (sqlite3_exec(m->db, "DELETE FROM point;DELETE FROM metric", NULL,
	    NULL, NULL) != SQLITE_OK)
		return fail(m, "wipe");
	return 0;
}

static void
bind_name(sqlite3_stmt *st, const struct metric *k)
{
	const struct span v[] = {k->scope.account, k->scope.region, k->space,
		k->name, k->dimensions};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		store_bind_span(st, (int)i + 1, v[i]);
}

static int
put_one(struct metric_store *m, const struct metric_sample *s)
{
	const double v[] = {s->point.sum, s->point.count, s->point.min,
		s->point.max};
	sqlite3_stmt *st = m->st[SQL_PUT];
	int r;

	bind_name(m->st[SQL_NAME], &s->metric);
	if ((r = run(m, SQL_NAME)))
		return err_trace(r);
	bind_name(st, &s->metric);
	store_bind_int(st, 6, s->point.time);
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		AZ(sqlite3_bind_double(st, (int)i + 7, v[i]));
	return err_trace(run(m, SQL_PUT));
}

/* Ends what was begun.  SQLite undoes a transaction by itself on a full disk. */
static int
end(struct metric_store *m, int r)
{
	if (r == 0)
		r = run(m, SQL_COMMIT);
	if (r && !sqlite3_get_autocommit(m->db) && run(m, SQL_ROLLBACK))
		WRONG("a failed transaction cannot be undone");
	return err_trace(r);
}

int
metric_put(struct metric_store *m, const struct metric_sample *v, size_t n)
{
	int r;

	CHECK_OBJ(m, METRICS_MAGIC);
	if (n == 0)
		return 0;
	if ((r = run(m, SQL_BEGIN)))
		return err_trace(r);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = put_one(m, &v[i]);
	return err_trace(end(m, r));
}

int
metric_get(struct metric_store *m, struct arena *a, const struct metric *k,
    int64_t from, size_t limit, struct metric_point **ret, size_t *ret_n)
{
	_cleanup_stmt_ sqlite3_stmt *st = m->st[SQL_GET];
	struct metric_point *v = arena_array(a, struct metric_point, limit);
	size_t n = 0;
	int r;

	CHECK_OBJ(m, METRICS_MAGIC);
	bind_name(st, k);
	store_bind_int(st, 6, from);
	store_bind_int(st, 7, (int64_t)limit);
	while ((r = step(m, SQL_GET)) == 1)
		v[n++] = (struct metric_point){
		    .time = sqlite3_column_int64(st, 0),
		    .sum = sqlite3_column_double(st, 1),
		    .count = sqlite3_column_double(st, 2),
		    .min = sqlite3_column_double(st, 3),
		    .max = sqlite3_column_double(st, 4),
		};
	*ret = v;
	*ret_n = n;
	return err_trace(r);
}

int
metric_drop_before(struct metric_store *m, int64_t time)
{
	int r;

	CHECK_OBJ(m, METRICS_MAGIC);
	if ((r = run(m, SQL_BEGIN)))
		return err_trace(r);
	store_bind_int(m->st[SQL_OLD], 1, time);
	if ((r = run(m, SQL_OLD)) == 0)
		r = run(m, SQL_EMPTY);
	return err_trace(end(m, r));
}
