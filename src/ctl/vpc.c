/* Keeps the network of each VPC as the store says. */
#include <uthash.h>

#include "base/err.h"
#include "base/log.h"
#include "ctl/vpc-plan.h"
#include "ctl/vpc.h"
#include "svc/ec2/kinds.h"

#define FIRST_RETRY_MS 100
#define LAST_RETRY_MS  30000

/* Which VPC a part belonged to when it was last seen: a row that is deleted or
 * detached can no longer say. */
struct part {
	UT_hash_handle hh;
	int64_t row;
	int64_t vpc;
};

/* A VPC that we told the network about. */
struct made {
	UT_hash_handle hh;
	int64_t row;
	char *id;
	bool busy;  /* a call is on its way */
	bool again; /* something changed meanwhile */
	int failures;
};

#define VPC_STATE_MAGIC 0x7c57a7e0u

struct vpc_state {
	unsigned magic;
	struct ctl *ctl; /* NULL: ended, waiting for the last callback */
	struct part *parts;
	struct made *made;
	size_t in_flight;
};

struct flight {
	struct vpc_state *s;
	int64_t vpc;
	int64_t *fresh; /* interfaces and gateways that this brings up */
	size_t n_fresh;
	int64_t *gone; /* gateways that this takes away */
	size_t n_gone;
};

static const struct kind *const vpc_kinds[] = {&ec2_vpc, &ec2_subnet,
	&ec2_security_group, &ec2_security_group_rule, &ec2_route_table,
	&ec2_internet_gateway, &ec2_network_interface, &ec2_network_acl,
	&ec2_nat_gateway, NULL};

static void
made_free(struct vpc_state *s, struct made *m)
{
	HASH_DEL(s->made, m);
	free(m->id);
	free(m);
}

static void
state_free(struct vpc_state *s)
{
	struct part *p, *ptmp;
	struct made *m, *mtmp;
	HASH_ITER(hh, s->parts, p, ptmp)
	{
		HASH_DEL(s->parts, p);
		free(p);
	}
	HASH_ITER(hh, s->made, m, mtmp)
		made_free(s, m);
	FREE_OBJ(s);
}

static struct made *
made_find(struct vpc_state *s, int64_t row)
{
	struct made *m;
	HASH_FIND(hh, s->made, &row, sizeof(row), m);
	return m;
}

static struct made *
made_add(struct vpc_state *s, int64_t row, struct span id)
{
	struct made *m = xcalloc(1, sizeof(*m));
	m->row = row;
	m->id = xstrndup(id.p, id.n);
	HASH_ADD(hh, s->made, row, sizeof(m->row), m);
	return m;
}

/* Calls to the network */

static struct flight *
flight_new(struct vpc_state *s, int64_t vpc)
{
	struct flight *f = xcalloc(1, sizeof(*f));
	f->s = s;
	f->vpc = vpc;
	s->in_flight++;
	return f;
}

static void
flight_free(struct flight *f)
{
	free(f->fresh);
	free(f->gone);
	free(f);
}

/* False: the controller has ended, and with the last call its state. */
static bool
landed(struct vpc_state *s)
{
	CHECK_OBJ(s, VPC_STATE_MAGIC);
	s->in_flight--;
	if (s->ctl)
		return true;
	if (s->in_flight == 0)
		state_free(s);
	return false;
}

/* What became of an interface or a NAT gateway. */
static void
tell(struct vpc_state *s, int64_t row, const char *plane, struct span detail)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct store *store = ctl_env(s->ctl)->store;
	struct res *r;
	int e = store_get_row(store, a, row, &r);
	if (e == STORE_E_NOT_FOUND)
		return;
	if (e == 0) {
		struct doc *status = r->status;
		if (span_is(doc_get_str(status, "plane"), plane) &&
		    span_eq(doc_get_str(status, "detail"), detail))
			return;
		doc_set_str(a, status, "plane", span_of(plane));
		doc_set(a, status, "detail",
		    detail.n ? doc_strdup(a, detail) : NULL);
		e = store_put_status(store, r);
	}
	if (e)
		log_error("vpc: row %lld: cannot write its status, ignoring",
		    (long long)row);
}

static void
retry_later(struct vpc_state *s, struct made *m)
{
	int64_t ms = FIRST_RETRY_MS;
	for (int i = 0; i < m->failures && ms < LAST_RETRY_MS; i++)
		ms *= 2;
	m->failures++;
	ctl_wake_after(s->ctl, &ctl_vpc, m->row, MIN(ms, LAST_RETRY_MS));
}

static void
on_sync(void *ctx, int err, struct span why)
{
	struct flight *f = ctx;
	struct vpc_state *s = f->s;
	if (!landed(s)) {
		flight_free(f);
		return;
	}
	struct made *m = made_find(s, f->vpc);
	for (size_t i = 0; i < f->n_fresh; i++)
		tell(s, f->fresh[i], err ? "error" : "up",
		    err ? why : SPAN_NULL);
	for (size_t i = 0; !err && i < f->n_gone; i++)
		tell(s, f->gone[i], "gone", SPAN_NULL);
	if (m) {
		m->busy = false;
		if (err) {
			log_warn("vpc: %s: %.*s, trying again", m->id,
			    SPAN_ARG(why));
			retry_later(s, m);
		} else {
			m->failures = 0;
		}
		if (m->again)
			ctl_wake(s->ctl, &ctl_vpc, m->row);
		m->again = false;
	}
	flight_free(f);
}

static void
on_removed(void *ctx, int err, struct span why)
{
	struct flight *f = ctx;
	struct vpc_state *s = f->s;
	if (!landed(s)) {
		flight_free(f);
		return;
	}
	struct made *m = made_find(s, f->vpc);
	if (m) {
		m->busy = false;
		if (err)
			retry_later(s, m);
		else
			made_free(s, m);
	}
	if (err)
		log_warn("vpc: removal: %.*s", SPAN_ARG(why));
	flight_free(f);
}

/* Reading the store */

static int
list_of(struct store *store, struct arena *a, const struct res *vpc,
    const struct kind *k, struct res_list *ret)
{
	struct query q = {.kind = k, .scope = vpc->scope, .any_parent = true,
		.index = "spec.VpcId", .value = vpc->id};
	return err_trace(store_list(store, a, &q, ret));
}

static int
read_facts(struct store *store, struct arena *a, const struct res *vpc,
    struct vpc_facts *f)
{
	*f = (struct vpc_facts){.vpc = vpc};
	int e = list_of(store, a, vpc, &ec2_subnet, &f->subnets);
	if (e == 0)
		e = list_of(store, a, vpc, &ec2_network_interface, &f->enis);
	if (e == 0)
		e = list_of(store, a, vpc, &ec2_security_group, &f->groups);
	if (e == 0)
		e = list_of(store, a, vpc, &ec2_route_table, &f->tables);
	if (e == 0)
		e = list_of(store, a, vpc, &ec2_internet_gateway,
		    &f->gateways);
	if (e == 0)
		e = list_of(store, a, vpc, &ec2_network_acl, &f->acls);
	if (e == 0)
		e = list_of(store, a, vpc, &ec2_nat_gateway, &f->nats);
	if (e)
		return err_trace(e);
	f->rules = arena_array(a, struct res_list, f->groups.n);
	for (size_t i = 0; i < f->groups.n; i++) {
		struct query q = {.kind = &ec2_security_group_rule,
			.scope = vpc->scope, .parent = f->groups.v[i]->id};
		e = store_list(store, a, &q, &f->rules[i]);
		if (e)
			return err_trace(e);
	}
	return 0;
}

static int64_t
vpc_row(struct store *store, struct arena *a, struct scope scope,
    struct span id)
{
	struct res *r;
	if (id.n == 0 ||
	    store_get(store, a, &ec2_vpc, scope, SPAN_NULL, id, &r) != 0)
		return 0;
	return r->row;
}

/* The VPC that a part belongs to by what the store says now; 0: none. */
static int64_t
vpc_of(struct store *store, struct arena *a, const struct change *c)
{
	struct res *r;
	if (c->kind == &ec2_security_group_rule) {
		if (store_get(store, a, &ec2_security_group, c->scope,
			SPAN_NULL, c->parent, &r) != 0)
			return 0;
	} else if (c->deleted || store_get_row(store, a, c->row, &r) != 0) {
		return 0;
	}
	return vpc_row(store, a, c->scope, doc_get_str(r->spec, "VpcId"));
}

static int64_t
run_key(void *state, struct ctl *ctl, const struct change *c)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct vpc_state *s;
	struct part *p;
	CAST_OBJ(s, state, VPC_STATE_MAGIC);
	/* What we write ourselves. */
	if (!c->inserted && !c->deleted && !c->spec)
		return 0;
	if (c->kind == &ec2_vpc)
		return c->row;
	int64_t now = vpc_of(ctl_env(ctl)->store, a, c);
	HASH_FIND(hh, s->parts, &c->row, sizeof(c->row), p);
	int64_t before = p ? p->vpc : 0;
	if (p && c->deleted) {
		HASH_DEL(s->parts, p);
		free(p);
	} else if (!c->deleted && !p) {
		p = xcalloc(1, sizeof(*p));
		p->row = c->row;
		HASH_ADD(hh, s->parts, row, sizeof(p->row), p);
		p->vpc = now;
	} else if (p) {
		p->vpc = now;
	}
	if (before && before != now && now)
		ctl_wake(ctl, &ctl_vpc, before);
	return now ? now : before;
}

static int
remove_vpc(struct vpc_state *s, struct made *m)
{
	struct net *net = ctl_env(s->ctl)->net;
	m->busy = true;
	net->ops->vpc_remove(net, span_of(m->id), on_removed,
	    flight_new(s, m->row));
	return 0;
}

static int64_t *
copy_rows(const int64_t *v, size_t n)
{
	int64_t *rows = xcalloc(n + 1, sizeof(*rows));
	for (size_t i = 0; i < n; i++)
		rows[i] = v[i];
	return rows;
}

static int
run_vpc(void *state, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms UNUSED)
{
	const struct ctl_env *env = ctl_env(ctl);
	struct vpc_state *s;
	struct vpc_facts facts;
	struct res *vpc;
	CAST_OBJ(s, state, VPC_STATE_MAGIC);
	struct made *m = made_find(s, key);
	if (m && m->busy) {
		m->again = true;
		return 0;
	}
	int e = store_get_row(env->store, a, key, &vpc);
	if (e == STORE_E_NOT_FOUND)
		return m ? remove_vpc(s, m) : 0;
	if (e)
		return err_trace(e);
	if (vpc->kind != &ec2_vpc)
		return 0;
	e = read_facts(env->store, a, vpc, &facts);
	if (e)
		return err_trace(e);
	struct vpc_plan *p = vpc_plan(a, &facts);
	for (size_t i = 0; i < p->n_faults; i++)
		tell(s, p->faults[i].row, "error",
		    span_of(p->faults[i].why));
	if (!m && p->net.n_enis == 0 && p->net.n_nats == 0) {
		for (size_t i = 0; i < p->n_gone; i++)
			tell(s, p->gone[i], "gone", SPAN_NULL);
		return 0;
	}
	/* After a reset a row may be another VPC's. */
	if (m && !span_is(vpc->id, m->id))
		made_free(s, TAKE_PTR(m));
	if (!m)
		m = made_add(s, key, vpc->id);
	struct flight *f = flight_new(s, key);
	f->n_fresh = p->n_fresh;
	f->fresh = copy_rows(p->fresh, p->n_fresh);
	f->n_gone = p->n_gone;
	f->gone = copy_rows(p->gone, p->n_gone);
	m->busy = true;
	env->net->ops->vpc_sync(env->net, &p->net, on_sync, f);
	return 0;
}

/* At start: VPCs that are on the host and not in the store. */

static bool
store_knows(struct store *store, struct arena *a, struct span id,
    int64_t *ret_row)
{
	struct query q = {.kind = &ec2_vpc, .any_parent = true};
	struct res_list l;
	if (store_list(store, a, &q, &l) != 0)
		return true; /* rather too much than somebody's network */
	for (size_t i = 0; i < l.n; i++)
		if (span_eq(l.v[i]->id, id)) {
			*ret_row = l.v[i]->row;
			return true;
		}
	return false;
}

static void
on_list(void *ctx, int err, struct span why)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct flight *f = ctx;
	struct vpc_state *s = f->s;
	flight_free(f);
	if (!landed(s))
		return;
	if (err) {
		log_warn("vpc: what is on the host is not known: %.*s, "
			 "ignoring", SPAN_ARG(why));
		return;
	}
	struct net *net = ctl_env(s->ctl)->net;
	struct span rest = why;
	while (rest.n > 0) {
		struct span id = span_cut(&rest, ' ');
		int64_t row = 0;
		if (store_knows(ctl_env(s->ctl)->store, a, id, &row)) {
			if (row && !made_find(s, row)) {
				made_add(s, row, id);
				ctl_wake(s->ctl, &ctl_vpc, row);
			}
		} else {
			net->ops->vpc_remove(net, id, on_removed,
			    flight_new(s, 0));
		}
	}
}

static void *
init_vpc(struct ctl *ctl)
{
	struct net *net = ctl_env(ctl)->net;
	struct vpc_state *s;
	ALLOC_OBJ(s, VPC_STATE_MAGIC);
	s->ctl = ctl;
	net->ops->list(net, on_list, flight_new(s, 0));
	return s;
}

static void
done_vpc(void *state)
{
	struct vpc_state *s;
	CAST_OBJ(s, state, VPC_STATE_MAGIC);
	s->ctl = NULL;
	if (s->in_flight == 0)
		state_free(s);
}

const struct controller ctl_vpc = {
	.name = "vpc",
	.kinds = vpc_kinds,
	.key = run_key,
	.init = init_vpc,
	.done = done_vpc,
	.run = run_vpc,
};
