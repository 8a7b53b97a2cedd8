/*
 * The firewall and address translation of one VPC as data: fw_build() is a
 * pure function of struct net_vpc; fw_diff() says what turns one into another;
 * fw_script() writes that as text, nfnl_apply() as netlink messages.
 *
 *	from-eni	prerouting, before translation: what an interface may
 *			send.  By source address to the rules of its groups.
 *	leave		then, of what leaves its subnet: the network ACL, and the
 *			subnet's route table by the most specific route.
 *	arrive		postrouting, after translation: the ACL of the subnet
 *			that it comes to.
 *	to-eni		postrouting, after translation: what an interface may
 *			receive.  By destination address to its groups' rules.
 *	to-router	what is sent to the VPC's router itself: nothing.
 *	dnat, snat	public to private addresses and back.
 *
 * ACLs are asked for every packet, of answers, too.  A NAT gateway is a chain
 * that marks the connection with the gateway's private address, and a rule of
 * the translation for that mark; its own subnet's table and ACL are asked there.
 *
 * Both checks see addresses as AWS's do: the internet gateway's translation
 * lies between them, so traffic to a neighbour's public address carries public
 * addresses and no longer matches rules that name a group.
 * docs.aws.amazonaws.com/vpc/latest/userguide/vpc-security-groups.html
 *
 * Interfaces appear only as elements of sets and maps, never in rules: one
 * more or less costs a netlink message whatever the size of the VPC.
 */
#pragma once

#include "warden/net.h"

enum fw_type { FW_ADDRS, FW_ADDR_MAP, FW_CHAIN_MAP };

struct fw_elem {
	uint32_t key;	     /* an address, host byte order */
	uint32_t addr;	     /* FW_ADDR_MAP */
	const char *chain;   /* FW_CHAIN_MAP: where to go */
};

struct fw_set {
	const char *name;
	enum fw_type type;
	struct fw_elem *v;   /* by key, each key once */
	size_t n;
	size_t cap;
};

struct fw_chain {
	const char *name;
	const char *hook;    /* NULL: not a base chain */
	const char *rules;   /* one a line, each ends in '\n' */
};

struct fw {
	struct fw_set *sets; /* by name */
	size_t n_sets;
	struct fw_chain *chains; /* by name */
	size_t n_chains;
};

/* Everything of the result is the arena's; nothing borrows from v.  Two
 * interfaces with one address: the later wins.  A group that is not listed
 * has no rules and so allows nothing. */
struct fw *fw_build(struct arena *a, const struct net_vpc *v);
/* NULL: there is none of that name. */
struct fw_set *fw_find_set(const struct fw *fw, const char *name);

enum fw_what { FW_DEL, FW_ADD };

struct fw_elem_change {
	const char *set;
	enum fw_type type;
	struct fw_elem elem;
};

struct fw_diff {
	/* Chains and sets differ, not only elements. */
	bool structure;
	const struct fw_set **new_sets, **old_sets;
	size_t n_new_sets, n_old_sets;
	const struct fw_chain **new_chains, **changed_chains, **old_chains;
	size_t n_new_chains, n_changed_chains, n_old_chains;
	struct fw_elem_change *del, *add;
	size_t n_del, n_add;
};

/* What makes `from` into `to`; from NULL: out of nothing. */
struct fw_diff *fw_diff(struct arena *a, const struct fw *from,
    const struct fw *to);
bool fw_diff_empty(const struct fw_diff *d);

/* The nft script of a difference.  fresh: drop the table first, so that the
 * script holds whatever was there. */
void fw_script(struct buf *b, const struct fw_diff *d, bool fresh);

/* Netlink: a batch of element changes; no structure in d. */
int nfnl_open(int *ret_fd); /* in the calling thread's namespace */
int nfnl_apply(int fd, const struct fw_diff *d);
/* Ends what is tracked from or to these addresses, before or after translation:
 * the firewall asks no rule for what is established. */
int nfnl_end_connections(int fd, const uint32_t *addrs, size_t n);
