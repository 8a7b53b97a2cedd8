/* The configuration of a load balancer's proxy, as text.  Pure. */
#pragma once

#include "base/buf.h"
#include "drv/lb/lb.h"

/* dir: where its socket and files are.  v: servers that the running process
 * has and the new one shall take over; they are not part of the digest, which
 * is in the text as the variable NEARGATE_STRUCTURE and in *ret_digest. */
void lb_render(struct arena *a, const struct lb_conf *c, const char *dir,
    const struct lb_server *v, size_t n, struct buf *ret_text,
    struct span *ret_digest);

/* The parameters of a group's checked server at a port: "check inter 30s". */
struct span lb_server_params(struct arena *a, const struct lb_group *g,
    struct span port);
bool lb_group_sticky(const struct lb_group *g);

/* The list of a TLS listener's certificates: the file f<port>.crt in dir. */
struct span lb_render_certs(struct arena *a, const struct lb_listener *l,
    const char *dir);

/* What every process's `global` section has. */
void lb_render_process(struct buf *b);

/* rules.c: lines that keep what conditions look at before it is changed. */
void lb_render_kept(struct arena *a, struct buf *b,
    const struct lb_listener *l);
/* The conditions of one rule as ACLs, each led by a blank; all must
 * hold. */
void lb_render_conditions(struct arena *a, struct buf *b,
    const struct doc *conditions);
/* respond.c: `http-request return` lines */
void lb_render_redirect(struct buf *b, const struct doc *conf,
    const struct lb_listener *l);
void lb_render_fixed(struct buf *b, const struct doc *conf);
void lb_render_errors(struct buf *b);
/* The page the load balancer shows with a status, "" for an unknown one. */
void lb_render_page(struct buf *b, int status);
