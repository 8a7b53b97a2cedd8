/* What the steps of a task share; only the task-*.c of steps include
 * this. */
#pragma once

#include "ctl/task.h"

struct step {
	struct tasks *s;
	struct arena *a;
	struct res *task;
	struct live_task *live;
	const struct doc *taskdef;
	int64_t *again_ms;
	int64_t now;	/* ms */
	bool dirty;	/* the status must be written */
	struct span begun_in; /* the state that is stored */
};

bool step_in(const struct step *st, const char *state);
void step_go(struct step *st, const char *state);
void step_again(struct step *st, int64_t ms);	/* the earliest wins */
void step_time(struct step *st, const char *member);
/* Begins the end of the task; the first code and reason stay. */
void step_stop(struct step *st, const char *code, struct span reason);
/* An operation of another service, as ecs.amazonaws.com. */
int step_call(struct step *st, const char *service, const char *op,
    const struct doc *in, struct scope scope, struct op_result *ret);
struct span step_arch(const struct step *st); /* "amd64" or "arm64" */
struct doc *step_container(const struct step *st, size_t i);
const struct doc *step_definition(const struct step *st, size_t i);

/* task-secrets.c: reads what the containers that are to start need; the task
 * begins to end where something is not to be had. */
int step_secrets(struct step *st);

int step_activating(struct step *st);	  /* task-run.c */
int step_running(struct step *st);
int step_deactivating(struct step *st);	  /* task-end.c */
int step_stopping(struct step *st);
int step_deprovisioning(struct step *st);
