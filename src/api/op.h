/*
 * The one call interface.  The wire, CloudFormation and controllers all run
 * operations through it; a handler cannot tell which of them called.
 *
 *	static struct reply *
 *	cluster_describe(struct call *c)
 *	{
 *		...
 *		return reply_ok(c, out);
 *	}
 *
 * A handler gets its input decoded and validated against the model (required
 * members, types, lengths, ranges, patterns, enums), the caller authenticated
 * and authorised.  It runs inside a savepoint: an error reply undoes its
 * writes.  It returns a struct reply, which only the functions below make, so
 * that every path answers exactly once.  It never blocks and never calls a
 * driver: effects go through the store, and controllers act on them.
 */
#pragma once

#include "auth/checksum.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "doc/doc.h"
#include "store/store.h"

struct api;
struct cfn_map;	 /* cfn/type.h */
struct file_seq; /* store/file-seq.h */
struct files;	 /* store/files.h */
struct model;	 /* wire/model.h */
struct model_op; /* wire/model.h */
struct reply;

/* A body that was streamed: before the handler runs, it is in a file of
 * c->files, verified against all sums that came with it, and on disk. */
struct call_body {
	struct span id;
	int64_t size;
	struct span md5; /* raw */
	enum checksum_kind kind;
	struct span sum; /* of that kind, in base64 */
	bool claimed;	 /* the client named the kind; else it is our choice */
	bool kept;	 /* set by the handler that made a row which names id;
			    else the file goes with the request */
};

struct call {
	unsigned magic;
	struct arena *arena;	/* ends after the reply was sent */
	struct api *api;
	struct store *store;
	const struct model_op *op;
	struct principal who;
	struct scope scope;	/* account and region that the call works on */
	struct span request_id;
	struct span host;	/* Host header, for URLs in replies; or empty */
	struct span origin;	/* "http://127.0.0.1:4566": how we are reached */
	const struct doc *in;	/* an object, never NULL */
	const struct service *service;
	struct api_request *request; /* NULL for internal calls */
	struct files *files;	/* where streamed bodies are; may be NULL */
	struct call_body *body;	/* NULL: none was streamed */
};

/* None of these returns NULL: a helper may return a refusal or NULL for "go
 * on", and the compiler then knows what was set on the way. */
#define REPLY struct reply *__attribute__((returns_nonnull))

/* Success.  out NULL: the operation's empty output.  Members that the model
 * does not know are left out on the wire. */
REPLY reply_ok(struct call *c, struct doc *out);
/* An AWS error.  code is the wire code ("ClusterNotFoundException",
 * "InvalidVpcID.NotFound"); its HTTP status is the model's, else 400. */
REPLY reply_error(struct call *c, const char *code, const char *fmt,
    ...) PRINTF(3, 4);
/* The same with the status given and extra members of the error shape. */
REPLY reply_error_with(struct call *c, int status, const char *code,
    struct doc *members, const char *fmt, ...) PRINTF(5, 6);
/* Code and message of an error, for a reply about several things. */
void reply_tell_error(const struct reply *r, struct span *ret_code,
    struct span *ret_message);
/* 501 that names what is missing: "ecs:CreateService: X is not implemented" */
REPLY reply_not_implemented(struct call *c, const char *what_fmt, ...)
    PRINTF(2, 3);
/* For a negative int: a 500 with AWS's wording; the cause goes to our log. */
REPLY reply_failure(struct call *c, int err);
/* The answer comes later: keep c and end it with call_finish(), from the loop
 * thread, exactly once.  The savepoint ends now.  Not for internal calls. */
REPLY reply_later(struct call *c);
void call_finish(struct call *c, struct reply *r);
/* Success whose body is length bytes of fd from offset on; fd is taken.  fd
 * -1: a reply to HEAD, which tells the length alone.  For an internal call the
 * bytes are in the streaming member of out, if they are no more than 16 MiB. */
REPLY reply_file(struct call *c, struct doc *out, int fd, uint64_t offset,
    uint64_t length);
/* The same with all bytes of seq, which is taken. */
REPLY reply_seq(struct call *c, struct doc *out, struct file_seq *seq);
/* What the model does not say of a reply: another status, further headers. */
void reply_set_status(struct reply *r, int status);
void reply_set_header(struct call *c, struct reply *r, const char *name,
    struct span value);
/* reply_later() with work on a thread, where it may touch nothing but what is
 * ctx's alone.  Then done runs as a handler does, on the loop and in a
 * savepoint, and its reply ends the call; what the store says may have changed
 * meanwhile. */
REPLY reply_after(struct call *c, void (*work)(void *ctx),
    struct reply *(*done)(void *ctx), void *ctx);

/* Pagination.  Tokens are opaque to clients; one that we did not make is
 * refused (false). */
struct span page_token(struct call *c, int64_t row);
bool page_token_row(struct call *c, struct span token, int64_t *ret_row);
/* The same for lists that are not in the order of rows. */
struct span page_token_text(struct call *c, struct span text);
bool page_token_read(struct call *c, struct span token, struct span *ret_text);

/* An operation of a service. */
struct op_row {
	const char *name; /* as in the model */
	struct reply *(*fn)(struct call *c);
	/* Top-level input members that fn honours, space-separated; one that
	 * is sent and not listed is refused by name with reply_not_implemented.
	 * Members that truly have no effect here are listed, too, and said so
	 * in the service's README.  NULL: fn sees to all of them. */
	const char *takes;
};

/* A request that carries its own proof in its address, as a presigned URL
 * does, outside of AWS's protocols.  Nobody has looked at it yet. */
struct open_call {
	struct arena *arena; /* the request's */
	struct store *store;
	struct span method;
	struct span path;  /* raw */
	struct span query; /* raw */
	struct span body;  /* up to 128 KiB */
};

struct service {
	const char *name; /* the folder of model/ and src/svc/: "elbv2" */
	const struct op_row *ops;	  /* ends with name NULL */
	const struct kind *const *kinds; /* NULL-terminated */
	/* Called once per scope and process life before the first operation in
	 * it, to make what AWS has there from the start (the default VPC).
	 * Must be idempotent.  NULL: nothing. */
	int (*scope_init)(struct store *s, struct arena *a, struct scope scope);
	/* Runs before each operation's fn, inside its savepoint: NULL goes on,
	 * a reply is the answer.  For what all operations have in common, like
	 * EC2's DryRun.  NULL: nothing. */
	struct reply *(*before)(struct call *c);
	/* Its CloudFormation resource types; ends with type NULL.  NULL: none */
	const struct cfn_map *types;
	/* Paths that begin so are its own: open judges the proof and answers
	 * with an HTTP status, or negative.  It runs in a savepoint that a
	 * status from 300 on undoes.  NULL: none */
	const char *open_path;
	int (*open)(struct open_call *c);
};

/* svc/services.c: all services, NULL-terminated. */
extern const struct service *const services[];

/* Internal call, synchronous, in a savepoint of its own.  in is not kept.
 * Returns 0 with *ret filled, or a negative error.  error empty: success. */
struct op_result {
	struct span error;   /* AWS error code */
	struct span message;
	struct doc *out;     /* the given arena's; NULL on error */
};
int op_call(struct api *api, struct arena *a, const struct principal *who,
    struct scope scope, const char *service, const char *op,
    const struct doc *in, struct op_result *ret);
/* What the wire would refuse before the handler runs: members that the model
 * does not know, values outside of its bounds, members that the operation does
 * not honour.  False: ret->error and message say what. */
bool op_check(struct api *api, struct arena *a, const char *service,
    const char *op, const struct doc *in, struct op_result *ret);
/* "http://127.0.0.1:4566": how we are reached. */
struct span api_origin(const struct api *api);
/* The principal of a service of ours: principal_system(account, "ecs.amazonaws.com") */
struct principal principal_system(struct span account, const char *service);
