/*
 * One request to the distribution endpoints, from its headers to its answer.
 *
 * A handler validates, works on the store, and says what to answer by
 * rq_error() or rq_ok(); what it says leaves after the commit.  One that has
 * to wait for a thread calls rq_hold() and, from the callback, rq_resume().
 * The client may be gone by then: rq->http is NULL, all else is still there.
 */
#pragma once

#include "registry/internal.h"
#include "registry/repo.h"
#include "registry/token.h"

enum route {
	ROUTE_PING, ROUTE_CATALOG, ROUTE_TAGS, ROUTE_REFERRERS, ROUTE_MANIFEST,
	ROUTE_BLOB, ROUTE_UPLOADS, ROUTE_UPLOAD
};

#define RQ_HEADERS_MAX 16

struct rq {
	unsigned magic;
	struct registry *g;
	struct http_request *http; /* NULL: the client is gone */
	struct arena *a;
	const struct dist_op *op;
	struct span ref;	   /* digest, tag or upload id of the path */
	struct token who;
	struct repo_key key;	   /* store, account, region, repository */
	struct upload *up;	   /* begun by this request */
	bool paused;		   /* until the upload has room */
	struct buf body;	   /* manifests only */
	uint64_t received;
	/* The answer */
	int status;		   /* 0: none yet */
	struct http_header headers[RQ_HEADERS_MAX];
	size_t n_headers;
	struct span out;
	int fd;
	uint64_t offset, length;
	bool failed;		   /* the answer is an error: roll back */
	bool answered;
	bool held;		   /* a thread works for it */
};

#define RQ_MAGIC 0x52515251

/* One row of the table of endpoints. */
struct dist_op {
	enum route route;
	const char *method;
	/* Before the body: refuse with rq_error(), or make ready.  NULL: nothing
	 * to do. */
	void (*begin)(struct rq *q);
	bool (*body)(struct rq *q, struct span piece); /* NULL: no body */
	void (*end)(struct rq *q);
};

/* OCI distribution specification, error codes; ECR adds TAG_INVALID. */
void rq_error(struct rq *q, int status, const char *code, const char *fmt,
    ...) PRINTF(4, 5);
/* A negative error: 500, or 507 when the disk is full. */
void rq_fail(struct rq *q, int r);
void rq_ok(struct rq *q, int status);
void rq_header(struct rq *q, const char *name, const char *fmt, ...)
    PRINTF(3, 4);
void rq_json(struct rq *q, const struct doc *d);
/* Query parameter, decoded; p NULL: absent. */
struct span rq_query(struct rq *q, const char *name);
struct span rq_in(const struct rq *q, const char *header);
/* For positive outcomes of repo.h. */
void rq_repo_error(struct rq *q, int outcome, struct span missing);

void rq_hold(struct rq *q);
/* fn runs in a savepoint of its own; then the answer is sent. */
void rq_resume(struct rq *q, void (*fn)(struct rq *q, int r), int r);

/* The handlers of each endpoint. */
extern const struct dist_op dist_ops[];
void blob_get(struct rq *q);
void blob_delete(struct rq *q);
void uploads_post(struct rq *q);
void uploads_post_end(struct rq *q);
void upload_begin_patch(struct rq *q);
void upload_begin_put(struct rq *q);
bool upload_body(struct rq *q, struct span piece);
void upload_patch_end(struct rq *q);
void upload_put_end(struct rq *q);
void upload_get(struct rq *q);
void upload_delete(struct rq *q);
/* The request ended before its body did. */
void upload_abort(struct rq *q);
void manifest_get(struct rq *q);
bool manifest_body(struct rq *q, struct span piece);
void manifest_put_begin(struct rq *q);
void manifest_put(struct rq *q);
void manifest_delete(struct rq *q);
void ping_get(struct rq *q);
void tags_get(struct rq *q);
void catalog_get(struct rq *q);
void referrers_get(struct rq *q);
