/* The service scheduler's decisions; see the rules in service-plan.h. */
#include "ctl/service-plan.h"

#include "base/util.h"

int
plan_floor(int desired, int min_percent)
{
	return (int)(((long)desired * min_percent + 99) / 100);
}

int
plan_ceiling(int desired, int max_percent)
{
	return (int)((long)desired * max_percent / 100);
}

int
breaker_threshold(int desired)
{
	return CLAMP((desired + 1) / 2, 3, 200);
}

int
throttle_ms(int failures)
{
	/* The first few at once: most are passing trouble. */
	if (failures < 3)
		return 0;
	return failures >= 9 ? 60000 : 1000 << (failures - 3);
}

struct census {
	int healthy, unhealthy, all;
};

/* Those that stay, of the deployment in force or of the others. */
static struct census
take_census(const struct service_plan *p, bool primary)
{
	struct census n = {0};

	for (size_t i = 0; i < p->n_tasks; i++) {
		const struct plan_task *t = &p->tasks[i];

		if (t->stop != PLAN_KEEP || t->primary != primary)
			continue;
		n.healthy += t->healthy;
		n.unhealthy += t->unhealthy;
		n.all++;
	}
	return n;
}

/* How many live tasks of the deployment in force are what we want. */
static int
count_good(const struct service_plan *p)
{
	struct census n = take_census(p, true);

	return n.all - n.unhealthy;
}

static int
room(const struct service_plan *p)
{
	return plan_ceiling(p->desired, p->max_percent) -
	    take_census(p, true).all - take_census(p, false).all;
}

/* Rule 2, for those that were healthy once. */
static void
replace(struct service_plan *p)
{
	struct census n = take_census(p, true);
	int shortage = p->desired - (n.all - n.unhealthy) - room(p);
	int keep = MIN(p->desired - n.healthy, n.unhealthy - MAX(shortage, 0));

	for (size_t i = 0; i < p->n_tasks; i++) {
		struct plan_task *t = &p->tasks[i];

		if (t->stop == PLAN_KEEP && t->primary && t->unhealthy &&
		    keep-- <= 0)
			t->stop = PLAN_UNHEALTHY;
	}
}

/* Tasks of the deployment in force in each subnet. */
static void
count_crowd(const struct service_plan *p, int *crowd)
{
	for (size_t i = 0; i < p->n_tasks; i++)
		crowd[p->tasks[i].subnet] += p->tasks[i].primary &&
		    !p->tasks[i].unhealthy && p->tasks[i].stop == PLAN_KEEP;
}

static size_t
emptiest(const struct service_plan *p, const int *crowd)
{
	size_t best = 0;

	for (size_t s = 1; s < p->n_subnets; s++)
		if (crowd[s] < crowd[best])
			best = s;
	return best;
}

/* Rule 3: whom to stop first. */
static bool
goes_before(const int *crowd, const struct plan_task *a,
    const struct plan_task *b)
{
	if (a->healthy != b->healthy)
		return !a->healthy;
	/* Later in the list is newer; a tie goes to the newer one. */
	return crowd[a->subnet] >= crowd[b->subnet];
}

static void
scale_in(struct service_plan *p, int *crowd)
{
	for (int over = count_good(p) - p->desired; over > 0; over--) {
		struct plan_task *pick = NULL;

		for (size_t i = 0; i < p->n_tasks; i++) {
			struct plan_task *t = &p->tasks[i];

			if (t->stop == PLAN_KEEP && t->primary &&
			    !t->unhealthy && (!pick || goes_before(crowd, t, pick)))
				pick = t;
		}
		AN(pick);
		pick->stop = PLAN_SCALE;
		crowd[pick->subnet]--;
	}
}

static void
start_new(struct service_plan *p, int *crowd)
{
	int want = MIN(p->desired - count_good(p), room(p));

	p->short_of = want > MAX(p->allowance, 0);
	want = MIN(want, p->allowance);
	for (int i = 0; i < want; i++) {
		size_t s = emptiest(p, crowd);

		p->start[p->n_start++] = s;
		crowd[s]++;
	}
}

static void
stop_old(struct service_plan *p)
{
	int may = take_census(p, true).healthy +
	    take_census(p, false).healthy -
	    plan_floor(p->desired, p->min_percent);

	for (size_t i = 0; i < p->n_tasks; i++) {
		struct plan_task *t = &p->tasks[i];

		if (t->stop != PLAN_KEEP || t->primary)
			continue;
		if (t->healthy && may-- <= 0)
			continue;
		t->stop = PLAN_OLD;
	}
}

void
service_plan(struct service_plan *p)
{
	_cleanup_free_ int *crowd = NULL;

	p->n_start = 0;
	p->short_of = false;
	for (size_t i = 0; i < p->n_tasks; i++) {
		struct plan_task *t = &p->tasks[i];

		t->stop = p->draining ? PLAN_DRAIN :
		    t->unhealthy && (!t->veteran || !t->primary) ?
					PLAN_UNHEALTHY :
					PLAN_KEEP;
	}
	if (p->draining)
		return;
	replace(p);
	crowd = xcalloc(p->n_subnets + 1, sizeof(*crowd));
	count_crowd(p, crowd);
	scale_in(p, crowd);
	start_new(p, crowd);
	stop_old(p);
}
