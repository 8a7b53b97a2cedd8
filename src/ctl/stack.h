/*
 * Stacks: makes, changes and removes the resources of a stack until it is what
 * its definition says, or what it was before.
 *
 *	phase			what it does		then
 *	create			forward			- (CREATE_COMPLETE)
 *	rollback		removes all		- (ROLLBACK_COMPLETE)
 *	update			forward			cleanup
 *	cleanup			removes what is left	- (UPDATE_COMPLETE)
 *	update-rollback		forward to Prior	update-rollback-cleanup
 *	update-rollback-cleanup	removes what is left	- (UPDATE_ROLLBACK_COMPLETE)
 *	delete			removes all		- (DELETE_COMPLETE)
 *	import			forward			- (IMPORT_COMPLETE)
 *	import-rollback		forgets what it adopted	- (IMPORT_ROLLBACK_COMPLETE)
 *
 * Everything is in the rows, so a restart goes on where it was: an operation
 * and the row that tells of it are written in one transaction.
 */
#pragma once

#include "cfn/facts.h"
#include "cfn/type.h"
#include "ctl/ctl.h"
#include "ctl/stack-plan.h"
#include "svc/cloudformation/context.h"

extern const struct controller ctl_stack;

/* One run over a stack. */
struct stack_work {
	struct ctl *ctl;
	struct store *store;
	struct arena *a;
	struct res *stack;
	struct stack_context x;
	int64_t now;	 /* ms */
	size_t budget;	 /* resources that may begin in this run */
	struct span mark; /* of the resource at hand, see its row's Mark */
	bool waiting;	 /* something is busy: look again */
	bool held;	 /* by a parent, whose change wakes it */
	bool again;	 /* there is more to do at once */
};

enum stack_end { STACK_GOES_ON, STACK_DONE, STACK_FAILED };

/* stack-forward.c: towards spec.Def.  *ret_why: of STACK_FAILED. */
int stack_forward(struct stack_work *w, enum stack_end *ret,
    struct span *ret_why);
/* What is still being made or changed is not waited for any more. */
int stack_cancel(struct stack_work *w);
/* stack-remove.c: all rows, or those that the definition does not have. */
int stack_remove(struct stack_work *w, bool all, enum stack_end *ret,
    struct span *ret_why);

/* stack-export.c: outputs, exports and imports of what has just been made;
 * *ret_why is set when that cannot be, and then nothing has been written. */
int stack_publish(struct stack_work *w, struct span *ret_why);
/* What the stack exported before: stays, changes or goes, unless in use. */
int stack_unexport(struct stack_work *w, const struct doc *outputs,
    struct span *ret_why);

/* stack-adopt.c: what is there already becomes the stack's.  props without and
 * tagged with the stack's tags. */
int stack_adopt(struct stack_work *w, struct res *row, struct doc *props,
    struct doc *tagged);
/* What this import adopted is nobody's again. */
int stack_disown(struct stack_work *w);

/* stack-family.c: nested stacks.  What a nested stack replaced stays until its
 * parent's update cannot go back any more: until then it is held. */
int stack_held(struct stack_work *w, bool *ret);
int stack_children_busy(struct stack_work *w, bool *ret);

/* stack-row.c: one resource on the way forward.  Each writes the row. */
int stack_row_make(struct stack_work *w, struct res *row, struct doc *props);
int stack_row_update(struct stack_work *w, struct res *row, struct span type,
    struct doc *props, const struct cfn_map *map);
/* It is as it should be; what failed before says that it no longer does. */
int stack_row_keep(struct stack_work *w, struct res *row);
/* Undoes replacements: the first of all is still there.  *ret_changed: it had
 * been changed in place before, and that is to be undone as well. */
int stack_row_swap_back(struct stack_work *w, struct res *row,
    bool *ret_changed);
/* Is it as it should be by now? */
int stack_row_settle(struct stack_work *w, struct res *row);
int stack_row_fail(struct stack_work *w, struct res *row, struct span reason);
/* It is being updated, having been moved to another row or (empty) not. */
void stack_row_before(struct stack_work *w, struct res *row,
    struct span moved_to);

/* stack-run.c */
int stack_say(struct stack_work *w, struct res *row, const char *status,
    struct span reason);
/* The resource as the tables want it.  False: nobody maps its type. */
bool stack_run(struct stack_work *w, const struct res *row,
    struct cfn_run *ret);
/* Properties with the stack's tags in them. */
struct doc *stack_tagged(struct stack_work *w, struct span type,
    struct span logical, const struct doc *props);
/* Where a row is in the present operation. */
enum stack_item_state stack_row_state(const struct stack_work *w,
    const struct res *row);
/* Does the stack's policy let this update do that to the row? */
bool stack_allows(struct stack_work *w, const char *action,
    const struct res *row, struct span *ret_why);
void stack_row_step(struct stack_work *w, struct res *row, const char *step);
/* "The following resource(s) failed to VERB: [A, B]. ", or empty. */
struct span stack_failed_text(struct stack_work *w, const char *verb,
    const char *status);
