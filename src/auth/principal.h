/* Who calls, as the signature proved it. */
#pragma once

#include "store/store.h"

/*
 * arn and id are what GetCallerIdentity tells:
 *	root	arn:aws:iam::ACCOUNT:root, ACCOUNT
 *	user	arn:aws:iam::ACCOUNT:user/PATH/NAME, AIDA...
 *	session	arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, AROA...:SESSION
 */
struct principal {
	struct span account;
	struct span arn;
	struct span id;
	struct span access_key; /* empty for controllers */
	bool system;		/* a controller or a service of ours */
	struct span service;	/* system: "ecs.amazonaws.com" */
	/* The user, or the role of a session, with its policies; NULL: root
	 * and system. */
	const struct res *entity;
	/* Temporary credentials: what session_claims.extra says; else NULL. */
	const struct doc *session;
};
