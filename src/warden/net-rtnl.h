/*
 * Links, addresses, routes, neighbours and rules over netlink.  Each call
 * appends one message; rtnl_send() sends all of them in one go and reads the
 * kernel's answers: the first error, or 0 when all were done.  A failed
 * message does not stop those behind it: what is retried must be idempotent.
 *
 * A socket belongs for good to the namespace it was opened in.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct rtnl {
	int fd; /* -1: not open */
	uint32_t seq;
	uint32_t queued;
	struct buf out;
};

#define RTNL_INIT ((struct rtnl){.fd = -1})

int rtnl_open(struct rtnl *r);
void rtnl_done(struct rtnl *r);
int rtnl_send(struct rtnl *r);

struct rtnl_end {
	const char *name;
	int index;	/* 0: the kernel chooses */
	const unsigned char *mac;
	int ns;		/* fd of its namespace; -1: the socket's */
};

void rtnl_veth(struct rtnl *r, const struct rtnl_end *one,
    const struct rtnl_end *other, uint32_t mtu);
/* alias NULL: as it is.  It holds at most 255 bytes. */
void rtnl_link(struct rtnl *r, int index, bool up, const char *alias);
void rtnl_link_del(struct rtnl *r, int index);
void rtnl_link_del_name(struct rtnl *r, const char *name);
/* No route comes with it. */
void rtnl_addr(struct rtnl *r, int index, uint32_t addr, uint8_t len);
void rtnl_addr_del(struct rtnl *r, int index, uint32_t addr, uint8_t len);
void rtnl_neigh(struct rtnl *r, int index, uint32_t addr,
    const unsigned char *mac);
/* Packets from addr look into the table first. */
void rtnl_rule(struct rtnl *r, uint32_t addr, uint32_t table);

struct rtnl_route {
	uint32_t dst;
	uint8_t len;
	uint32_t via;	/* 0: on the link itself */
	int index;	/* 0: packets are dropped */
	bool reject;	/* index 0: with an error to the sender */
	uint32_t table;	/* 0: main */
};

/* Replaces the one to the same destination. */
void rtnl_route(struct rtnl *r, const struct rtnl_route *v);
void rtnl_route_del(struct rtnl *r, const struct rtnl_route *v);

struct rtnl_info {
	int index;
	const char *name;
	const char *alias; /* "" for none */
};

/* Calls fn for every link of the namespace; what it is given ends with it. */
int rtnl_links(struct rtnl *r, void (*fn)(void *, const struct rtnl_info *),
    void *ctx);
/* Destinations of the main table's /32 routes through a link. */
int rtnl_hosts(struct rtnl *r, int index, void (*fn)(void *, uint32_t),
    void *ctx);
