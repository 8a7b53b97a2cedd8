/* The controllers' queue: keys wake, coalesce, run one at a time, back off. */
#include <errno.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "ctl/ctl.h"

#define CTL_MAGIC   0x43544c52
#define BACKOFF_MIN 100
#define BACKOFF_MAX 30000

/* One key of one controller, for as long as it has something to wait for. */
struct item {
	int64_t key;
	struct slot *slot;
	struct list ready;  /* in ctl.ready, or alone */
	int64_t due;	    /* ms, monotonic; 0: no timer */
	int64_t backoff;    /* ms; 0 after a success */
	UT_hash_handle hh;  /* in slot.items */
};

struct slot {
	struct ctl *ctl;
	const struct controller *c;
	void *state;
	struct item *items;
};

struct ctl {
	unsigned magic;
	const struct ctl_env *env;
	struct slot *slots;
	size_t n_slots;
	struct list ready;
	uv_idle_t idle;	  /* runs while something is ready */
	uv_timer_t timer; /* at the earliest due time, or before */
	int64_t armed;	  /* when it runs out */
	int handles;	  /* open uv handles */
	bool stopped;
	struct ran *ran;  /* what ran in this turn and may be lost with it */
	size_t n_ran, cap_ran;
	uint64_t losses;  /* store_losses() when it began */
};

struct ran {
	struct slot *slot;
	int64_t key;
};

static int64_t
now_ms(void)
{
	return clock_mono_us() / 1000;
}

static struct slot *
slot_of(struct ctl *ctl, const struct controller *c)
{
	for (size_t i = 0; i < ctl->n_slots; i++)
		if (ctl->slots[i].c == c)
			return &ctl->slots[i];
	WRONG("not a controller of this queue");
}

static struct item *
item_get(struct slot *s, int64_t key)
{
	struct item *it;

	HASH_FIND(hh, s->items, &key, sizeof(key), it);
	if (it)
		return it;
	it = xcalloc(1, sizeof(*it));
	it->key = key;
	it->slot = s;
	list_init(&it->ready);
	HASH_ADD(hh, s->items, key, sizeof(it->key), it);
	return it;
}

static void
item_free(struct item *it)
{
	list_del(&it->ready);
	HASH_DELETE(hh, it->slot->items, it);
	free(it);
}

static void run_ready(uv_idle_t *h);
static void on_timer(uv_timer_t *h);

static void
make_ready(struct ctl *ctl, struct item *it)
{
	it->due = 0;
	if (!list_empty(&it->ready))
		return;
	list_add(&ctl->ready, &it->ready);
	AZ(uv_idle_start(&ctl->idle, run_ready));
}

/* Arms the timer for the earliest due item. */
static void
arm(struct ctl *ctl)
{
	int64_t first = INT64_MAX, now = now_ms();
	struct item *it, *next;

	for (size_t i = 0; i < ctl->n_slots; i++)
		HASH_ITER (hh, ctl->slots[i].items, it, next)
			if (it->due && it->due < first)
				first = it->due;
	ctl->armed = first;
	if (first == INT64_MAX)
		AZ(uv_timer_stop(&ctl->timer));
	else
		AZ(uv_timer_start(&ctl->timer, on_timer,
		    (uint64_t)MAX(first - now, (int64_t)0), 0));
}

static void
on_timer(uv_timer_t *h)
{
	struct ctl *ctl;
	int64_t now = now_ms();
	struct item *it, *next;

	CAST_OBJ(ctl, h->data, CTL_MAGIC);
	for (size_t i = 0; i < ctl->n_slots; i++)
		HASH_ITER (hh, ctl->slots[i].items, it, next)
			if (it->due && it->due <= now)
				make_ready(ctl, it);
	arm(ctl);
}

static void
wait_for(struct ctl *ctl, struct item *it, int64_t ms)
{
	int64_t due = now_ms() + ms;

	if (!list_empty(&it->ready) || (it->due && it->due <= due))
		return;
	it->due = due;
	/* A timer that runs out too early arms itself anew. */
	if (!uv_is_active((uv_handle_t *)&ctl->timer) ||
	    due < ctl->armed)
		arm(ctl);
}

static int
run_item(struct ctl *ctl, struct slot *s, int64_t key, int64_t *ret_again)
{
	_cleanup_arena_ struct arena *a = arena_new();
	int r;

	if ((r = store_savepoint(ctl->env->store)) < 0)
		return err_trace(r);
	r = s->c->run(s->state, ctl, a, key, ret_again);
	if (r == 0)
		store_release(ctl->env->store);
	else
		store_rollback(ctl->env->store);
	return err_fold(r);
}

static void
back_off(struct ctl *ctl, struct item *it, const char *why)
{
	it->backoff = CLAMP(it->backoff * 2, (int64_t)BACKOFF_MIN,
	    (int64_t)BACKOFF_MAX);
	log_warn("%s %lld: %s; again in %lld ms", it->slot->c->name,
	    (long long)it->key, why, (long long)it->backoff);
	wait_for(ctl, it, it->backoff);
}

static void
note_ran(struct ctl *ctl, struct slot *s, int64_t key)
{
	if (ctl->n_ran == ctl->cap_ran) {
		ctl->cap_ran = MAX(ctl->cap_ran * 2, (size_t)16);
		ctl->ran = xrealloc(ctl->ran,
		    ctl->cap_ran * sizeof(*ctl->ran));
	}
	ctl->ran[ctl->n_ran++] = (struct ran){s, key};
}

/* A turn that was not committed took with it what was done in it; the feed
 * tells of that, but a controller need not listen to what it writes itself. */
static void
see_losses(struct ctl *ctl)
{
	uint64_t losses = store_losses(ctl->env->store);

	if (losses != ctl->losses)
		for (size_t i = 0; i < ctl->n_ran; i++)
			back_off(ctl, item_get(ctl->ran[i].slot,
			    ctl->ran[i].key), "its writes were lost");
	ctl->losses = losses;
	ctl->n_ran = 0;
}

static void
run_one(struct ctl *ctl, struct item *it)
{
	struct slot *s = it->slot;
	int64_t key = it->key, again = 0;
	int r;

	list_del(&it->ready);
	r = run_item(ctl, s, key, &again);
	/* The run may have cleared the queue. */
	it = item_get(s, key);
	if (r < 0) {
		back_off(ctl, it, err_last());
		return;
	}
	it->backoff = 0;
	if (store_dirty(ctl->env->store))
		note_ran(ctl, s, key);
	if (again > 0)
		wait_for(ctl, it, again);
	else if (list_empty(&it->ready) && !it->due)
		item_free(it);
}

static void
run_ready(uv_idle_t *h)
{
	struct list batch = LIST_INIT(batch);
	struct ctl *ctl;

	CAST_OBJ(ctl, h->data, CTL_MAGIC);
	see_losses(ctl);
	/* What this turn wakes runs in the next one, after the commit. */
	while (!list_empty(&ctl->ready)) {
		struct list *l = ctl->ready.next;

		list_del(l);
		list_add(&batch, l);
	}
	while (!list_empty(&batch))
		run_one(ctl, list_entry(batch.next, struct item, ready));
	if (list_empty(&ctl->ready) && ctl->n_ran == 0)
		AZ(uv_idle_stop(&ctl->idle));
}

static void
on_change(void *ctx, const struct change *c)
{
	struct slot *s = ctx;
	int64_t key;

	if (s->ctl->stopped)
		return;
	key = s->c->key ? s->c->key(s->state, s->ctl, c) : c->row;
	if (key)
		ctl_wake(s->ctl, s->c, key);
}

/* Tells a controller of everything there is, as if it had just changed. */
static int
scan(struct slot *s)
{
	_cleanup_arena_ struct arena *a = arena_new();
	const struct kind *const *k = s->c->kinds;
	struct res_list l;
	int r;

	for (; k && *k; k++) {
		struct query q = {.kind = *k, .any_parent = true};

		if ((r = store_list(s->ctl->env->store, a, &q, &l)) < 0)
			return err_trace(r);
		for (size_t i = 0; i < l.n; i++)
			on_change(s, &(struct change){.kind = *k,
			    .row = l.v[i]->row, .scope = l.v[i]->scope,
			    .parent = l.v[i]->parent, .id = l.v[i]->id,
			    .spec = true, .status = true});
	}
	return 0;
}

int
ctl_new(const struct ctl_env *env, const struct controller *const *list,
    struct ctl **ret)
{
	struct ctl *ctl;
	size_t n = 0;

	while (list[n])
		n++;
	ALLOC_OBJ(ctl, CTL_MAGIC);
	ctl->env = env;
	ctl->slots = xcalloc(n, sizeof(*ctl->slots));
	ctl->n_slots = n;
	list_init(&ctl->ready);
	AZ(uv_idle_init(env->loop, &ctl->idle));
	AZ(uv_timer_init(env->loop, &ctl->timer));
	ctl->handles = 2;
	ctl->idle.data = ctl->timer.data = ctl;
	for (size_t i = 0; i < n; i++) {
		struct slot *s = &ctl->slots[i];

		s->ctl = ctl;
		s->c = list[i];
	}
	for (size_t i = 0; i < n; i++) {
		struct slot *s = &ctl->slots[i];

		for (const struct kind *const *k = s->c->kinds; k && *k; k++)
			store_subscribe(env->store, *k, on_change, s);
	}
	ctl->stopped = true;
	*ret = ctl;
	return err_trace(ctl_start(ctl));
}

int
ctl_start(struct ctl *ctl)
{
	int r;

	CHECK_OBJ(ctl, CTL_MAGIC);
	AN(ctl->stopped);
	ctl->stopped = false;
	ctl->losses = store_losses(ctl->env->store);
	for (size_t i = 0; i < ctl->n_slots; i++)
		if (ctl->slots[i].c->init)
			ctl->slots[i].state = ctl->slots[i].c->init(ctl);
	for (size_t i = 0; i < ctl->n_slots; i++)
		if ((r = scan(&ctl->slots[i])) < 0)
			return err_trace(r);
	return 0;
}

void
ctl_stop(struct ctl *ctl)
{
	struct item *it, *next;

	CHECK_OBJ(ctl, CTL_MAGIC);
	if (ctl->stopped)
		return;
	ctl->stopped = true;
	ctl->n_ran = 0;
	for (size_t i = 0; i < ctl->n_slots; i++)
		HASH_ITER (hh, ctl->slots[i].items, it, next)
			item_free(it);
	for (size_t i = 0; i < ctl->n_slots; i++)
		if (ctl->slots[i].c->done)
			ctl->slots[i].c->done(TAKE_PTR(ctl->slots[i].state));
}

static void
on_closed(uv_handle_t *h)
{
	struct ctl *ctl;

	CAST_OBJ(ctl, h->data, CTL_MAGIC);
	if (--ctl->handles > 0)
		return;
	free(ctl->ran);
	free(ctl->slots);
	FREE_OBJ(ctl);
}

void
ctl_free(struct ctl *ctl)
{
	if (!ctl)
		return;
	ctl_stop(ctl);
	uv_close((uv_handle_t *)&ctl->idle, on_closed);
	uv_close((uv_handle_t *)&ctl->timer, on_closed);
}

const struct ctl_env *
ctl_env(const struct ctl *ctl)
{
	CHECK_OBJ(ctl, CTL_MAGIC);
	return ctl->env;
}

void *
ctl_state(struct ctl *ctl, const struct controller *c)
{
	return slot_of(ctl, c)->state;
}

void
ctl_wake(struct ctl *ctl, const struct controller *c, int64_t key)
{
	CHECK_OBJ(ctl, CTL_MAGIC);
	if (!ctl->stopped)
		make_ready(ctl, item_get(slot_of(ctl, c), key));
}

void
ctl_wake_after(struct ctl *ctl, const struct controller *c, int64_t key,
    int64_t ms)
{
	CHECK_OBJ(ctl, CTL_MAGIC);
	if (!ctl->stopped)
		wait_for(ctl, item_get(slot_of(ctl, c), key), ms);
}

void
ctl_dump(struct ctl *ctl, struct buf *b)
{
	struct item *it, *next;
	unsigned ready, failing;
	struct slot *s;

	CHECK_OBJ(ctl, CTL_MAGIC);
	for (size_t i = 0; i < ctl->n_slots; i++) {
		s = &ctl->slots[i];
		ready = failing = 0;
		HASH_ITER (hh, s->items, it, next) {
			ready += !list_empty(&it->ready);
			failing += it->backoff > 0;
		}
		buf_addf(b, "%s%s: %u keys, %u ready, %u failing",
		    i ? "; " : "", s->c->name, HASH_COUNT(s->items), ready,
		    failing);
	}
}
