/* Names, finding parameters, refusing in Systems Manager's words. */
#include "base/err.h"
#include "svc/ssm/ssm.h"

#define LEVELS_MAX 15
#define NAME_MAX_  1011

struct reply *
ssm_fail(struct call *c, int r)
{
	return reply_failure(c, r < 0 ? r : err_fold(r));
}

struct reply *
ssm_invalid(struct call *c, const char *fmt, ...)
{
	const char *what;
	va_list ap;

	va_start(ap, fmt);
	what = arena_vfmt(c->arena, fmt, ap);
	va_end(ap);
	return reply_error(c, "ValidationException", "%s", what);
}

/* AWS says no more. */
struct reply *
ssm_not_found(struct call *c)
{
	return reply_error(c, "ParameterNotFound", "%s", "");
}

static bool
has_prefix(struct span name, struct span prefix)
{
	return span_ieq(span_to(name, prefix.n), prefix);
}

static bool
name_chars(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= 'A' && ch <= 'Z') &&
		    !(ch >= '0' && ch <= '9') && !(ch && strchr("_.-/", ch)))
			return false;
	}
	return span_find(name, SPAN("//")) < 0 && !span_ends(name, SPAN("/"));
}

struct reply *
ssm_check_name(struct call *c, struct span name)
{
	bool rooted = span_starts(name, SPAN("/"));
	struct span bare = span_from(name, rooted);
	int levels = 0;

	if (has_prefix(bare, SPAN("aws")))
		return reply_error(c, "AccessDeniedException", "No access to "
		    "reserved parameter name: %.*s.", SPAN_ARG(name));
	if (has_prefix(bare, SPAN("ssm")) || !name_chars(name))
		return ssm_invalid(c, "Parameter name: can't be prefixed with "
		    "\"%s\" (case-insensitive). If formed as a path, it can "
		    "consist of sub-paths divided by slash symbol; each "
		    "sub-path can be formed as a mix of letters, numbers and "
		    "the following 3 symbols .-_", rooted ? "ssm" :
		    "aws\" or \"ssm");
	if (!rooted && span_chr(name, '/') >= 0)
		return ssm_invalid(c, "Parameter name must be a fully "
		    "qualified name.");
	if (name.n > NAME_MAX_)
		return ssm_invalid(c, "The parameter name must not be longer "
		    "than %d characters.", NAME_MAX_);
	for (size_t i = 0; i < name.n; i++)
		levels += name.p[i] == '/';
	if (levels > LEVELS_MAX)
		return reply_error(c, "HierarchyLevelLimitExceededException",
		    "Hierarchy depth can't exceed %d levels.", LEVELS_MAX);
	return NULL;
}

int
ssm_get(struct call *c, struct span name, struct res **ret)
{
	struct span prefix = kind_arn(c->arena, &ssm_parameter, c->scope,
	    SPAN_NULL, SPAN_NULL);

	if (span_starts(name, prefix))
		name = span_from(name, prefix.n);
	else if (span_starts(name, SPAN("/")))
		name = span_from(name, 1);
	return store_get(c->store, c->arena, &ssm_parameter, c->scope,
	    SPAN_NULL, name, ret);
}

int
ssm_versions(struct call *c, const struct res *p, struct res_list *ret)
{
	struct query q = {.kind = &ssm_parameter_version, .scope = p->scope,
	    .parent = p->id};

	return store_list(c->store, c->arena, &q, ret);
}
