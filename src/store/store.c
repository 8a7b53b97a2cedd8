/* The store's frame: opening, statements, transactions, the commit feed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "store/migrations.h"
#include "store/store-internal.h"

/* An SQLite failure as a negative error. */
static int
fail(struct store *s, const char *doing)
{
	int err = EIO;

	switch (sqlite3_errcode(s->db)) {
	case SQLITE_FULL:
		err = ENOSPC;
		break;
	case SQLITE_READONLY:
		err = EROFS;
		break;
	case SQLITE_NOMEM:
		WRONG("SQLite is out of memory");
	}
	return err_origin(err, "%s: %s", doing, sqlite3_errmsg(s->db));
}

/* Statements */

sqlite3_stmt *
store_stmt(struct store *s, const char *sql)
{
	struct statement *t;

	CHECK_OBJ(s, STORE_MAGIC);
	HASH_FIND_STR(s->statements, sql, t);
	if (t)
		return t->stmt;
	t = xcalloc(1, sizeof(*t));
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	    &t->stmt, NULL) != SQLITE_OK) {
		fail(s, sql);
		free(t);
		return NULL;
	}
	t->sql = xstrdup(sql);
	HASH_ADD_KEYPTR(hh, s->statements, t->sql, strlen(t->sql), t);
	return t->stmt;
}

static int
on_version(void *ctx, int n UNUSED, char **v, char **names UNUSED)
{
	*(int *)ctx = (int)strtol(v[0], NULL, 10);
	return 0;
}

int
store_schema(sqlite3 *db, int version, const char *schema)
{
	_cleanup_free_ char *sql = xasprintf("BEGIN;%s"
	    "PRAGMA user_version=%d;COMMIT", schema, version);
	int is = 0, r = sqlite3_exec(db, "PRAGMA user_version", on_version, &is,
	    NULL);

	if (r != SQLITE_OK || is == version)
		return r;
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

void
store_end(sqlite3_stmt *st)
{
	if (!st)
		return;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

void
store_end_p(sqlite3_stmt **st)
{
	store_end(*st);
}

void
store_bind_span(sqlite3_stmt *st, int i, struct span v)
{
	AZ(sqlite3_bind_text64(st, i, v.p ? v.p : "", v.n, SQLITE_TRANSIENT,
	    SQLITE_UTF8));
}

void
store_bind_int(sqlite3_stmt *st, int i, int64_t v)
{
	AZ(sqlite3_bind_int64(st, i, v));
}

/* All reads of a turn share one transaction, as its writes do: SQLite takes
 * and gives back its locks once and not with every statement. */
static int
begin_read(struct store *s)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s, "BEGIN");

	if (!st || store_run(s, st) != 0)
		return -EIO;
	s->reading = true;
	return 0;
}

void
store_rest(struct store *s)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;

	if (!s->reading)
		return;
	s->reading = false;
	st = store_stmt(s, "COMMIT");
	AN(st && store_run(s, st) == 0);
}

int
store_step(struct store *s, sqlite3_stmt *st)
{
	if (s->is_open && !s->in_txn && !s->reading && begin_read(s) < 0)
		return -EIO;
	switch (sqlite3_step(st)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	}
	return fail(s, sqlite3_sql(st));
}

int
store_run(struct store *s, sqlite3_stmt *st)
{
	int r = sqlite3_step(st);

	if (r == SQLITE_DONE)
		return 0;
	if (sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_UNIQUE ||
	    sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_PRIMARYKEY)
		return STORE_E_EXISTS;
	return fail(s, sqlite3_sql(st));
}

struct span
store_col(struct arena *a, sqlite3_stmt *st, int i)
{
	const char *p = (const char *)sqlite3_column_text(st, i);

	return arena_span(a, span_make(p,
	    (size_t)sqlite3_column_bytes(st, i)));
}

int
store_exec(struct store *s, const char *sql)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(s, sql);
	return 0;
}

/* Opening */

static int
lock(const char *path, int *ret_fd)
{
	_cleanup_free_ char *name = xasprintf("%s/lock", path);
	_cleanup_close_ int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_origin(errno, "open %s", name);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return err_origin(errno, "%s: another neargated runs here",
		    path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
user_version(struct store *s, int64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *st =
	    store_stmt(s, "PRAGMA user_version");
	int r = st ? store_step(s, st) : -EIO;

	if (r != 1)
		return r < 0 ? err_trace(r) : err_fold(1);
	*ret = sqlite3_column_int64(st, 0);
	return 0;
}

static int
migrate(struct store *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	int64_t at = 0;
	int r = user_version(s, &at);

	if (r < 0)
		return err_trace(r);
	for (int64_t i = 0; store_migrations[i]; i++) {
		if (i < at)
			continue;
		buf_clear(&b);
		buf_addf(&b, "BEGIN;%s;PRAGMA user_version=%d;COMMIT",
		    store_migrations[i], (int)i + 1);
		if ((r = store_exec(s, buf_str(&b))) < 0)
			return err_trace(r);
	}
	return 0;
}

static int
register_kind(struct store *s, struct kind_entry *e)
{
	_cleanup_stmt_ sqlite3_stmt *ins =
	    store_stmt(s, "INSERT OR IGNORE INTO kind(name) VALUES(?)");
	_cleanup_stmt_ sqlite3_stmt *get =
	    store_stmt(s, "SELECT kind FROM kind WHERE name=?");
	int r;

	if (!ins || !get)
		return -EIO;
	store_bind_span(ins, 1, span_of(e->kind->name));
	if ((r = store_run(s, ins)) != 0)
		return err_fold(r);
	store_bind_span(get, 1, span_of(e->kind->name));
	if ((r = store_step(s, get)) != 1)
		return r < 0 ? err_trace(r) : err_fold(1);
	e->id = sqlite3_column_int64(get, 0);
	HASH_ADD_KEYPTR(hh, s->kinds, e->kind->name, strlen(e->kind->name), e);
	return 0;
}

/* So that reading a resource needs no look into the table of kinds. */
static void
index_kinds(struct store *s)
{
	for (size_t i = 0; i < s->n_kinds; i++)
		s->kind_max = MAX(s->kind_max, s->kind_v[i].id);
	s->kind_of = xcalloc((size_t)s->kind_max + 1, sizeof(*s->kind_of));
	for (size_t i = 0; i < s->n_kinds; i++)
		s->kind_of[s->kind_v[i].id] = s->kind_v[i].kind;
}

static int
register_kinds(struct store *s, const struct kind *const *kinds)
{
	size_t n = 0;
	int r;

	while (kinds[n])
		n++;
	s->kind_v = xcalloc(n, sizeof(*s->kind_v));
	s->n_kinds = n;
	if ((r = store_exec(s, "BEGIN")) < 0)
		return err_trace(r);
	for (size_t i = 0; i < n; i++) {
		s->kind_v[i].kind = kinds[i];
		if ((r = register_kind(s, &s->kind_v[i])) < 0)
			return err_trace(r);
	}
	index_kinds(s);
	return err_trace(store_exec(s, "COMMIT"));
}

static void
store_close_p(struct store **s)
{
	store_close(*s);
}

int
store_open(const char *path, const struct kind *const *kinds,
    struct store **ret)
{
	_cleanup_free_ char *file = xasprintf("%s/state.db", path);
	_cleanup_(store_close_p) struct store *s = NULL;
	int r;

	ALLOC_OBJ(s, STORE_MAGIC);
	s->lock_fd = -1;
	s->turn = arena_new();
	if ((r = lock(path, &s->lock_fd)) < 0)
		return err_trace(r);
	if (sqlite3_open_v2(file, &s->db, SQLITE_OPEN_READWRITE |
	    SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fail(s, file);
	/* Statements take their small memory here instead of malloc(); without
	 * it they are slower, and nothing else. */
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 1200,
	    400);
	sqlite3_extended_result_codes(s->db, 0);
	sqlite3_busy_timeout(s->db, 5000);
	if ((r = store_exec(s, "PRAGMA journal_mode=WAL;"
	    "PRAGMA synchronous=FULL;PRAGMA temp_store=MEMORY;"
	    "PRAGMA cache_size=-4000")) < 0)
		return err_trace(r);
	if ((r = migrate(s)) < 0 || (r = register_kinds(s, kinds)) < 0 ||
	    (r = log_store_open(path, &s->logs)) < 0 ||
	    (r = metric_store_open(path, &s->metrics)) < 0 ||
	    (r = root_key_open(s, path)) < 0)
		return err_trace(r);
	s->is_open = true;
	store_commit(s); /* the root key's check */
	*ret = TAKE_PTR(s);
	return 0;
}

void
store_close(struct store *s)
{
	struct statement *t, *next;

	if (!s)
		return;
	CHECK_OBJ(s, STORE_MAGIC);
	if (s->in_txn || (s->logs && log_store_dirty(s->logs)))
		store_commit(s);
	log_store_close(s->logs);
	metric_store_close(s->metrics);
	HASH_ITER (hh, s->statements, t, next) {
		HASH_DEL(s->statements, t);
		sqlite3_finalize(t->stmt);
		free(t->sql);
		free(t);
	}
	HASH_CLEAR(hh, s->kinds);
	free(s->kind_v);
	free(s->kind_of);
	sqlite3_close(s->db);
	root_key_close(s);
	close_p(&s->lock_fd);
	arena_free(s->turn);
	free(s->changes);
	free(s->waiters);
	free(s->subs);
	FREE_OBJ(s);
}

int
store_wipe(struct store *s)
{
	int r;

	AZ(s->depth);
	if ((r = store_begin_write(s)) < 0)
		return err_trace(r);
	s->n_changes = 0;
	if ((r = store_exec(s, "DELETE FROM resource;"
	    "DELETE FROM lookup;DELETE FROM tag;DELETE FROM counter")) < 0)
		return err_trace(r);
	if ((r = log_store_wipe(s->logs)) < 0)
		return err_trace(r);
	return err_trace(metric_store_wipe(s->metrics));
}

struct log_store *
store_logs(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return s->logs;
}

struct metric_store *
store_metrics(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	return s->metrics;
}

const struct kind *
store_kind(struct store *s, struct span name)
{
	struct kind_entry *e;

	HASH_FIND(hh, s->kinds, name.p, name.n, e);
	return e ? e->kind : NULL;
}

int64_t
store_kind_id(struct store *s, const struct kind *k)
{
	struct kind_entry *e;

	HASH_FIND_STR(s->kinds, k->name, e);
	AN(e);
	return e->id;
}

/* Transactions.  A savepoint becomes one of SQLite's only when something is
 * written inside it, so that reads cost nothing. */

int
store_begin_write(struct store *s)
{
	static const char *const names[SAVEPOINT_MAX] = {
	    "SAVEPOINT a", "SAVEPOINT b", "SAVEPOINT c", "SAVEPOINT d",
	    "SAVEPOINT e", "SAVEPOINT f", "SAVEPOINT g", "SAVEPOINT h",
	};
	int r;

	CHECK_OBJ(s, STORE_MAGIC);
	/* SQLite has undone it all: what came now would commit by itself. */
	if (s->in_txn && sqlite3_get_autocommit(s->db))
		return err_origin(ENOSPC, "the turn's writes are lost");
	if (!s->in_txn) {
		_cleanup_stmt_ sqlite3_stmt *st =
		    store_stmt(s, "BEGIN IMMEDIATE");

		store_rest(s);
		if (!st || (r = store_run(s, st)) != 0)
			return -EIO;
		s->in_txn = true;
		s->writes = 0;
	}
	while (s->opened < s->depth) {
		_cleanup_stmt_ sqlite3_stmt *st =
		    store_stmt(s, names[s->opened]);

		if (!st || (r = store_run(s, st)) != 0)
			return -EIO;
		s->opened++;
	}
	s->writes++;
	return 0;
}

int
store_savepoint(struct store *s)
{
	CHECK_OBJ(s, STORE_MAGIC);
	AN(s->depth < SAVEPOINT_MAX);
	s->sp[s->depth].n_changes = s->n_changes;
	s->sp[s->depth].writes = s->in_txn ? s->writes : 0;
	s->depth++;
	return 0;
}

static void
run_savepoint(struct store *s, const char *sql)
{
	_cleanup_stmt_ sqlite3_stmt *st = store_stmt(s, sql);

	if (!st || store_run(s, st) != 0)
		WRONG("a savepoint cannot be ended");
}

/* Every statement is prepared once: this is on the way of each write. */
static void
end_savepoint(struct store *s, bool undo)
{
	static const struct {
		const char *undo;
		const char *release;
	} sql[SAVEPOINT_MAX] = {
	    {"ROLLBACK TO a", "RELEASE a"}, {"ROLLBACK TO b", "RELEASE b"},
	    {"ROLLBACK TO c", "RELEASE c"}, {"ROLLBACK TO d", "RELEASE d"},
	    {"ROLLBACK TO e", "RELEASE e"}, {"ROLLBACK TO f", "RELEASE f"},
	    {"ROLLBACK TO g", "RELEASE g"}, {"ROLLBACK TO h", "RELEASE h"},
	};

	s->opened--;
	/* SQLite undoes the whole transaction by itself on a full disk. */
	if (sqlite3_get_autocommit(s->db))
		return;
	if (undo)
		run_savepoint(s, sql[s->opened].undo);
	run_savepoint(s, sql[s->opened].release);
}

void
store_release(struct store *s)
{
	AN(s->depth > 0);
	if (s->opened == s->depth)
		end_savepoint(s, false);
	s->depth--;
}

void
store_rollback(struct store *s)
{
	struct savepoint *sp;

	AN(s->depth > 0);
	if (s->opened == s->depth)
		end_savepoint(s, true);
	s->depth--;
	sp = &s->sp[s->depth];
	s->n_changes = sp->n_changes;
	s->writes = sp->writes;
}

bool
store_dirty(const struct store *s)
{
	return (s->in_txn && s->writes > 0) || log_store_firm(s->logs);
}

bool
store_owes(const struct store *s)
{
	return store_dirty(s) || s->n_waiters > 0;
}

static bool
same_change(const struct change *a, const struct change *b)
{
	return a->row == b->row && a->kind == b->kind;
}

/* Folds all notes about one resource into the first one. */
static size_t
coalesce(struct change_note *v, size_t n)
{
	size_t out = 0, j;

	for (size_t i = 0; i < n; i++) {
		/* Turns are short; the newest entries match most often. */
		for (j = out; j > 0; j--)
			if (same_change(&v[j - 1].c, &v[i].c))
				break;
		if (j == 0) {
			v[out++] = v[i];
			continue;
		}
		v[j - 1].c.inserted |= v[i].c.inserted;
		v[j - 1].c.deleted |= v[i].c.deleted;
		v[j - 1].c.spec |= v[i].c.spec;
		v[j - 1].c.status |= v[i].c.status;
	}
	return out;
}

static void
tell(struct store *s, struct change_note *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < s->n_subs; j++)
			if (!s->subs[j].kind || s->subs[j].kind == v[i].c.kind)
				s->subs[j].fn(s->subs[j].ctx, &v[i].c);
}

/* Both databases, log events first: when either fails, the resources are as
 * they were, so that what was not acknowledged is not half there. */
static int
commit(struct store *s)
{
	_cleanup_stmt_ sqlite3_stmt *st = NULL;
	int r = log_store_commit(s->logs);

	if (!s->in_txn)
		return err_trace(r);
	if (r == 0 && sqlite3_get_autocommit(s->db))
		return -ENOSPC;
	if (r == 0) {
		st = store_stmt(s, "COMMIT");
		r = st ? store_run(s, st) : -EIO;
	}
	if (r == 0)
		return 0;
	if (!sqlite3_get_autocommit(s->db) && store_exec(s, "ROLLBACK") < 0)
		WRONG("a failed transaction cannot be undone");
	return r < 0 ? r : -EIO;
}

void
store_commit(struct store *s)
{
	_cleanup_arena_ struct arena *turn = NULL;
	_cleanup_free_ struct change_note *changes = NULL;
	_cleanup_free_ struct waiter *waiters = NULL;
	size_t n_changes, n_waiters;
	int r;

	CHECK_OBJ(s, STORE_MAGIC);
	AZ(s->depth);
	store_rest(s);
	if (!s->in_txn && s->n_waiters == 0 && !log_store_dirty(s->logs))
		return;
	r = commit(s);
	s->in_txn = false;
	s->losses += r < 0;
	/* Waiters and subscribers may write: that is the next turn. */
	changes = TAKE_PTR(s->changes);
	waiters = TAKE_PTR(s->waiters);
	n_changes = coalesce(changes, s->n_changes);
	n_waiters = s->n_waiters;
	s->n_changes = s->cap_changes = 0;
	s->n_waiters = s->cap_waiters = 0;
	if (n_changes) {
		turn = s->turn;
		s->turn = arena_new();
	}
	for (size_t i = 0; i < n_waiters; i++)
		waiters[i].fn(waiters[i].ctx, r);
	tell(s, changes, n_changes);
}

uint64_t
store_losses(const struct store *s)
{
	return s->losses;
}

void
store_on_commit(struct store *s, void (*fn)(void *ctx, int err), void *ctx)
{
	if (s->n_waiters == s->cap_waiters) {
		s->cap_waiters = MAX(s->cap_waiters * 2, (size_t)16);
		s->waiters = xrealloc(s->waiters,
		    s->cap_waiters * sizeof(*s->waiters));
	}
	s->waiters[s->n_waiters++] = (struct waiter){fn, ctx};
}

void
store_note_change(struct store *s, const struct res *r,
    const struct change *what)
{
	struct change c = *what;

	if (s->n_changes == s->cap_changes) {
		s->cap_changes = MAX(s->cap_changes * 2, (size_t)16);
		s->changes = xrealloc(s->changes,
		    s->cap_changes * sizeof(*s->changes));
	}
	c.kind = r->kind;
	c.row = r->row;
	c.scope.account = arena_span(s->turn, r->scope.account);
	c.scope.region = arena_span(s->turn, r->scope.region);
	c.parent = arena_span(s->turn, r->parent);
	c.id = arena_span(s->turn, r->id);
	s->changes[s->n_changes++].c = c;
}

void
store_subscribe(struct store *s, const struct kind *k, change_fn fn, void *ctx)
{
	s->subs = xrealloc(s->subs, (s->n_subs + 1) * sizeof(*s->subs));
	s->subs[s->n_subs++] = (struct subscriber){k, fn, ctx};
}
