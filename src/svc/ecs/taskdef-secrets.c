/*
 * Secrets of container definitions: their form.  Whether one is there is seen
 * when a task starts (src/ctl/task-secrets.c).
 *
 * AWS: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
 */
#include "svc/ecs/ecs.h"

#define CLIENT "ClientException"
#define NAME_LENGTH 2048

static bool
name_ok(struct span s)
{
	if (s.n == 0 || s.n > NAME_LENGTH)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') &&
		    !(ch >= '0' && ch <= '9') && !(ch && strchr("_.-/", ch)))
			return false;
	}
	return true;
}

/* A parameter's name or ARN, or a secret's ARN with up to three more fields:
 * key, stage, version. */
static bool
source_ok(struct span from)
{
	struct span rest = from, service;
	size_t more = 0;

	if (!span_starts(from, SPAN("arn:")))
		return name_ok(from);
	span_cut(&rest, ':');
	span_cut(&rest, ':');
	service = span_cut(&rest, ':');
	if (!span_cut(&rest, ':').n || !span_cut(&rest, ':').n)
		return false;
	if (span_is(service, "ssm"))
		return span_starts(rest, SPAN("parameter/")) && name_ok(rest);
	if (!span_is(service, "secretsmanager") ||
	    !span_is(span_cut(&rest, ':'), "secret") ||
	    !span_cut(&rest, ':').n)
		return false;
	for (; rest.p; more++)
		span_cut(&rest, ':');
	return more <= 3;
}

static bool
has_name(const struct doc *list, struct span name, const struct doc *until)
{
	doc_each(e, list) {
		if (e == until)
			return false;
		if (span_eq(doc_get_str(e, "name"), name))
			return true;
	}
	return false;
}

static bool
shared(struct arena *a, struct span name, struct refusal *ret)
{
	return refuse(ret, a, CLIENT, "The secret name must be unique and not "
	    "shared with any new or existing environment variables set on the "
	    "container, such as '%.*s'.", SPAN_ARG(name));
}

bool
taskdef_secrets_alone(struct arena *a, const struct doc *container,
    const struct doc *environment, struct refusal *ret)
{
	doc_each(s, doc_get(container, "secrets"))
		if (has_name(environment, doc_get_str(s, "name"), NULL))
			return shared(a, doc_get_str(s, "name"), ret);
	return true;
}

bool
taskdef_check_secrets(struct arena *a, const struct doc *container,
    struct span role, struct refusal *ret)
{
	const struct doc *list = doc_get(container, "secrets");

	if (doc_len(list) && !role.n)
		return refuse(ret, a, CLIENT, "When you are specifying "
		    "container secrets, you must also specify a value for "
		    "'executionRoleArn'.");
	doc_each(s, list) {
		struct span name = doc_get_str(s, "name");

		if (!name.n)
			return refuse(ret, a, CLIENT, "The secret name must "
			    "not be empty.");
		if (!source_ok(doc_get_str(s, "valueFrom")))
			return refuse(ret, a, CLIENT, "The Systems Manager "
			    "parameter name specified for secret %.*s is "
			    "invalid. The parameter name can be up to %d "
			    "characters and include the following letters and "
			    "symbols: a-zA-Z0-9_.-", SPAN_ARG(name),
			    NAME_LENGTH);
		if (has_name(list, name, s))
			return shared(a, name, ret);
	}
	return taskdef_secrets_alone(a, container, doc_get(container,
	    "environment"), ret);
}
