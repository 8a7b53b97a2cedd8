/* Set and map elements over netlink: the hot path of the firewall.  One batch
 * is one transaction; 0.1 ms where an nft process takes 5.  And the ends of
 * connections. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "warden/net-fw.h"

/* Elements in one message, so that its 16-bit list attribute holds them. */
#define ELEMS_A_MESSAGE 400
#define MESSAGE_ROOM	(ELEMS_A_MESSAGE * 128 + 512)

int
nfnl_open(int *ret_fd)
{
	_cleanup_close_ int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return err_origin(errno, "netfilter socket");
	struct sockaddr_nl me = {.nl_family = AF_NETLINK};
	if (bind(fd, (struct sockaddr *)&me, sizeof(me)) < 0)
		return err_origin(errno, "netfilter socket: bind");
	int one = 1, room = 1 << 20;
	/* Errors need not carry the request back. */
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static struct nlmsghdr *
message(struct buf *b, uint16_t type, uint16_t flags, uint32_t seq)
{
	buf_reserve(b, MESSAGE_ROOM);
	struct nlmsghdr *h = mnl_nlmsg_put_header(b->p + b->n);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = seq;
	bool batch = type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END;
	struct nfgenmsg *g =
	    mnl_nlmsg_put_extra_header(h, sizeof(struct nfgenmsg));
	g->nfgen_family = batch ? AF_UNSPEC : NFPROTO_IPV4;
	g->version = NFNETLINK_V0;
	g->res_id = batch ? htons(NFNL_SUBSYS_NFTABLES) : 0;
	return h;
}

static void
put_elem(struct nlmsghdr *h, const struct fw_elem_change *c)
{
	struct nlattr *e = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	struct nlattr *key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
	mnl_attr_put_u32(h, NFTA_DATA_VALUE, htonl(c->elem.key));
	mnl_attr_nest_end(h, key);
	if (c->type != FW_ADDRS) {
		struct nlattr *data = mnl_attr_nest_start(h, NFTA_SET_ELEM_DATA);
		if (c->type == FW_ADDR_MAP) {
			mnl_attr_put_u32(h, NFTA_DATA_VALUE,
			    htonl(c->elem.addr));
		} else {
			struct nlattr *v =
			    mnl_attr_nest_start(h, NFTA_DATA_VERDICT);
			mnl_attr_put_u32(h, NFTA_VERDICT_CODE,
			    htonl((uint32_t)NFT_GOTO));
			mnl_attr_put_strz(h, NFTA_VERDICT_CHAIN, c->elem.chain);
			mnl_attr_nest_end(h, v);
		}
		mnl_attr_nest_end(h, data);
	}
	mnl_attr_nest_end(h, e);
}

/* Messages for v, each of one set; all but empty ones ask for an answer. */
static void
put_changes(struct buf *b, uint32_t *seq, int op,
    const struct fw_elem_change *v, size_t n)
{
	uint16_t type = (NFNL_SUBSYS_NFTABLES << 8) | op;
	for (size_t i = 0; i < n;) {
		struct nlmsghdr *h = message(b, type, NLM_F_ACK |
		    (op == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), ++*seq);
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, "vpc");
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, v[i].set);
		struct nlattr *list =
		    mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
		const char *set = v[i].set;
		for (size_t k = 0; i < n && k < ELEMS_A_MESSAGE &&
		    strcmp(v[i].set, set) == 0; i++, k++)
			put_elem(h, &v[i]);
		mnl_attr_nest_end(h, list);
		b->n += h->nlmsg_len;
	}
}

/* The kernel worked through the batch before send() returned; all answers are
 * waiting.  Reads until the last message's, or an error of the whole batch. */
static int
read_answers(int fd, uint32_t last)
{
	_cleanup_free_ char *in = xmalloc(32768);
	for (;;) {
		ssize_t n = recv(fd, in, 32768, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_origin(errno, "netfilter: no answer");
		int left = (int)n;
		for (struct nlmsghdr *h = (void *)in; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			if (e->error)
				return err_origin(-e->error,
				    "netfilter: element change %u refused",
				    h->nlmsg_seq);
			if (h->nlmsg_seq == last)
				return 0;
		}
	}
}

/* What a failed batch left unread must not answer the next one. */
static void
drain(int fd)
{
	char c;
	while (recv(fd, &c, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
		continue;
}

static int
send_to_kernel(int fd, const void *p, size_t n)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	if (sendto(fd, p, n, 0, (struct sockaddr *)&kernel,
		sizeof(kernel)) < 0)
		return err_origin(errno, "netfilter: send");
	return 0;
}

int
nfnl_apply(int fd, const struct fw_diff *d)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	uint32_t seq = 1;
	AZ(d->structure);
	if (fw_diff_empty(d))
		return 0;
	b.n += message(&b, NFNL_MSG_BATCH_BEGIN, 0, seq)->nlmsg_len;
	put_changes(&b, &seq, NFT_MSG_DELSETELEM, d->del, d->n_del);
	put_changes(&b, &seq, NFT_MSG_NEWSETELEM, d->add, d->n_add);
	uint32_t last = seq;
	b.n += message(&b, NFNL_MSG_BATCH_END, 0, ++seq)->nlmsg_len;
	drain(fd);
	int e = send_to_kernel(fd, b.p, b.n);
	return err_trace(e ? e : read_answers(fd, last));
}

/* --- connections ------------------------------------------------------- */

static bool
tuple_has(const struct nlattr *tuple, const uint32_t *addrs, size_t n)
{
	const struct nlattr *part, *at;
	mnl_attr_for_each_nested(part, tuple) {
		if (mnl_attr_get_type(part) != CTA_TUPLE_IP)
			continue;
		mnl_attr_for_each_nested(at, part)
			for (size_t i = 0; i < n; i++)
				if (mnl_attr_get_payload_len(at) == 4 &&
				    ntohl(mnl_attr_get_u32(at)) == addrs[i])
					return true;
	}
	return false;
}

/* The message that ends a connection, if it has one of the addresses. */
static void
put_end(struct buf *b, const struct nlmsghdr *c, const uint32_t *addrs,
    size_t n)
{
	const struct nlattr *at, *orig = NULL;
	bool has = false;
	mnl_attr_for_each(at, c, sizeof(struct nfgenmsg)) {
		int type = mnl_attr_get_type(at);
		if (type == CTA_TUPLE_ORIG)
			orig = at;
		if (type == CTA_TUPLE_ORIG || type == CTA_TUPLE_REPLY)
			has |= tuple_has(at, addrs, n);
	}
	if (!has || !orig)
		return;
	struct nlmsghdr *h = message(b, (NFNL_SUBSYS_CTNETLINK << 8) |
	    IPCTNL_MSG_CT_DELETE, 0, 0);
	mnl_attr_put(h, CTA_TUPLE_ORIG | NLA_F_NESTED,
	    mnl_attr_get_payload_len(orig), mnl_attr_get_payload(orig));
	b->n += h->nlmsg_len;
}

static int
list_ends(int fd, const uint32_t *addrs, size_t n, struct buf *ends)
{
	_cleanup_free_ char *in = xmalloc(32768);
	for (;;) {
		ssize_t got = recv(fd, in, 32768, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_origin(errno, "conntrack: no answer");
		int left = (int)got;
		for (struct nlmsghdr *h = (void *)in; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return err_origin(-e->error,
				    "conntrack: refused");
			put_end(ends, h, addrs, n);
		}
	}
}

int
nfnl_end_connections(int fd, const uint32_t *addrs, size_t n)
{
	_cleanup_(buf_done) struct buf ends = BUF_INIT, ask = BUF_INIT;
	const struct nlmsghdr *h = message(&ask, (NFNL_SUBSYS_CTNETLINK << 8) |
	    IPCTNL_MSG_CT_GET, NLM_F_DUMP, 1);
	drain(fd);
	int e = send_to_kernel(fd, h, h->nlmsg_len);
	if (e == 0)
		e = list_ends(fd, addrs, n, &ends);
	/* Only those that ended meanwhile are answered, with ENOENT. */
	for (size_t at = 0; e == 0 && at < ends.n; at += h->nlmsg_len) {
		h = (const void *)(ends.p + at);
		e = send_to_kernel(fd, h, h->nlmsg_len);
		drain(fd);
	}
	return err_trace(e);
}
