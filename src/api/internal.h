/* What the files of the API layer share. */
#pragma once

#include <uthash.h>

#include "api/api.h"
#include "auth/sigv4.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/file-seq.h"
#include "wire/wire.h"

#define API_MAGIC   0x41504920
#define CALL_MAGIC  0x43414c4c
#define REPLY_MAGIC 0x5245504c
#define AREQ_MAGIC  0x41524551

enum reply_kind { REPLY_OK, REPLY_ERROR, REPLY_LATER };

struct reply {
	unsigned magic;
	enum reply_kind kind;
	struct doc *out;
	struct wire_error error;
	int status;	     /* instead of the operation's; 0: that */
	struct doc *headers; /* further ones: strings by name; or NULL */
	bool file;	     /* the body is length bytes at offset of fd */
	int fd;		     /* ours; -1: only the length is told */
	struct file_seq *seq; /* ours; instead of fd; or NULL */
	uint64_t offset;
	uint64_t length;
};

/* A scope whose scope_init has run. */
struct inited {
	char *key;
	UT_hash_handle hh;
};

struct api {
	unsigned magic;
	struct arena *arena; /* the process's: settings */
	struct api_config config;
	struct http_handler handler;
	struct span origin;
	struct inited *inited;
	struct span token_key;
	unsigned jobs; /* threads at work */
	bool resetting;
	struct http_request *reset; /* who asked, NULL once it is gone */
};

/* One request on its way. */
struct api_request {
	unsigned magic;
	struct arena *arena;
	struct api *api;
	struct http_request *http; /* NULL once the client is gone */
	struct wire_in in;
	struct wire_target target;
	struct sigv4 sig;
	struct span secret;	 /* of who signed, once that is known */
	enum sigv4_outcome read; /* of sig, and */
	struct span why;	 /* what it said */
	size_t stage; /* the next one */
	struct body *body; /* streamed; or NULL */
	bool called; /* the handler ran */
	int open;    /* the status of a request that proved itself; else 0 */
	struct call call;
	struct reply *reply;
};

/* call.c: checks members, runs scope_init and the handler in a savepoint. */
struct reply *call_run(struct call *c);
bool call_has_handler(const struct service *s, const struct model_op *op);
const struct service *api_service(struct api *api, struct span name);
void api_forget_scopes(struct api *api);
/* reply.c */
void reply_close(struct reply *r); /* ends what it holds; NULL is fine */
struct reply *reply_wire_error(struct call *c, const struct wire_error *e);
/* stage.c: what becomes of a reply that came later. */
void request_finish(struct api_request *r, struct reply *reply);
