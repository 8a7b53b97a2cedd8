/*
 * The network driver: VPC routers, interfaces, firewalls, public addresses.
 * All calls are asynchronous and idempotent (they say how things shall be);
 * callbacks run on the loop thread, never before the call returned.
 *
 * A VPC is a namespace that routes.  An ENI is a veth pair between a VPC and
 * the namespace of its owner ("task-<id>", "lb-<id>"), which the first ENI in
 * it creates.  Every packet between two ENIs passes the VPC's firewall:
 * egress rules of the sender's groups, then ingress rules of the receiver's.
 * Connections are tracked: answers pass.  Between subnets the sender's route
 * table leads, and the network ACLs of both ask every packet.  A public address
 * is one of the instance's pool on the host and mapped one to one onto the
 * ENI's private address; without one the only way out is a NAT gateway.
 */
#pragma once

#include <uv.h>

#include "base/arena.h"
#include "warden/net.h" /* struct net_vpc and what it is made of */

struct net;

typedef void (*net_cb)(void *ctx, int err, struct span why);

struct net_ops {
	/* Makes the VPC be as told: creates what is missing, removes what is
	 * not listed, replaces the firewall in one transaction.  done runs when
	 * all of it holds. */
	void (*vpc_sync)(struct net *n, const struct net_vpc *v, net_cb cb,
	    void *ctx);
	void (*vpc_remove)(struct net *n, struct span vpc, net_cb cb, void *ctx);
	/* VPC ids that exist on this host, to find leftovers: ids are given as
	 * a space-separated list in `why` of cb. */
	void (*list)(struct net *n, net_cb cb, void *ctx);
	/* Removes every VPC of this instance, for reset. */
	void (*clean)(struct net *n, net_cb cb, void *ctx);
	/* The instance's pool of public addresses, as "a.b.c.d/len" in `why`
	 * of cb: the same for as long as the instance lives. */
	void (*pool)(struct net *n, net_cb cb, void *ctx);
	void (*free)(struct net *n);
};

struct net {
	const struct net_ops *ops;
};

struct warden;
struct net *net_warden_new(struct warden *w);
/* The fake: remembers what it is told.  It answers on the loop's next turn, or,
 * with loop NULL, when net_fake_answer() (net-fake.h) is called. */
struct net *net_fake_new(uv_loop_t *loop);
