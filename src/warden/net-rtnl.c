/* Routing netlink: builds messages in a buffer, sends them at once. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "warden/net-rtnl.h"

#define MESSAGE_ROOM 1024
#define READ_ROOM    32768

int
rtnl_open(struct rtnl *r)
{
	_cleanup_close_ int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return err_origin(errno, "netlink socket");
	struct sockaddr_nl me = {.nl_family = AF_NETLINK};
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) < 0)
		return err_origin(errno, "netlink socket: bind");
	int one = 1;
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	*r = RTNL_INIT;
	r->fd = TAKE_FD(fd);
	return 0;
}

void
rtnl_done(struct rtnl *r)
{
	close_p(&r->fd);
	buf_done(&r->out);
}

static struct nlmsghdr *
begin(struct rtnl *r, uint16_t type, uint16_t flags)
{
	buf_reserve(&r->out, MESSAGE_ROOM);
	struct nlmsghdr *h = mnl_nlmsg_put_header(r->out.p + r->out.n);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = ++r->seq;
	return h;
}

static void
end(struct rtnl *r, struct nlmsghdr *h)
{
	AN(h->nlmsg_len <= MESSAGE_ROOM);
	r->out.n += h->nlmsg_len;
	r->queued++;
}

/* What a failed exchange left unread must not answer the next one. */
static void
drain(struct rtnl *r)
{
	char c;
	while (recv(r->fd, &c, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
		continue;
}

static int
send_all(struct rtnl *r)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	drain(r);
	ssize_t n = sendto(r->fd, r->out.p, r->out.n, 0,
	    (struct sockaddr *)&kernel, sizeof(kernel));
	int saved = errno;
	buf_clear(&r->out);
	r->queued = 0;
	return n < 0 ? err_origin(saved, "netlink: send") : 0;
}

typedef void (*message_fn)(void *ctx, const struct nlmsghdr *h);

/* Reads until the answer to message `last` or the end of a dump.  The first
 * error is the result; the others are read past. */
static int
receive(struct rtnl *r, uint32_t last, message_fn fn, void *ctx)
{
	_cleanup_free_ char *in = xmalloc(READ_ROOM);
	int result = 0;
	for (;;) {
		ssize_t n = recv(r->fd, in, READ_ROOM, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_origin(errno, "netlink: receive");
		int left = (int)n;
		for (struct nlmsghdr *h = (void *)in; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
			if (h->nlmsg_type == NLMSG_DONE)
				return result;
			if (h->nlmsg_type != NLMSG_ERROR) {
				if (fn)
					fn(ctx, h);
				continue;
			}
			if (e->error && result == 0)
				result = err_origin(-e->error,
				    "netlink: message type %u: %s",
				    e->msg.nlmsg_type, strerror(-e->error));
			if (h->nlmsg_seq == last)
				return result;
		}
	}
}

int
rtnl_send(struct rtnl *r)
{
	if (r->queued == 0)
		return 0;
	/* Only the last message asks for an answer; failures tell anyway. */
	struct nlmsghdr *h = (void *)r->out.p;
	for (int left = (int)r->out.n; h->nlmsg_seq != r->seq;)
		h = mnl_nlmsg_next(h, &left);
	h->nlmsg_flags |= NLM_F_ACK;
	int e = send_all(r);
	if (e)
		return err_trace(e);
	return err_trace(receive(r, r->seq, NULL, NULL));
}

static void
put_end(struct nlmsghdr *h, const struct rtnl_end *v, uint32_t mtu)
{
	mnl_attr_put_strz(h, IFLA_IFNAME, v->name);
	mnl_attr_put(h, IFLA_ADDRESS, 6, v->mac);
	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	if (v->ns >= 0)
		mnl_attr_put_u32(h, IFLA_NET_NS_FD, (uint32_t)v->ns);
}

void
rtnl_veth(struct rtnl *r, const struct rtnl_end *one,
    const struct rtnl_end *other, uint32_t mtu)
{
	struct nlmsghdr *h =
	    begin(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = one->index;
	put_end(h, one, mtu);
	struct nlattr *info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = other->index;
	put_end(h, other, mtu);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	end(r, h);
}

void
rtnl_link(struct rtnl *r, int index, bool up, const char *alias)
{
	struct nlmsghdr *h = begin(r, RTM_SETLINK, 0);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = index;
	i->ifi_change = IFF_UP;
	i->ifi_flags = up ? IFF_UP : 0;
	if (alias)
		mnl_attr_put_str(h, IFLA_IFALIAS, alias);
	end(r, h);
}

void
rtnl_link_del(struct rtnl *r, int index)
{
	struct nlmsghdr *h = begin(r, RTM_DELLINK, 0);
	struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifi_index = index;
	end(r, h);
}

void
rtnl_link_del_name(struct rtnl *r, const char *name)
{
	struct nlmsghdr *h = begin(r, RTM_DELLINK, 0);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	end(r, h);
}

static void
put_addr(struct rtnl *r, int type, int flags, int index, uint32_t addr,
    uint8_t len)
{
	struct nlmsghdr *h = begin(r, type, flags);
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));
	i->ifa_family = AF_INET;
	i->ifa_prefixlen = len;
	i->ifa_index = (uint32_t)index;
	mnl_attr_put_u32(h, IFA_LOCAL, htonl(addr));
	mnl_attr_put_u32(h, IFA_ADDRESS, htonl(addr));
	mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
	end(r, h);
}

void
rtnl_addr(struct rtnl *r, int index, uint32_t addr, uint8_t len)
{
	put_addr(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, addr, len);
}

void
rtnl_addr_del(struct rtnl *r, int index, uint32_t addr, uint8_t len)
{
	put_addr(r, RTM_DELADDR, 0, index, addr, len);
}

void
rtnl_neigh(struct rtnl *r, int index, uint32_t addr, const unsigned char *mac)
{
	struct nlmsghdr *h =
	    begin(r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *n = mnl_nlmsg_put_extra_header(h, sizeof(*n));
	n->ndm_family = AF_INET;
	n->ndm_ifindex = index;
	n->ndm_state = NUD_PERMANENT;
	mnl_attr_put_u32(h, NDA_DST, htonl(addr));
	mnl_attr_put(h, NDA_LLADDR, 6, mac);
	end(r, h);
}

void
rtnl_rule(struct rtnl *r, uint32_t addr, uint32_t table)
{
	struct nlmsghdr *h =
	    begin(r, RTM_NEWRULE, NLM_F_CREATE);
	struct fib_rule_hdr *f = mnl_nlmsg_put_extra_header(h, sizeof(*f));
	f->family = AF_INET;
	f->src_len = 32;
	f->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(h, FRA_SRC, htonl(addr));
	mnl_attr_put_u32(h, FRA_TABLE, table);
	end(r, h);
}

static void
put_route(struct rtnl *r, uint16_t type, uint16_t flags,
    const struct rtnl_route *v)
{
	struct nlmsghdr *h = begin(r, type, flags);
	struct rtmsg *t = mnl_nlmsg_put_extra_header(h, sizeof(*t));
	t->rtm_family = AF_INET;
	t->rtm_dst_len = v->len;
	t->rtm_table = RT_TABLE_UNSPEC;
	t->rtm_protocol = RTPROT_STATIC;
	t->rtm_type = v->index ? RTN_UNICAST
	    : v->reject	       ? RTN_UNREACHABLE
			       : RTN_BLACKHOLE;
	t->rtm_scope = v->index && !v->via ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	t->rtm_flags = v->via ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(h, RTA_TABLE, v->table ? v->table : RT_TABLE_MAIN);
	mnl_attr_put_u32(h, RTA_DST, htonl(v->dst));
	if (v->via)
		mnl_attr_put_u32(h, RTA_GATEWAY, htonl(v->via));
	if (v->index)
		mnl_attr_put_u32(h, RTA_OIF, (uint32_t)v->index);
	end(r, h);
}

void
rtnl_route(struct rtnl *r, const struct rtnl_route *v)
{
	put_route(r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, v);
}

void
rtnl_route_del(struct rtnl *r, const struct rtnl_route *v)
{
	put_route(r, RTM_DELROUTE, 0, v);
}

struct links_ctx {
	void (*fn)(void *, const struct rtnl_info *);
	void *ctx;
};

static void
on_link(void *p, const struct nlmsghdr *h)
{
	const struct links_ctx *c = p;
	struct rtnl_info info = {.name = "", .alias = ""};
	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	struct nlattr *at;
	info.index = i->ifi_index;
	mnl_attr_for_each(at, h, sizeof(*i))
	{
		if (mnl_attr_get_type(at) == IFLA_IFNAME)
			info.name = mnl_attr_get_str(at);
		if (mnl_attr_get_type(at) == IFLA_IFALIAS)
			info.alias = mnl_attr_get_str(at);
	}
	c->fn(c->ctx, &info);
}

int
rtnl_links(struct rtnl *r, void (*fn)(void *, const struct rtnl_info *),
    void *ctx)
{
	struct links_ctx c = {fn, ctx};
	AZ(r->queued);
	struct nlmsghdr *h = begin(r, RTM_GETLINK, NLM_F_DUMP);
	mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	end(r, h);
	int e = send_all(r);
	if (e)
		return err_trace(e);
	return err_trace(receive(r, 0, on_link, &c));
}

struct hosts_ctx {
	int index;
	void (*fn)(void *, uint32_t);
	void *ctx;
};

static void
on_route(void *p, const struct nlmsghdr *h)
{
	const struct hosts_ctx *c = p;
	if (h->nlmsg_type != RTM_NEWROUTE)
		return;
	const struct rtmsg *t = mnl_nlmsg_get_payload(h);
	struct nlattr *at;
	uint32_t dst = 0, oif = 0;
	mnl_attr_for_each(at, h, sizeof(*t))
	{
		if (mnl_attr_get_type(at) == RTA_DST)
			dst = ntohl(mnl_attr_get_u32(at));
		if (mnl_attr_get_type(at) == RTA_OIF)
			oif = mnl_attr_get_u32(at);
	}
	if (t->rtm_family == AF_INET && t->rtm_dst_len == 32 &&
	    t->rtm_table == RT_TABLE_MAIN && oif == (uint32_t)c->index)
		c->fn(c->ctx, dst);
}

int
rtnl_hosts(struct rtnl *r, int index, void (*fn)(void *, uint32_t), void *ctx)
{
	struct hosts_ctx c = {index, fn, ctx};
	AZ(r->queued);
	struct nlmsghdr *h = begin(r, RTM_GETROUTE, NLM_F_DUMP);
	struct rtmsg *t = mnl_nlmsg_put_extra_header(h, sizeof(*t));
	t->rtm_family = AF_INET;
	end(r, h);
	int e = send_all(r);
	if (e)
		return err_trace(e);
	return err_trace(receive(r, 0, on_route, &c));
}
