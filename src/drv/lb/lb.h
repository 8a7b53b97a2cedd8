/*
 * The load balancer driver: one HAProxy 2.6 for each load balancer.
 *
 * All calls are asynchronous and idempotent; callbacks run on the loop thread,
 * never before the call returned.  One call per load balancer at a time: the
 * caller waits for a callback before the next call with the same id.  What a
 * call is given stays until its callback.
 *
 * A proxy has a structure (listeners, rules, groups, health checks), which is
 * its configuration file, and servers, which come and go by its runtime API
 * alone.  A new structure is a reload that keeps every connection and every
 * server's health; the running process tells the digest of its structure, so
 * that a daemon which starts anew leaves alone what is right already.
 *
 * Each target is a checked server and, once it has had its first verdict, a
 * second one, unchecked and for the case alone that no checked one is up: a
 * load balancer without a healthy target routes to all of them.
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "doc/doc.h"

struct lb;

struct lb_rule {
	const struct doc *conditions; /* in AWS's normal form */
	const struct doc *actions;
};

struct lb_cert {
	struct span name; /* of its file: "cert-<16 hex of pem>.pem" */
	struct span pem;  /* itself and its chain */
	struct span key;  /* for a call of lb_ops alone, or empty */
};

/* How a listener speaks TLS. */
struct lb_tls {
	int min, max;		    /* 1.x */
	struct span ciphers;	    /* OpenSSL's list of those up to 1.2 */
	struct span suites;	    /* of 1.3 */
	const struct lb_cert *certs; /* the first where no name fits; without
				      * any nobody listens */
	size_t n_certs;
	bool h2;
};

struct lb_listener {
	uint16_t port;
	const struct doc *actions;    /* the default ones */
	const struct doc *attributes; /* {key: text}, defaults left out */
	const struct lb_rule *rules;  /* in order of priority */
	size_t n_rules;
	const struct lb_tls *tls; /* NULL: HTTP in clear */
};

struct lb_group {
	struct span arn;
	struct span name;	 /* "tg-<16 hex>": its backend */
	const struct doc *spec;	 /* of elbv2.target-group */
};

/* The wanted structure. */
struct lb_conf {
	struct span id;		/* "lb-<16 hex>" */
	struct span netns;	/* as the network driver made it */
	struct span addr;	/* to listen on, "0.0.0.0" */
	struct span edge;	/* CIDR that speaks the PROXY protocol, or "" */
	const struct doc *attributes; /* {key: text}, defaults left out */
	const struct lb_listener *listeners;
	size_t n_listeners;
	const struct lb_group *groups;
	size_t n_groups;
};

/* A wanted target.  One that is not wanted any more is cut off. */
struct lb_target {
	const struct lb_group *group;
	struct span name;	/* of its server: 16 hex */
	struct span addr;
	uint16_t port;
	bool draining;		/* nothing new, what runs goes on */
	bool judged;		/* had a first verdict: takes part in fail-open */
	bool healthy;		/* the verdict that stands: a proxy that starts
				 * anew need not check it before it sends it
				 * requests */
};

enum lb_check {
	LB_CHECK_NONE,	   /* no result yet */
	LB_CHECK_OK,
	LB_CHECK_CODE,	   /* another status than the matcher's */
	LB_CHECK_TIMEOUT,
	LB_CHECK_FAILED,   /* no connection, no HTTP */
};

/* What the proxy says of a server. */
struct lb_server {
	struct span group;
	struct span name;
	struct span addr;  /* "10.0.0.1:80" */
	bool open;	   /* the fail-open twin of name */
	bool maint, drain, up;
	enum lb_check check;
	int code;	   /* with LB_CHECK_CODE */
	unsigned active;   /* requests and connections in use */
	unsigned since_s;  /* seconds since up or down changed */
};

/* Requests that a group's targets were sent since the proxy's process began:
 * less than last time is another process. */
struct lb_count {
	struct span group;
	uint64_t requests;
};

/* The host's edge: connections to addrs:port for a host of the map go to that
 * host's address, port `to`, led by a PROXY header.  Of TLS the edge reads the
 * name that is asked for (SNI) and nothing else. */
struct lb_edge_bind {
	uint16_t port;
	uint16_t to;
	bool tls;
};
struct lb_edge_host {
	struct span name; /* lower case */
	struct span addr; /* IPv4 */
};
struct lb_edge {
	const struct span *addrs; /* "127.0.0.1", "::1" */
	size_t n_addrs;
	const struct lb_edge_bind *binds;
	size_t n_binds;
	const struct lb_edge_host *hosts;
	size_t n_hosts;
	struct span source;	  /* address to connect from, or empty */
};

typedef void (*lb_cb)(void *ctx, int err, struct span why);
/* v is valid during the callback only. */
typedef void (*lb_servers_cb)(void *ctx, int err, struct span why,
    const struct lb_server *v, size_t n);
typedef void (*lb_counts_cb)(void *ctx, int err, struct span why,
    const struct lb_count *v, size_t n);

struct lb_ops {
	/* The proxy runs with this structure afterwards. */
	void (*sync)(struct lb *l, const struct lb_conf *c, lb_cb cb,
	    void *ctx);
	/* Adds, drains and removes servers as wanted (by the structure that
	 * was last synced) and tells what is there then. */
	void (*targets)(struct lb *l, const struct lb_conf *c,
	    const struct lb_target *v, size_t n, lb_servers_cb cb, void *ctx);
	/* Only looks, at any time. */
	void (*requests)(struct lb *l, struct span id, lb_counts_cb cb,
	    void *ctx);
	/* The proxy is gone afterwards, with its files. */
	void (*stop)(struct lb *l, struct span id, lb_cb cb, void *ctx);
	/* The edge runs and routes so.  Its binds are structure; a host that
	 * comes, goes or moves is a word to the runtime API. */
	void (*edge)(struct lb *l, const struct lb_edge *c, lb_cb cb,
	    void *ctx);
	void (*free)(struct lb *l);
};

struct lb {
	const struct lb_ops *ops;
	/* A proxy ended by itself; id as in lb_conf.  Set by the owner. */
	void (*on_died)(void *ctx, struct span id);
	void *on_died_ctx;
};

/* How proxies are started: by the warden, or by ourselves in tests. */
struct lb_process_ops {
	void (*start)(void *p, struct span id, struct span netns, lb_cb cb,
	    void *ctx);
	void (*reload)(void *p, struct span id, struct span netns, lb_cb cb,
	    void *ctx);
	void (*stop)(void *p, struct span id, lb_cb cb, void *ctx);
};

struct warden;
struct lb *lb_warden_new(uv_loop_t *loop, struct warden *w,
    const char *run_dir);
struct lb *lb_new(uv_loop_t *loop, const char *run_dir,
    const struct lb_process_ops *ops, void *process);

/* The fake: every proxy runs at once; targets are what they are told to be. */
struct lb *lb_fake_new(uv_loop_t *loop);
/* From now on new targets are healthy until told otherwise. */
void lb_fake_all_up(struct lb *l);
void lb_fake_health(struct lb *l, struct span name, bool up, int code);
void lb_fake_active(struct lb *l, struct span name, unsigned active);
void lb_fake_requests(struct lb *l, struct span group, uint64_t requests);
bool lb_fake_running(struct lb *l, struct span id);
