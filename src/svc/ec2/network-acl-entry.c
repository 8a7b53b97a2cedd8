/* The numbered rules of network ACLs. */
#include "base/err.h"
#include "svc/ec2/ops.h"

/* AWS: numbers of one's own end before the asterisk's; it counts among the 20
 * of a direction.
 * docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html */
enum { NUMBER_MAX = 32766, ENTRIES_MAX = 20, PORT_MAX = 65535 };

struct key {
	int64_t number;
	bool egress;
};

static struct reply *
wanted(struct call *c, struct res **ret, struct key *ret_key)
{
	struct reply *refusal = noun_get(c, &noun_acl,
	    doc_get_str(c->in, "NetworkAclId"), ret);

	*ret_key = (struct key){doc_get_int(c->in, "RuleNumber", 0),
		doc_get_bool(c->in, "Egress", false)};
	if (refusal)
		return refusal;
	if (ret_key->number < 1 || ret_key->number > NUMBER_MAX)
		return noun_invalid(c, "Invalid value '%lld' for ruleNumber. "
		    "Must be in range [1-%d]", (long long)ret_key->number,
		    NUMBER_MAX);
	return NULL;
}

/* Where the entry is, or should be: outbound ones first, by number.  True: it
 * is there.  *ret_n: how many its direction has. */
static bool
entry_place(const struct doc *entries, struct key k, size_t *ret_at,
    size_t *ret_n)
{
	size_t i = 0;
	bool found = false;

	*ret_at = 0;
	*ret_n = 0;
	doc_each(d, entries) {
		struct key x = {doc_get_int(d, "RuleNumber", 0),
			doc_get_bool(d, "Egress", false)};

		found |= x.number == k.number && x.egress == k.egress;
		*ret_n += x.egress == k.egress;
		i++;
		if (x.egress != k.egress ? x.egress : x.number < k.number)
			*ret_at = i;
	}
	return found;
}

/* AWS: "-1" or a protocol's number. */
static struct reply *
protocol(struct call *c, int64_t *ret)
{
	struct span text = doc_get_str(c->in, "Protocol");
	uint64_t n = 0;

	if (span_is(text, "-1")) {
		*ret = -1;
		return NULL;
	}
	if (!span_u64(text, &n) || n > 255)
		return noun_invalid(c, "Invalid value '%.*s' for protocol. "
		    "Must be -1 or in range [0-255]", SPAN_ARG(text));
	*ret = (int64_t)n;
	return NULL;
}

static struct reply *
ports(struct call *c, struct doc *entry)
{
	const struct doc *range = doc_get(c->in, "PortRange");
	int64_t from = doc_get_int(range, "From", -1);
	int64_t to = doc_get_int(range, "To", -1);
	struct doc *d = doc_obj(c->arena);

	if (!doc_get(range, "From"))
		return noun_missing(c, "portRange.from");
	if (!doc_get(range, "To"))
		return noun_missing(c, "portRange.to");
	if (from < 0 || from > PORT_MAX || to < 0 || to > PORT_MAX)
		return noun_invalid(c, "Invalid port range '%lld-%lld'. Ports "
		    "must be in range [0-%d]", (long long)from, (long long)to,
		    PORT_MAX);
	if (from > to)
		return noun_invalid(c, "Invalid port range '%lld-%lld'. From "
		    "must not be greater than to", (long long)from,
		    (long long)to);
	doc_set_int(c->arena, d, "From", from);
	doc_set_int(c->arena, d, "To", to);
	doc_set(c->arena, entry, "PortRange", d);
	return NULL;
}

static struct reply *
icmp(struct call *c, struct doc *entry)
{
	const struct doc *in = doc_get(c->in, "IcmpTypeCode");
	int64_t type = doc_get_int(in, "Type", -2);
	int64_t code = doc_get_int(in, "Code", -2);
	struct doc *d = doc_obj(c->arena);

	if (!doc_get(in, "Type"))
		return noun_missing(c, "icmpTypeCode.type");
	if (!doc_get(in, "Code"))
		return noun_missing(c, "icmpTypeCode.code");
	if (type < -1 || type > 255 || code < -1 || code > 255 ||
	    (type == -1 && code != -1))
		return noun_invalid(c, "Invalid ICMP type and code '%lld:%lld'",
		    (long long)type, (long long)code);
	doc_set_int(c->arena, d, "Code", code);
	doc_set_int(c->arena, d, "Type", type);
	doc_set(c->arena, entry, "IcmpTypeCode", d);
	return NULL;
}

static struct reply *
peer(struct call *c, struct doc *entry)
{
	struct span text = doc_get_str(c->in, "CidrBlock");
	struct cidr cidr;

	if (doc_get(c->in, "Ipv6CidrBlock"))
		return reply_not_implemented(c, "Ipv6CidrBlock");
	if (text.n == 0)
		return noun_missing(c, "cidrBlock");
	if (!cidr_parse(text, &cidr))
		return noun_invalid(c, "Value (%.*s) for parameter cidrBlock is "
		    "invalid. This is not a valid CIDR block.", SPAN_ARG(text));
	doc_set_str(c->arena, entry, "CidrBlock",
	    cidr_text(c->arena, cidr_base(cidr)));
	return NULL;
}

/* AWS: of other protocols all ports are meant, whatever the request says. */
static struct reply *
entry_read(struct call *c, struct key k, struct doc **ret)
{
	struct doc *d = doc_obj(c->arena);
	struct reply *refusal;
	int64_t proto = -1;

	if ((refusal = protocol(c, &proto)) || (refusal = peer(c, d)))
		return refusal;
	doc_set_bool(c->arena, d, "Egress", k.egress);
	doc_setf(c->arena, d, "Protocol", "%lld", (long long)proto);
	doc_set_str(c->arena, d, "RuleAction",
	    doc_get_str(c->in, "RuleAction"));
	doc_set_int(c->arena, d, "RuleNumber", k.number);
	if (proto == 6 || proto == 17)
		refusal = ports(c, d);
	else if (proto == 1)
		refusal = icmp(c, d);
	*ret = d;
	return refusal;
}

/* The list with the entry at its place. */
static struct doc *
with_entry(struct arena *a, const struct doc *entries, size_t at,
    struct doc *entry)
{
	struct doc *out = doc_arr(a);
	size_t i = 0;

	doc_each(d, entries) {
		if (i++ == at)
			doc_push(out, entry);
		doc_push(out, doc_copy(a, d));
	}
	if (i == at)
		doc_push(out, entry);
	return out;
}

struct reply *
acl_entry_create(struct call *c)
{
	struct reply *refusal;
	struct doc *entries, *entry;
	size_t at, n;
	struct key k;
	struct res *r;

	if ((refusal = wanted(c, &r, &k)) ||
	    (refusal = entry_read(c, k, &entry)))
		return refusal;
	entries = doc_get(r->spec, "Entries");
	if (entry_place(entries, k, &at, &n))
		return reply_error(c, "NetworkAclEntryAlreadyExists", "The "
		    "network acl entry identified by %lld already exists.",
		    (long long)k.number);
	if (n >= ENTRIES_MAX)
		return reply_error(c, "NetworkAclEntryLimitExceeded", "The "
		    "maximum number of network acl entries has been reached.");
	doc_set(c->arena, r->spec, "Entries",
	    with_entry(c->arena, entries, at, entry));
	return noun_saved(c, r);
}

static struct reply *
no_entry(struct call *c, const struct res *r, struct key k)
{
	return reply_error(c, "InvalidNetworkAclEntry.NotFound",
	    "no %s entry with number %lld in network acl %.*s",
	    k.egress ? "egress" : "ingress", (long long)k.number,
	    SPAN_ARG(r->id));
}

struct reply *
acl_entry_replace(struct call *c)
{
	struct reply *refusal;
	struct doc *entries, *entry;
	size_t at, n;
	struct key k;
	struct res *r;

	if ((refusal = wanted(c, &r, &k)))
		return refusal;
	entries = doc_get(r->spec, "Entries");
	if (!entry_place(entries, k, &at, &n))
		return no_entry(c, r, k);
	if ((refusal = entry_read(c, k, &entry)))
		return refusal;
	doc_remove(entries, at);
	doc_set(c->arena, r->spec, "Entries",
	    with_entry(c->arena, entries, at, entry));
	return noun_saved(c, r);
}

struct reply *
acl_entry_delete(struct call *c)
{
	struct reply *refusal;
	size_t at, n;
	struct key k;
	struct res *r;

	if ((refusal = wanted(c, &r, &k)))
		return refusal;
	if (!entry_place(doc_get(r->spec, "Entries"), k, &at, &n))
		return no_entry(c, r, k);
	doc_remove(doc_get(r->spec, "Entries"), at);
	return noun_saved(c, r);
}
