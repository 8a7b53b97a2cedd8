/* Makes the VPCs of this host as they shall be. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>
#include <uthash.h>

#include "base/log.h"
#include "warden/net-fw.h"
#include "warden/net-ns.h"
#include "warden/net-rtnl.h"
#include "warden/net-vpc.h"

#define HOST_SIDE   0xa9fe4001u /* 169.254.64.1, on every host link */
#define ROUTER_SIDE 0xa9fe4002u /* 169.254.64.2 */
#define MTU	    1500
#define HOST_INDEX  100		/* of "host" in a VPC */
#define FIRST_OUTER 1000
#define FIRST_INNER 100		/* eth0 in an owner's namespace */
#define TABLE	    1000	/* of eth0; eth1 uses the next */
#define GONE	    "gone"	/* alias of an end whose owner is ending */

/* The far ends of every wire: each wire has two ends, so one will do. */
static const unsigned char host_mac[6] = {0x02, 0x6e, 0x67, 0, 0, 1};
static const unsigned char router_mac[6] = {0x02, 0x6e, 0x67, 0, 0, 2};
static const unsigned char gateway_mac[6] = {0x02, 0x6e, 0x67, 0, 0, 3};

struct eni {
	UT_hash_handle hh;
	char *id;
	char *netns;	/* without the instance */
	char *alias;	/* what it was made from */
	int index;	/* of the outer end */
	unsigned slot;	/* inner end: eth<slot> */
	bool wanted;
	bool fresh;	/* made by this sync */
};

struct host_route {
	UT_hash_handle hh;
	uint32_t addr;
	bool wanted;
};

#define VPC_MAGIC 0x7c0f3eedu

struct vpc {
	unsigned magic;
	UT_hash_handle hh;
	char *id;
	char *ns;	/* "ng0-vpc-0123…" */
	int fd;
	int nf;		/* netfilter socket inside */
	struct rtnl rt;	/* inside */
	int host_link;	/* index on the host */
	int next_index;
	struct eni *enis;
	struct host_route *routes;
	struct buf left; /* uint32_t: addresses that lost their owner */
	bool end_now;	 /* what goes from or to them must end */
	struct arena *applied; /* holds fw and cidrs */
	struct fw *fw;	       /* NULL: nothing applied by us */
	struct net_cidr *cidrs;
	size_t n_cidrs;
	uint32_t *nats; /* public addresses */
	size_t n_nats;
};

#define NETS_MAGIC 0x4e75a11du

struct nets {
	unsigned magic;
	char *instance;
	struct net_cidr pool;
	struct rtnl rt; /* on the host */
	struct vpc *vpcs;
};

static const struct ns_sysctl router_sysctls[] = {
	{"ipv4/ip_forward", "1", false},
	/* A source address must be the one of the wire it came in by. */
	{"ipv4/conf/all/rp_filter", "1", false},
	{"ipv4/conf/default/rp_filter", "1", false},
	{"ipv4/conf/all/send_redirects", "0", false},
	{"ipv4/conf/default/send_redirects", "0", false},
	{"ipv6/conf/default/disable_ipv6", "1", true},
	/* Short connections would fill the table at two minutes each. */
	{"netfilter/nf_conntrack_tcp_timeout_time_wait", "20", true},
	{NULL, NULL, false}};

static const struct ns_sysctl owner_sysctls[] = {
	{"ipv4/ip_unprivileged_port_start", "0", false},
	{"ipv4/ping_group_range", "0 2147483647", false},
	{"ipv6/conf/default/disable_ipv6", "1", true},
	{NULL, NULL, false}};

static void
eni_free(struct eni *e)
{
	free(e->id);
	free(e->netns);
	free(e->alias);
	free(e);
}

static void
vpc_free(struct nets *n, struct vpc *v)
{
	struct eni *e, *etmp;
	struct host_route *r, *rtmp;
	CHECK_OBJ(v, VPC_MAGIC);
	HASH_ITER(hh, v->enis, e, etmp)
	{
		HASH_DEL(v->enis, e);
		eni_free(e);
	}
	HASH_ITER(hh, v->routes, r, rtmp)
	{
		HASH_DEL(v->routes, r);
		free(r);
	}
	HASH_DEL(n->vpcs, v);
	rtnl_done(&v->rt);
	close_p(&v->fd);
	close_p(&v->nf);
	buf_done(&v->left);
	arena_free(v->applied);
	free(v->id);
	free(v->ns);
	FREE_OBJ(v);
}

static char *
owner_ns(const struct nets *n, const char *netns)
{
	return xasprintf("%s-%s", n->instance, netns);
}

/* "<instance>v" and the end of the id, 15 bytes at most. */
static char *
host_link_name(const struct nets *n, const char *vpc)
{
	size_t room = IFNAMSIZ - 1 - strlen(n->instance) - 1;
	struct span hex = span_from(span_of(vpc), 4);
	return xasprintf("%sv%s", n->instance,
	    hex.p + (hex.n > room ? hex.n - room : 0));
}

static char *
outer_name(struct span eni)
{
	struct span hex = span_from(eni, 4);
	size_t room = IFNAMSIZ - 2;
	if (hex.n > room)
		hex = span_from(hex, hex.n - room);
	return xasprintf("e%.*s", SPAN_ARG(hex));
}

/* What the wire was made from; another text means another wire. */
static char *
eni_alias(const struct net_eni *e, unsigned slot)
{
	return xasprintf("%.*s %.*s %u %08x/%u %02x%02x%02x%02x%02x%02x",
	    SPAN_ARG(e->id), SPAN_ARG(e->netns), slot, e->addr, e->subnet.len,
	    e->mac[0], e->mac[1], e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
}

static struct eni *
eni_add(struct vpc *v, struct span id, struct span netns, int index,
    unsigned slot, const char *alias)
{
	struct eni *e = xcalloc(1, sizeof(*e));
	e->id = xstrndup(id.p, id.n);
	e->netns = xstrndup(netns.p, netns.n);
	e->alias = xstrdup(alias);
	e->index = index;
	e->slot = slot;
	HASH_ADD_KEYPTR(hh, v->enis, e->id, id.n, e);
	return e;
}

/* A VPC's links, when a warden finds them. */
struct found {
	struct vpc *v;
	struct rtnl *rt;
	struct buf dead; /* int indexes of half-built or ended wires */
	bool host;
};

static void
found_link(void *ctx, const struct rtnl_info *i)
{
	struct found *f = ctx;
	struct span rest = span_of(i->alias);
	uint64_t slot;
	if (strcmp(i->name, "host") == 0)
		f->host = true;
	if (i->index < FIRST_OUTER)
		return;
	f->v->next_index = MAX(f->v->next_index, i->index + 1);
	struct span id = span_cut(&rest, ' ');
	struct span netns = span_cut(&rest, ' ');
	if (!net_id_ok(id, "eni-") || !net_netns_ok(netns) ||
	    !span_u64(span_cut(&rest, ' '), &slot) || slot > 64)
		buf_add(&f->dead, &i->index, sizeof(i->index));
	else
		eni_add(f->v, id, netns, i->index, (unsigned)slot, i->alias);
}

static void
found_route(void *ctx, uint32_t dst)
{
	struct vpc *v = ctx;
	struct host_route *r = xcalloc(1, sizeof(*r));
	r->addr = dst;
	HASH_ADD(hh, v->routes, addr, sizeof(r->addr), r);
}

/* Both ends of the wire to the host; the namespace end first, as the last
 * step's absence shows that it was not finished. */
static int
make_host_link(struct nets *n, struct vpc *v, const char *name)
{
	/* The kernel heeds the second end's index only when the first has one,
	 * so the router's end, whose index is ours to choose, is the first. */
	struct rtnl_end host = {name, 0, host_mac, ns_host()};
	struct rtnl_end router = {"host", HOST_INDEX, router_mac, -1};
	unsigned old = if_nametoindex(name);
	if (old) {
		rtnl_link_del(&n->rt, (int)old);
		int e = rtnl_send(&n->rt);
		if (e)
			return err_trace(e);
	}
	rtnl_veth(&v->rt, &router, &host, MTU);
	int e = rtnl_send(&v->rt);
	if (e)
		return err_trace(e);
	v->host_link = (int)if_nametoindex(name);
	rtnl_addr(&n->rt, v->host_link, HOST_SIDE, 32);
	rtnl_link(&n->rt, v->host_link, true, v->id);
	rtnl_neigh(&n->rt, v->host_link, ROUTER_SIDE, router_mac);
	e = rtnl_send(&n->rt);
	if (e)
		return err_trace(e);
	rtnl_link(&v->rt, 1, true, NULL);
	rtnl_addr(&v->rt, HOST_INDEX, ROUTER_SIDE, 32);
	rtnl_link(&v->rt, HOST_INDEX, true, NULL);
	rtnl_neigh(&v->rt, HOST_INDEX, HOST_SIDE, host_mac);
	rtnl_route(&v->rt, &(struct rtnl_route){.via = HOST_SIDE,
			       .index = HOST_INDEX});
	return err_trace(rtnl_send(&v->rt));
}

static int
adopt(struct nets *n, struct vpc *v)
{
	_cleanup_free_ char *name = host_link_name(n, v->id);
	struct found f = {.v = v, .dead = BUF_INIT};
	int e = rtnl_links(&v->rt, found_link, &f);
	for (size_t i = 0; i < f.dead.n / sizeof(int); i++) {
		int index;
		memcpy(&index, f.dead.p + i * sizeof(index), sizeof(index));
		rtnl_link_del(&v->rt, index);
	}
	buf_done(&f.dead);
	if (e == 0)
		e = rtnl_send(&v->rt);
	/* One whose owner was just ending has ended. */
	if (e && e != -ENODEV)
		return err_trace(e);
	v->host_link = (int)if_nametoindex(name);
	if (!f.host || !v->host_link)
		return err_trace(make_host_link(n, v, name));
	return err_trace(rtnl_hosts(&n->rt, v->host_link, found_route, v));
}

static int
open_inside(struct vpc *v)
{
	int e = ns_enter(v->fd);
	if (e)
		return err_trace(e);
	e = rtnl_open(&v->rt);
	if (e == 0)
		e = nfnl_open(&v->nf);
	if (e == 0)
		e = ns_sysctl(router_sysctls);
	ns_leave();
	return err_trace(e);
}

static int
vpc_open(struct nets *n, struct span id, struct vpc **ret)
{
	struct vpc *v;
	ALLOC_OBJ(v, VPC_MAGIC);
	v->id = xstrndup(id.p, id.n);
	v->ns = xasprintf("%s-%s", n->instance, v->id);
	v->fd = v->nf = -1;
	v->rt = RTNL_INIT;
	v->left = BUF_INIT;
	v->next_index = FIRST_OUTER;
	HASH_ADD_KEYPTR(hh, n->vpcs, v->id, id.n, v);
	int e = ns_open(v->ns, true, &v->fd, NULL);
	if (e == 0)
		e = open_inside(v);
	if (e == 0)
		e = adopt(n, v);
	if (e) {
		vpc_free(n, v);
		return err_trace(e);
	}
	*ret = v;
	return 0;
}

/* Firewall */

static int
run_script(struct vpc *v, const struct fw_diff *d, bool fresh)
{
	static const char *const argv[] = {"/usr/sbin/nft", "-f", "-", NULL};
	_cleanup_(buf_done) struct buf in = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	int status = 0;
	fw_script(&in, d, fresh);
	int e = ns_enter(v->fd);
	if (e == 0)
		e = ns_run(argv, buf_span(&in), &out, &status);
	ns_leave();
	if (e)
		return err_trace(e);
	if (status)
		return err_origin(EINVAL, "nft: %.500s", buf_str(&out));
	return 0;
}

static int
apply_diff(struct vpc *v, struct arena *a, const struct fw *fw)
{
	struct fw_diff *d = fw_diff(a, v->fw, fw);
	int e = -EAGAIN;
	if (v->fw && fw_diff_empty(d))
		return 0;
	if (v->fw && !d->structure)
		e = nfnl_apply(v->nf, d);
	else if (v->fw)
		e = run_script(v, d, false);
	if (e == 0)
		return 0;
	/* Nothing known, or what we knew is not so: all of it, anew. */
	return err_trace(run_script(v, fw_diff(a, NULL, fw), true));
}

static void
copy_cidrs(struct vpc *v, struct arena *a, const struct net_vpc *w)
{
	v->n_cidrs = w->n_cidrs;
	v->cidrs = arena_array(a, struct net_cidr, w->n_cidrs);
	for (size_t i = 0; i < w->n_cidrs; i++)
		v->cidrs[i] = w->cidrs[i];
}

static bool
has_cidr(const struct net_cidr *v, size_t n, struct net_cidr c)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].addr == c.addr && v[i].len == c.len)
			return true;
	return false;
}

/* Addresses of the VPC that no interface has must not leave by the default
 * route. */
static int
sync_cidrs(struct vpc *v, const struct net_vpc *w)
{
	for (size_t i = 0; i < w->n_cidrs; i++)
		if (!has_cidr(v->cidrs, v->n_cidrs, w->cidrs[i]))
			rtnl_route(&v->rt,
			    &(struct rtnl_route){.dst = w->cidrs[i].addr,
				.len = w->cidrs[i].len});
	for (size_t i = 0; i < v->n_cidrs; i++)
		if (!has_cidr(w->cidrs, w->n_cidrs, v->cidrs[i]))
			rtnl_route_del(&v->rt,
			    &(struct rtnl_route){.dst = v->cidrs[i].addr,
				.len = v->cidrs[i].len});
	return err_trace(rtnl_send(&v->rt));
}

/* Interfaces */

static unsigned
free_slot(const struct vpc *v, struct span netns)
{
	uint64_t used = 0;
	unsigned slot = 0;
	for (const struct eni *e = v->enis; e; e = e->hh.next)
		if (span_is(netns, e->netns) && e->slot < 64)
			used |= (uint64_t)1 << e->slot;
	while (slot < 63 && (used >> slot & 1))
		slot++;
	return slot;
}

static int
make_wire(struct vpc *v, const struct net_eni *w, int index, unsigned slot,
    int ns)
{
	_cleanup_free_ char *outer = outer_name(w->id);
	_cleanup_free_ char *inner = xasprintf("eth%u", slot);
	struct rtnl_end one = {outer, index, gateway_mac, -1};
	struct rtnl_end other = {inner, (int)(FIRST_INNER + slot), w->mac, ns};
	unsigned char mac[6];
	memcpy(mac, w->mac, sizeof(mac));
	rtnl_veth(&v->rt, &one, &other, MTU);
	rtnl_addr(&v->rt, index, w->subnet.addr + 1, 32);
	rtnl_link(&v->rt, index, true, NULL);
	rtnl_neigh(&v->rt, index, w->addr, mac);
	rtnl_route(&v->rt, &(struct rtnl_route){.dst = w->addr, .len = 32,
			       .index = index});
	return err_trace(rtnl_send(&v->rt));
}

/* The first interface is the way out; what came in by another one leaves by
 * it again, because its address looks into a table of its own. */
static int
make_inner(const struct net_eni *w, unsigned slot, bool fresh, int ns)
{
	_cleanup_(rtnl_done) struct rtnl rt = RTNL_INIT;
	int index = (int)(FIRST_INNER + slot);
	uint32_t gw = w->subnet.addr + 1;
	uint32_t table = slot ? TABLE + slot : 0;
	int e = ns_enter(ns);
	if (e == 0)
		e = rtnl_open(&rt);
	ns_leave();
	if (e)
		return err_trace(e);
	if (fresh)
		rtnl_link(&rt, 1, true, NULL);
	rtnl_addr(&rt, index, w->addr, w->subnet.len);
	rtnl_link(&rt, index, true, NULL);
	rtnl_neigh(&rt, index, gw, gateway_mac);
	rtnl_route(&rt, &(struct rtnl_route){.dst = gw, .len = 32,
			    .index = index, .table = table});
	rtnl_route(&rt, &(struct rtnl_route){.via = gw, .index = index,
			    .table = table});
	if (slot)
		rtnl_rule(&rt, w->addr, table);
	return err_trace(rtnl_send(&rt));
}

static int
owner_open(struct nets *n, const struct net_eni *w, int *ret_fd,
    bool *ret_fresh)
{
	_cleanup_free_ char *netns = xstrndup(w->netns.p, w->netns.n);
	_cleanup_free_ char *name = owner_ns(n, netns);
	_cleanup_close_ int fd = -1;
	int e = ns_open(name, true, &fd, ret_fresh);
	if (e)
		return err_trace(e);
	if (*ret_fresh) {
		e = ns_enter(fd);
		if (e == 0)
			e = ns_sysctl(owner_sysctls);
		ns_leave();
	}
	if (e)
		return err_trace(e);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
eni_up(struct nets *n, struct vpc *v, const struct net_eni *w)
{
	unsigned slot = free_slot(v, w->netns);
	_cleanup_free_ char *alias = eni_alias(w, slot);
	_cleanup_close_ int ns = -1;
	bool fresh;
	int index = v->next_index++;
	int e = owner_open(n, w, &ns, &fresh);
	if (e)
		return err_trace(e);
	e = make_wire(v, w, index, slot, ns);
	if (e == -EEXIST) {
		/* Its forerunner's namespace is still ending. */
		_cleanup_free_ char *outer = outer_name(w->id);
		rtnl_link_del_name(&v->rt, outer);
		e = rtnl_send(&v->rt);
		if (e == 0 || e == -ENODEV)
			e = make_wire(v, w, index, slot, ns);
	}
	/* lo must be up, also when a crash came between the steps. */
	if (e == 0)
		e = make_inner(w, slot, slot == 0, ns);
	if (e == 0) {
		rtnl_link(&v->rt, index, true, alias);
		e = rtnl_send(&v->rt);
	}
	/* After a failure it has no alias; the next try takes it away. */
	if (e)
		return err_trace(e);
	struct eni *made = eni_add(v, w->id, w->netns, index, slot, alias);
	made->wanted = made->fresh = true;
	return 0;
}

static bool
has_left(const struct vpc *v, uint32_t addr)
{
	for (size_t i = 0; i < v->left.n; i += sizeof(addr))
		if (memcmp(v->left.p + i, &addr, sizeof(addr)) == 0)
			return true;
	return false;
}

static void
note_left(struct vpc *v, uint32_t addr)
{
	if (!has_left(v, addr))
		buf_add(&v->left, &addr, sizeof(addr));
}

/* Of the wire's address, see eni_alias(). */
static uint32_t
eni_addr(const struct eni *e)
{
	struct span rest = span_of(e->alias);
	for (int i = 0; i < 3; i++)
		span_cut(&rest, ' ');
	return (uint32_t)strtoul(rest.p, NULL, 16);
}

/* Deleting a wire waits 20 ms for the kernel; ending its namespace does not.
 * Until that has happened the outer end is down and says that it is gone. */
static int
eni_down(struct nets *n, struct vpc *v, struct eni *e)
{
	bool shared = false;
	for (const struct eni *o = v->enis; o; o = o->hh.next)
		shared |= o != e && strcmp(o->netns, e->netns) == 0;
	if (shared)
		rtnl_link_del(&v->rt, e->index);
	else
		rtnl_link(&v->rt, e->index, false, GONE);
	int r = rtnl_send(&v->rt);
	if (r == -ENODEV)
		r = 0;
	if (!shared) {
		_cleanup_free_ char *name = owner_ns(n, e->netns);
		int r2 = ns_remove(name);
		r = r ? r : r2;
	}
	note_left(v, eni_addr(e));
	HASH_DEL(v->enis, e);
	eni_free(e);
	return err_trace(r);
}

static bool
same_wire(const struct eni *e, const struct net_eni *w)
{
	_cleanup_free_ char *alias = eni_alias(w, e->slot);
	return strcmp(alias, e->alias) == 0;
}

/* Marks what stays.  A wire that shall differ goes at once, so that its name
 * and namespace are free. */
static int
mark_enis(struct nets *n, struct vpc *v, const struct net_vpc *w)
{
	for (struct eni *e = v->enis; e; e = e->hh.next)
		e->wanted = false;
	for (size_t i = 0; i < w->n_enis; i++) {
		struct eni *e;
		HASH_FIND(hh, v->enis, w->enis[i].id.p, w->enis[i].id.n, e);
		if (!e)
			continue;
		if (same_wire(e, &w->enis[i])) {
			e->wanted = true;
			continue;
		}
		rtnl_link_del(&v->rt, e->index);
		int r = rtnl_send(&v->rt);
		if (r && r != -ENODEV)
			return err_trace(r);
		r = eni_down(n, v, e);
		if (r)
			return err_trace(r);
	}
	return 0;
}

static int
add_enis(struct nets *n, struct vpc *v, const struct net_vpc *w)
{
	for (size_t i = 0; i < w->n_enis; i++) {
		struct eni *e;
		HASH_FIND(hh, v->enis, w->enis[i].id.p, w->enis[i].id.n, e);
		if (e)
			continue;
		int r = eni_up(n, v, &w->enis[i]);
		if (r)
			return err_trace(r);
	}
	return 0;
}

static int
drop_enis(struct nets *n, struct vpc *v)
{
	struct eni *e, *tmp;
	int result = 0;
	HASH_ITER(hh, v->enis, e, tmp)
	{
		if (e->wanted)
			continue;
		int r = eni_down(n, v, e);
		result = result ? result : r;
	}
	return err_trace(result);
}

/* Public addresses on the host */

static void
drop_route(struct vpc *v, struct host_route *r)
{
	note_left(v, r->addr);
	HASH_DEL(v->routes, r);
	free(r);
}

/* A route replaces that of the VPC which had the address, and is then the only
 * one: should it come back, it must be made again. */
static void
forget_route(struct nets *n, uint32_t addr)
{
	for (struct vpc *v = n->vpcs; v; v = v->hh.next) {
		struct host_route *r;
		HASH_FIND(hh, v->routes, &addr, sizeof(addr), r);
		if (r)
			drop_route(v, r);
	}
}

static void
want_route(struct nets *n, struct vpc *v, uint32_t addr)
{
	struct host_route *r;
	HASH_FIND(hh, v->routes, &addr, sizeof(addr), r);
	if (!r) {
		forget_route(n, addr);
		v->end_now |= has_left(v, addr);
		r = xcalloc(1, sizeof(*r));
		r->addr = addr;
		HASH_ADD(hh, v->routes, addr, sizeof(r->addr), r);
		rtnl_route(&n->rt, &(struct rtnl_route){.dst = addr, .len = 32,
				       .via = ROUTER_SIDE,
				       .index = v->host_link});
	}
	r->wanted = true;
}

static int
sync_routes(struct nets *n, struct vpc *v, const struct net_vpc *w)
{
	struct host_route *r, *tmp;
	for (r = v->routes; r; r = r->hh.next)
		r->wanted = false;
	for (size_t i = 0; i < w->n_enis; i++)
		if (w->enis[i].public_addr && w->enis[i].internet)
			want_route(n, v, w->enis[i].public_addr);
	for (size_t i = 0; i < w->n_nats; i++)
		if (w->nats[i].public_addr)
			want_route(n, v, w->nats[i].public_addr);
	HASH_ITER(hh, v->routes, r, tmp)
	{
		if (r->wanted)
			continue;
		rtnl_route_del(&n->rt, &(struct rtnl_route){.dst = r->addr,
					   .len = 32, .via = ROUTER_SIDE,
					   .index = v->host_link});
		drop_route(v, r);
	}
	int e = rtnl_send(&n->rt);
	/* One that somebody took away is away. */
	return e == -ESRCH ? 0 : err_trace(e);
}

/* Connections */

static bool
has_addr(const struct net_vpc *w, uint32_t addr)
{
	for (size_t i = 0; i < w->n_enis; i++)
		if (w->enis[i].addr == addr)
			return true;
	return false;
}

/* Public addresses that went from one interface to another, or from one that
 * stays. */
static void
note_moved(struct vpc *v, const struct net_vpc *w, const struct fw *to)
{
	static const char name[] = "private-of";
	const struct fw_set *old = v->fw ? fw_find_set(v->fw, name) : NULL;
	const struct fw_set *new = fw_find_set(to, name);
	for (size_t i = 0, k = 0; old && i < old->n; i++) {
		const struct fw_elem *was = &old->v[i];
		while (k < new->n && new->v[k].key < was->key)
			k++;
		bool there = k < new->n && new->v[k].key == was->key;
		if (there && new->v[k].addr == was->addr)
			continue;
		note_left(v, was->key);
		v->end_now |= there || has_addr(w, was->addr);
	}
}

static bool
has_nat(const struct net_vpc *w, uint32_t public)
{
	for (size_t i = 0; i < w->n_nats; i++)
		if (w->nats[i].public_addr == public)
			return true;
	return false;
}

/* Gateways that go: what is only sent, and never answered, would stay with
 * their address for as long as it is sent. */
static void
note_nats(struct vpc *v, struct arena *a, const struct net_vpc *w)
{
	for (size_t i = 0; i < v->n_nats; i++)
		if (!has_nat(w, v->nats[i])) {
			note_left(v, v->nats[i]);
			v->end_now = true;
		}
	v->n_nats = 0;
	v->nats = arena_array(a, uint32_t, w->n_nats);
	for (size_t i = 0; i < w->n_nats; i++)
		if (w->nats[i].public_addr)
			v->nats[v->n_nats++] = w->nats[i].public_addr;
}

/* The firewall asks no rule for what is established, so an address must not
 * come to its next owner with connections.  Looking through all that the host
 * tracks takes 10 ms and more, so it waits until the address is needed again,
 * which most are not for long. */
static int
end_connections(struct vpc *v)
{
	for (struct eni *e = v->enis; e; e = e->hh.next) {
		v->end_now |= e->fresh && has_left(v, eni_addr(e));
		e->fresh = false;
	}
	if (!v->end_now)
		return 0;
	int e = nfnl_end_connections(v->nf, (const void *)v->left.p,
	    v->left.n / sizeof(uint32_t));
	if (e)
		return err_trace(e);
	buf_clear(&v->left);
	v->end_now = false;
	return 0;
}

static int
check_pool(const struct nets *n, const struct net_vpc *w)
{
	for (size_t i = 0; i < w->n_enis; i++)
		if (w->enis[i].public_addr &&
		    !net_in(n->pool, w->enis[i].public_addr))
			return err_origin(EINVAL,
			    "public address of %.*s is not of the pool",
			    SPAN_ARG(w->enis[i].id));
	for (size_t i = 0; i < w->n_nats; i++)
		if (w->nats[i].public_addr &&
		    !net_in(n->pool, w->nats[i].public_addr))
			return err_origin(EINVAL,
			    "public address of %.*s is not of the pool",
			    SPAN_ARG(w->nats[i].id));
	return 0;
}

int
nets_sync(struct nets *n, const struct net_vpc *w)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct vpc *v;
	CHECK_OBJ(n, NETS_MAGIC);
	int e = check_pool(n, w);
	HASH_FIND(hh, n->vpcs, w->id.p, w->id.n, v);
	if (e == 0 && !v)
		e = vpc_open(n, w->id, &v);
	if (e == 0)
		e = mark_enis(n, v, w);
	if (e == 0)
		e = sync_cidrs(v, w);
	if (e == 0)
		e = add_enis(n, v, w);
	if (e)
		return err_trace(e);
	struct fw *fw = fw_build(a, w);
	note_moved(v, w, fw);
	e = apply_diff(v, a, fw);
	if (e) {
		v->fw = NULL;
		return err_trace(e);
	}
	v->fw = fw;
	copy_cidrs(v, a, w);
	note_nats(v, a, w);
	arena_free(v->applied);
	v->applied = TAKE_PTR(a);
	e = drop_enis(n, v);
	int e2 = sync_routes(n, v, w);
	int e3 = end_connections(v);
	return err_trace(e ? e : e2 ? e2 : e3);
}

int
nets_remove(struct nets *n, struct span id)
{
	struct vpc *v;
	struct eni *x;
	CHECK_OBJ(n, NETS_MAGIC);
	HASH_FIND(hh, n->vpcs, id.p, id.n, v);
	if (!v)
		return 0;
	for (x = v->enis; x; x = x->hh.next)
		x->wanted = false;
	int e = drop_enis(n, v);
	if (v->host_link) {
		rtnl_link_del(&n->rt, v->host_link);
		int e2 = rtnl_send(&n->rt);
		e = e || e2 == -ENODEV ? e : e2;
	}
	int e3 = ns_remove(v->ns);
	vpc_free(n, v);
	return err_trace(e ? e : e3);
}

struct span *
nets_list(struct nets *n, struct arena *a, size_t *ret_n)
{
	struct span *ids = arena_array(a, struct span, HASH_COUNT(n->vpcs));
	size_t k = 0;
	for (struct vpc *v = n->vpcs; v; v = v->hh.next)
		ids[k++] = arena_span(a, span_of(v->id));
	*ret_n = k;
	return ids;
}

int
nets_clean(struct nets *n)
{
	struct vpc *v, *tmp;
	int result = 0;
	HASH_ITER(hh, n->vpcs, v, tmp)
	{
		int e = nets_remove(n, span_of(v->id));
		result = result ? result : e;
	}
	return err_trace(result);
}

/* What was found at start */

struct names {
	struct arena *a;
	struct span *v;
	size_t n, cap;
};

static void
add_name(void *ctx, const char *name)
{
	struct names *l = ctx;
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		l->v = arena_grow(l->a, l->v, l->cap * sizeof(*l->v),
		    cap * sizeof(*l->v));
		l->cap = cap;
	}
	l->v[l->n++] = arena_span(l->a, span_of(name));
}

static bool
netns_used(const struct nets *n, struct span netns)
{
	for (const struct vpc *v = n->vpcs; v; v = v->hh.next)
		for (const struct eni *e = v->enis; e; e = e->hh.next)
			if (span_is(netns, e->netns))
				return true;
	return false;
}

static int
adopt_all(struct nets *n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span prefix = arena_fmt_span(a, "%s-", n->instance);
	struct names l = {.a = a};
	struct vpc *v;
	int e = ns_list(prefix, add_name, &l);
	for (size_t i = 0; e == 0 && i < l.n; i++) {
		struct span id = span_from(l.v[i], prefix.n);
		if (net_id_ok(id, "vpc-"))
			e = vpc_open(n, id, &v);
	}
	for (size_t i = 0; e == 0 && i < l.n; i++) {
		struct span netns = span_from(l.v[i], prefix.n);
		if (net_netns_ok(netns) && !netns_used(n, netns))
			e = ns_remove(l.v[i].p);
	}
	return err_trace(e);
}

int
nets_sweep(const char *instance)
{
	static const char *const kinds[] = {"vpc-", "task-", "lb-"};
	_cleanup_arena_ struct arena *a = arena_new();
	struct span prefix = arena_fmt_span(a, "%s-", instance);
	struct names l = {.a = a};
	int result = ns_list(prefix, add_name, &l);
	for (size_t i = 0; i < l.n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
			if (!span_starts(span_from(l.v[i], prefix.n),
				span_of(kinds[k])))
				continue;
			int e = ns_remove(l.v[i].p);
			result = result ? result : e;
		}
	return err_trace(result);
}

int
nets_new(const char *instance, struct net_cidr pool, struct nets **ret)
{
	struct nets *n;
	if (strlen(instance) < 1 || strlen(instance) > 8)
		return err_origin(EINVAL, "instance '%s': 1 to 8 letters",
		    instance);
	ALLOC_OBJ(n, NETS_MAGIC);
	n->instance = xstrdup(instance);
	n->pool = pool;
	int e = rtnl_open(&n->rt);
	if (e == 0)
		e = adopt_all(n);
	if (e) {
		nets_free(n);
		return err_trace(e);
	}
	*ret = n;
	return 0;
}

void
nets_free(struct nets *n)
{
	struct vpc *v, *tmp;
	if (!n)
		return;
	CHECK_OBJ(n, NETS_MAGIC);
	HASH_ITER(hh, n->vpcs, v, tmp)
		vpc_free(n, v);
	rtnl_done(&n->rt);
	free(n->instance);
	FREE_OBJ(n);
}
