/* What the files of the store share.  Nobody outside src/store includes it. */
#pragma once

#include <sqlite3.h>
#include <uthash.h>

#include "base/err.h"
#include "base/seal.h"
#include "store/logs.h"
#include "store/metrics.h"
#include "store/store.h"

#define STORE_MAGIC 0x53544f52
#define RES_MAGIC   0x52455352
#define SAVEPOINT_MAX 8

struct kind_entry {
	const struct kind *kind;
	int64_t id;	     /* in table kind */
	UT_hash_handle hh;   /* by name */
};

struct statement {
	char *sql;
	sqlite3_stmt *stmt;
	UT_hash_handle hh;   /* by sql */
};

/* One write, as the feed will tell it. */
struct change_note {
	struct change c;     /* its spans point into the turn's arena */
};

struct waiter {
	void (*fn)(void *ctx, int err);
	void *ctx;
};

struct subscriber {
	const struct kind *kind;
	change_fn fn;
	void *ctx;
};

/* What a rollback goes back to. */
struct savepoint {
	size_t n_changes;
	uint64_t writes;
};

struct store {
	unsigned magic;
	sqlite3 *db;
	struct log_store *logs;
	struct metric_store *metrics;
	int lock_fd;
	unsigned char root_key[SEAL_KEY];
	struct kind_entry *kinds;
	struct kind_entry *kind_v; /* the array the hash is made of */
	size_t n_kinds;
	const struct kind **kind_of; /* by id; NULL: not one of ours */
	int64_t kind_max;	     /* the largest id there */
	struct statement *statements;
	bool is_open;
	bool reading; /* a transaction that only reads; never with in_txn */
	bool in_txn;
	int depth;  /* savepoints asked for */
	int opened; /* savepoints begun: those that saw a write */
	struct savepoint sp[SAVEPOINT_MAX];
	uint64_t writes; /* since the transaction began */
	struct arena *turn; /* strings of the changes */
	struct change_note *changes;
	size_t n_changes, cap_changes;
	struct waiter *waiters;
	size_t n_waiters, cap_waiters;
	uint64_t losses; /* commits that failed */
	struct subscriber *subs;
	size_t n_subs;
};

/* A cached, reset statement for this text; NULL after an error that was told.
 * Bind with the helpers, run with store_step(), end with store_end(). */
sqlite3_stmt *store_stmt(struct store *s, const char *sql);
void store_end(sqlite3_stmt *st);
/* For the databases beside the store: runs the schema, in one transaction, when
 * the database says that it has another version.  One that is as it should be is
 * not written, so that a start needs no room on the disk.  SQLITE_OK or not. */
int store_schema(sqlite3 *db, int version, const char *schema);
#define _cleanup_stmt_ _cleanup_(store_end_p)
void store_end_p(sqlite3_stmt **st);
void store_bind_span(sqlite3_stmt *st, int i, struct span v);
void store_bind_int(sqlite3_stmt *st, int i, int64_t v);
/* 1: a row; 0: done; negative: error. */
int store_step(struct store *s, sqlite3_stmt *st);
/* The same for a statement that returns no row; STORE_E_EXISTS when a unique
 * index refused it. */
int store_run(struct store *s, sqlite3_stmt *st);
struct span store_col(struct arena *a, sqlite3_stmt *st, int i); /* a copy */
int store_exec(struct store *s, const char *sql);
/* Opens the transaction and the pending savepoints; counts a write. */
int store_begin_write(struct store *s);
int64_t store_kind_id(struct store *s, const struct kind *k);
void store_note_change(struct store *s, const struct res *r,
    const struct change *what);
/* Reads columns row..status (RES_COLUMNS) into a struct res. */
#define RES_COLUMNS                                                     \
	"r.row,r.kind,r.account,r.region,r.parent,r.id,r.arn,r.created,"  \
	"r.version,r.spec,r.status"
#define RES_FROM " FROM resource r "
int store_read_res(struct store *s, struct arena *a, sqlite3_stmt *st,
    struct res **ret);

/* root-key.c: reads or makes the file; the check of it is a write. */
int root_key_open(struct store *s, const char *dir);
void root_key_close(struct store *s);
/* logs.c: the other database's part of opening, of the turn, of a wipe. */
int log_store_open(const char *path, struct log_store **ret);
void log_store_close(struct log_store *l);
/* Is there a transaction, and one that somebody waits for? */
bool log_store_dirty(const struct log_store *l);
bool log_store_firm(const struct log_store *l);
int log_store_commit(struct log_store *l);
int log_store_wipe(struct log_store *l);
/* metrics.c: the same; it has no part in the turn. */
int metric_store_open(const char *path, struct metric_store **ret);
void metric_store_close(struct metric_store *m);
int metric_store_wipe(struct metric_store *m);
