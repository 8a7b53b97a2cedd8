/* What turns one firewall into another, and the nft script of that. */
#include "warden/net-fw.h"

static bool
same_elem(const struct fw_elem *x, const struct fw_elem *y)
{
	if (x->addr != y->addr || !x->chain != !y->chain)
		return false;
	return !x->chain || strcmp(x->chain, y->chain) == 0;
}

static void
diff_elems(struct fw_diff *d, const struct fw_set *from,
    const struct fw_set *to)
{
	static const struct fw_set none = {0};
	const struct fw_set *old = from ? from : &none;
	size_t i = 0, k = 0;
	while (i < old->n || k < to->n) {
		const struct fw_elem *o = i < old->n ? &old->v[i] : NULL;
		const struct fw_elem *w = k < to->n ? &to->v[k] : NULL;
		bool gone = o && (!w || o->key < w->key);
		bool come = w && (!o || w->key < o->key);
		bool other = !gone && !come && !same_elem(o, w);
		if (gone || other)
			d->del[d->n_del++] = (struct fw_elem_change){to->name,
				to->type, *o};
		if (come || other)
			d->add[d->n_add++] = (struct fw_elem_change){to->name,
				to->type, *w};
		i += !come;
		k += !gone;
	}
}

/* A set that goes must be emptied first: elements of a map hold chains. */
static void
drop_elems(struct fw_diff *d, const struct fw_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		d->del[d->n_del++] =
		    (struct fw_elem_change){s->name, s->type, s->v[i]};
}

static void
diff_sets(struct fw_diff *d, const struct fw *from, const struct fw *to)
{
	size_t i = 0, k = 0;
	while (i < from->n_sets || k < to->n_sets) {
		int c = i == from->n_sets ? 1
		    : k == to->n_sets	  ? -1
					  : strcmp(from->sets[i].name,
						to->sets[k].name);
		if (c == 0) {
			diff_elems(d, &from->sets[i++], &to->sets[k++]);
		} else if (c > 0) {
			d->new_sets[d->n_new_sets++] = &to->sets[k];
			diff_elems(d, NULL, &to->sets[k++]);
		} else {
			d->old_sets[d->n_old_sets++] = &from->sets[i];
			drop_elems(d, &from->sets[i++]);
		}
	}
}

static void
diff_chains(struct fw_diff *d, const struct fw *from, const struct fw *to)
{
	size_t i = 0, k = 0;
	while (i < from->n_chains || k < to->n_chains) {
		int c = i == from->n_chains ? 1
		    : k == to->n_chains	    ? -1
					    : strcmp(from->chains[i].name,
						  to->chains[k].name);
		if (c == 0) {
			const struct fw_chain *w = &to->chains[k++];
			if (strcmp(from->chains[i++].rules, w->rules) != 0)
				d->changed_chains[d->n_changed_chains++] = w;
		} else if (c > 0) {
			d->new_chains[d->n_new_chains++] = &to->chains[k++];
		} else {
			d->old_chains[d->n_old_chains++] = &from->chains[i++];
		}
	}
}

static size_t
count_elems(const struct fw *fw)
{
	size_t n = 0;
	for (size_t i = 0; i < fw->n_sets; i++)
		n += fw->sets[i].n;
	return n;
}

struct fw_diff *
fw_diff(struct arena *a, const struct fw *from, const struct fw *to)
{
	static const struct fw nothing = {0};
	if (!from)
		from = &nothing;
	struct fw_diff *d = arena_new_of(a, struct fw_diff);
	d->new_sets = arena_array(a, const struct fw_set *, to->n_sets);
	d->old_sets = arena_array(a, const struct fw_set *, from->n_sets);
	d->new_chains = arena_array(a, const struct fw_chain *, to->n_chains);
	d->changed_chains =
	    arena_array(a, const struct fw_chain *, to->n_chains);
	d->old_chains =
	    arena_array(a, const struct fw_chain *, from->n_chains);
	d->del = arena_array(a, struct fw_elem_change, count_elems(from));
	d->add = arena_array(a, struct fw_elem_change, count_elems(to));
	diff_sets(d, from, to);
	diff_chains(d, from, to);
	d->structure = d->n_new_sets || d->n_old_sets || d->n_new_chains ||
	    d->n_changed_chains || d->n_old_chains;
	return d;
}

bool
fw_diff_empty(const struct fw_diff *d)
{
	return !d->structure && d->n_del == 0 && d->n_add == 0;
}

static const char *
type_text(enum fw_type t)
{
	switch (t) {
	case FW_ADDRS:
		return "ipv4_addr";
	case FW_ADDR_MAP:
		return "ipv4_addr : ipv4_addr";
	case FW_CHAIN_MAP:
		return "ipv4_addr : verdict";
	}
	WRONG("no such type");
}

static void
put_addr(struct buf *b, uint32_t addr)
{
	buf_addf(b, "%u.%u.%u.%u", addr >> 24, addr >> 16 & 255,
	    addr >> 8 & 255, addr & 255);
}

/* One statement for each run of changes to the same set: nft is quicker so. */
static void
put_elems(struct buf *b, const char *verb, const struct fw_elem_change *v,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct fw_elem *e = &v[i].elem;
		if (i == 0 || strcmp(v[i].set, v[i - 1].set) != 0)
			buf_addf(b, "%s element ip vpc %s { ", verb, v[i].set);
		put_addr(b, e->key);
		if (v[i].type == FW_ADDR_MAP) {
			buf_add_str(b, " : ");
			put_addr(b, e->addr);
		} else if (v[i].type == FW_CHAIN_MAP) {
			buf_addf(b, " : goto %s", e->chain);
		}
		bool last = i + 1 == n || strcmp(v[i].set, v[i + 1].set) != 0;
		buf_add_str(b, last ? " }\n" : ", ");
	}
}

static void
put_rules(struct buf *b, const struct fw_chain *c)
{
	struct span rest = span_of(c->rules);
	while (rest.n > 0) {
		struct span line = span_cut(&rest, '\n');
		buf_addf(b, "add rule ip vpc %s %.*s\n", c->name,
		    SPAN_ARG(line));
	}
}

static void
put_structure(struct buf *b, const struct fw_diff *d)
{
	for (size_t i = 0; i < d->n_new_sets; i++)
		buf_addf(b, "add %s ip vpc %s { type %s; }\n",
		    d->new_sets[i]->type == FW_ADDRS ? "set" : "map",
		    d->new_sets[i]->name, type_text(d->new_sets[i]->type));
	for (size_t i = 0; i < d->n_new_chains; i++) {
		const struct fw_chain *c = d->new_chains[i];
		buf_addf(b, "add chain ip vpc %s", c->name);
		if (c->hook)
			buf_addf(b, " { %s }", c->hook);
		buf_add_char(b, '\n');
	}
	for (size_t i = 0; i < d->n_changed_chains; i++)
		buf_addf(b, "flush chain ip vpc %s\n",
		    d->changed_chains[i]->name);
	for (size_t i = 0; i < d->n_old_chains; i++)
		buf_addf(b, "flush chain ip vpc %s\n", d->old_chains[i]->name);
	for (size_t i = 0; i < d->n_new_chains; i++)
		put_rules(b, d->new_chains[i]);
	for (size_t i = 0; i < d->n_changed_chains; i++)
		put_rules(b, d->changed_chains[i]);
}

void
fw_script(struct buf *b, const struct fw_diff *d, bool fresh)
{
	if (fresh)
		buf_add_str(b,
		    "table ip vpc\ndelete table ip vpc\nadd table ip vpc\n");
	put_structure(b, d);
	put_elems(b, "delete", d->del, d->n_del);
	put_elems(b, "add", d->add, d->n_add);
	for (size_t i = 0; i < d->n_old_chains; i++)
		buf_addf(b, "delete chain ip vpc %s\n", d->old_chains[i]->name);
	for (size_t i = 0; i < d->n_old_sets; i++)
		buf_addf(b, "delete set ip vpc %s\n", d->old_sets[i]->name);
}
