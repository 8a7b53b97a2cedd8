/* The model's bounds, in AWS's words. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <ctype.h>
#include <pcre2.h>

#include "wire/shape.h"

#define MAX_PROBLEMS 20
#define SHOWN	     1024

enum wording {
	WORDS_COMMON, /* "1 validation error detected: Value 'x' at …" */
	WORDS_ECR,    /* "Invalid parameter at 'x' failed to satisfy …" */
	WORDS_EC2,    /* "The request must contain the parameter X" */
	WORDS_S3      /* of a body no more than that it is wrong */
};

/* Services whose front door does not say ValidationException (JSON, REST) or
 * ValidationError (query).  AWS: the "Errors" of each API's operations. */
static const struct style {
	const char *service;
	const char *code;
	enum wording words;
} styles[] = {
	{"ec2", "InvalidParameterValue", WORDS_EC2},
	{"ecr", "InvalidParameterException", WORDS_ECR},
	{"ecs", "InvalidParameterException", WORDS_COMMON},
	{"logs", "InvalidParameterException", WORDS_COMMON},
	{"resourcegroupstaggingapi", "InvalidParameterException",
	    WORDS_COMMON},
	{"route53", "InvalidInput", WORDS_COMMON},
	{"s3", "InvalidArgument", WORDS_S3},
	{"servicediscovery", "InvalidInput", WORDS_COMMON},
	{"sqs", "InvalidParameterValue", WORDS_EC2},
};

/* Enums that grow faster than a definition: any value is let through. */
static const struct {
	const char *service;
	const char *shape;
} open_enums[] = {
	{"ec2", "InstanceType"},
	{"lambda", "Runtime"},
	{"s3", "BucketLocationConstraint"},
};

/* What a service says itself of a member that is not there, as clients have
 * reported it: github.com/aws/copilot-cli/issues/3551, vend/ecs-cleaner 2,
 * awslabs/fargatecli 11, aws-actions/amazon-ecs-deploy-task-definition 630,
 * awsdocs/aws-cloudformation-user-guide 454.  code NULL: the style's. */
static const struct blank {
	const char *service;
	const char *op; /* NULL: any */
	const char *member;
	const char *code;
	const char *message;
} blanks[] = {
	{"ecs", "DescribeServices", "services", NULL,
	    "Services cannot be empty."},
	{"ecs", "DescribeTasks", "tasks", NULL, "Tasks cannot be empty."},
	{"ecs", "DescribeTaskDefinition", "taskDefinition", NULL,
	    "Task Definition can not be blank."},
	{"ecs", "DeregisterTaskDefinition", "taskDefinition", NULL,
	    "Task Definition can not be blank."},
	{"ecs", "RunTask", "taskDefinition", NULL,
	    "TaskDefinition can not be blank."},
	{"ecs", "RegisterTaskDefinition", "family", "ClientException",
	    "Family can not be blank."},
	{"ecs", "RegisterTaskDefinition", "containerDefinitions",
	    "ClientException", "Container list cannot be empty."},
};

struct problem {
	struct span path;
	struct span value;  /* p NULL: null, or not to be shown */
	bool hidden;
	bool missing;
	struct span constraint;
};

struct check {
	struct arena *a;
	const struct model *m;
	struct problem at[MAX_PROBLEMS];
	size_t n;
};

/* Where in the input the walk stands; linked, so that text is only made for
 * a problem. */
struct where {
	const struct where *up;
	struct span name;
	size_t index; /* of a list's element, from 1 */
	bool key;     /* a map's key, not its value */
};

static void check_value(struct check *c, const struct where *at, uint16_t shape,
    const struct doc *d);

static void
add_path(struct buf *b, const struct where *at)
{
	if (at->up) {
		add_path(b, at->up);
		if (b->n)
			buf_add_char(b, '.');
	}
	if (at->index) {
		buf_addf(b, "%zu.member", at->index);
		return;
	}
	if (at->name.n) {
		/* AWS writes member names in lower camel case here. */
		buf_add_char(b, (char)tolower((unsigned char)at->name.p[0]));
		buf_add_span(b, span_from(at->name, 1));
	}
}

static struct span
path_of(struct arena *a, const struct where *at)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	add_path(&b, at);
	return arena_span(a, buf_span(&b));
}

static void
add_shown(struct buf *b, const struct doc *d)
{
	bool first = true;

	if (doc_type(d) == DOC_STR) {
		buf_add_span(b, span_to(doc_span(d), SHOWN));
	} else if (doc_type(d) == DOC_ARR) {
		buf_add_char(b, '[');
		doc_each(v, d) {
			if (b->n > SHOWN)
				break;
			if (!first)
				buf_add_str(b, ", ");
			first = false;
			add_shown(b, v);
		}
		buf_add_char(b, ']');
	} else {
		doc_write_json(b, d);
	}
}

static void
problem(struct check *c, const struct where *at, const struct model_shape *s,
    const struct doc *d, const char *fmt, ...) PRINTF(5, 6);

static void
problem(struct check *c, const struct where *at, const struct model_shape *s,
    const struct doc *d, const char *fmt, ...)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct problem *p;
	va_list ap;

	if (c->n == MAX_PROBLEMS)
		return;
	p = &c->at[c->n++];
	va_start(ap, fmt);
	p->constraint = span_of(arena_vfmt(c->a, fmt, ap));
	va_end(ap);
	p->path = path_of(c->a, at);
	p->missing = !d || doc_type(d) == DOC_NULL;
	p->hidden = s && s->flags & SHAPE_SENSITIVE;
	if (!p->missing && !p->hidden) {
		add_shown(&b, d);
		p->value = arena_span(c->a, span_to(buf_span(&b), SHOWN));
	}
}

/* Characters, elements or members. */
static size_t
length_of(const struct model_shape *s, const struct doc *d)
{
	struct span t = doc_span(d);
	size_t n = 0;

	if (s->type != MODEL_STRING)
		return doc_len(d);
	for (size_t i = 0; i < t.n; i++)
		n += ((unsigned char)t.p[i] & 0xc0) != 0x80;
	return n;
}

static void
check_range(struct check *c, const struct where *at,
    const struct model_shape *s, const struct model_bounds *b,
    const struct doc *d)
{
	bool number = s->type == MODEL_INTEGER || s->type == MODEL_LONG ||
	    s->type == MODEL_FLOAT || s->type == MODEL_DOUBLE;
	double v = number ? doc_f64(d, 0) : (double)length_of(s, d);
	const char *what = number ? "value" : "length";

	if (b->has_min && v < b->min)
		problem(c, at, s, d, "Member must have %s greater than or "
		    "equal to %.15g", what, b->min);
	if (b->has_max && v > b->max)
		problem(c, at, s, d, "Member must have %s less than or equal "
		    "to %.15g", what, b->max);
}

static bool
enum_is_open(const struct check *c, const struct model_shape *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(open_enums); i++)
		if (strcmp(c->m->name, open_enums[i].service) == 0 &&
		    span_is(model_str(c->m, s->name), open_enums[i].shape))
			return true;
	return false;
}

static void
check_enum(struct check *c, const struct where *at,
    const struct model_shape *s, const struct model_bounds *b,
    const struct doc *d)
{
	_cleanup_(buf_done) struct buf set = BUF_INIT;
	const uint32_t *e = c->m->enums + b->first_enum;

	for (size_t i = 0; i < b->n_enum; i++)
		if (span_eq(doc_span(d), model_str(c->m, e[i])))
			return;
	if (enum_is_open(c, s))
		return;
	for (size_t i = 0; i < b->n_enum; i++) {
		buf_add_str(&set, i ? ", " : "");
		buf_add_span(&set, model_str(c->m, e[i]));
	}
	problem(c, at, s, d, "Member must satisfy enum value set: [%s]",
	    buf_str(&set));
}

/* Kept for ever; a pattern that PCRE2 cannot read (there is a test that says
 * there is none) bounds nothing. */
static pcre2_code *
pattern_of(const struct model *m, const struct model_bounds *b)
{
	static char unreadable;
	void **slot = &m->patterns[b - m->bounds];
	struct span s = model_str(m, b->regex);
	PCRE2_SIZE where;
	int err;

	if (!*slot) {
		*slot = pcre2_compile((PCRE2_SPTR)s.p, s.n, PCRE2_UTF |
		    PCRE2_ANCHORED | PCRE2_ENDANCHORED |
		    PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_INVALID_UTF,
		    &err, &where, NULL);
		if (*slot)
			pcre2_jit_compile(*slot, PCRE2_JIT_COMPLETE);
		else
			*slot = &unreadable;
	}
	return *slot == &unreadable ? NULL : *slot;
}

static bool
pattern_fits(const struct model *m, const struct model_bounds *b,
    struct span s)
{
	static pcre2_match_data *data;
	static pcre2_match_context *limits;
	pcre2_code *code = pattern_of(m, b);

	if (!data) {
		data = pcre2_match_data_create(1, NULL);
		limits = pcre2_match_context_create(NULL);
		AN(data && limits);
		/* No pattern of a stranger's text may run away. */
		pcre2_set_match_limit(limits, 200000);
	}
	return !code || pcre2_match(code, (PCRE2_SPTR)(s.p ? s.p : ""), s.n, 0,
	    0, data, limits) >= 0;
}

static void
check_scalar(struct check *c, const struct where *at,
    const struct model_shape *s, const struct doc *d)
{
	const struct model_bounds *b = &c->m->bounds[s->bounds];

	if (s->bounds == 0)
		return;
	if (b->has_min || b->has_max)
		check_range(c, at, s, b, d);
	if (s->type != MODEL_STRING)
		return;
	if (b->n_enum)
		check_enum(c, at, s, b, d);
	if (model_str(c->m, b->pattern).n &&
	    !pattern_fits(c->m, b, doc_span(d)))
		problem(c, at, s, d, "Member must satisfy regular expression "
		    "pattern: %.*s", SPAN_ARG(model_str(c->m, b->pattern)));
}

static void
check_struct(struct check *c, const struct where *at,
    const struct model_shape *s, const struct doc *d)
{
	const struct model_member *mb = model_members(c->m, s);
	struct where below = {.up = at};
	const struct doc *v;

	for (size_t i = 0; i < s->n; i++, mb++) {
		below.name = model_str(c->m, mb->name);
		v = doc_getn(d, below.name);
		if (v)
			check_value(c, &below, mb->shape, v);
		else if (mb->flags & MEMBER_REQUIRED &&
		    !(mb->flags & MEMBER_STREAMING))
			problem(c, &below, NULL, NULL,
			    "Member must not be null");
	}
}

static void
check_map(struct check *c, const struct where *at,
    const struct model_shape *s, const struct doc *d)
{
	const struct model_member *kv = model_members(c->m, s);
	struct where below = {.up = at};

	doc_each_key(k, v, d) {
		below.name = k;
		below.key = true;
		check_scalar(c, &below, &c->m->shapes[kv[0].shape],
		    doc_str(c->a, k));
		below.key = false;
		check_value(c, &below, kv[1].shape, v);
	}
}

static void
check_value(struct check *c, const struct where *at, uint16_t shape,
    const struct doc *d)
{
	const struct model_shape *s = &c->m->shapes[shape];
	struct where below = {.up = at};

	if (s->flags & SHAPE_DOCUMENT)
		return;
	if (doc_type(d) == DOC_NULL) {
		problem(c, at, s, d, "Member must not be null");
		return;
	}
	check_scalar(c, at, s, d);
	if (s->type == MODEL_STRUCTURE) {
		check_struct(c, at, s, d);
	} else if (s->type == MODEL_MAP) {
		check_map(c, at, s, d);
	} else if (s->type == MODEL_LIST) {
		doc_each(v, d) {
			below.index++;
			check_value(c, &below, model_members(c->m, s)->shape,
			    v);
		}
	}
}

static struct span
words_common(struct check *c)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const struct problem *p;

	buf_addf(&b, "%zu validation error%s detected: ", c->n,
	    c->n == 1 ? "" : "s");
	for (size_t i = 0; i < c->n; i++) {
		p = &c->at[i];
		buf_add_str(&b, i ? "; Value" : "Value");
		if (p->missing)
			buf_add_str(&b, " null");
		else if (!p->hidden)
			buf_addf(&b, " '%.*s'", SPAN_ARG(p->value));
		buf_addf(&b, " at '%.*s' failed to satisfy constraint: %.*s",
		    SPAN_ARG(p->path), SPAN_ARG(p->constraint));
	}
	return arena_span(c->a, buf_span(&b));
}

/* "Member must have …" is "must have …" here, and patterns are quoted; the
 * issue trackers of aws-cdk and of this service's clients show it. */
static struct span
words_ecr(struct check *c)
{
	struct span s = c->at[0].constraint;
	struct span pattern = SPAN("must satisfy regular expression pattern: ");
	const char *path = arena_str(c->a, c->at[0].path);

	if (span_starts(s, SPAN("Member ")))
		s = span_from(s, strlen("Member "));
	if (span_starts(s, pattern))
		return arena_fmt_span(c->a, "Invalid parameter at '%s' failed "
		    "to satisfy constraint: 'must satisfy regular expression "
		    "'%.*s''", path, SPAN_ARG(span_from(s, pattern.n)));
	return arena_fmt_span(c->a, "Invalid parameter at '%s' failed to "
	    "satisfy constraint: '%.*s'", path, SPAN_ARG(s));
}

/* EC2 writes member names as they are sent. */
static struct span
words_ec2(struct check *c, bool dot, struct span *code)
{
	const struct problem *p = &c->at[0];
	char *path = arena_str(c->a, p->path);

	path[0] = (char)toupper((unsigned char)path[0]);
	if (p->missing) {
		*code = SPAN("MissingParameter");
		return arena_fmt_span(c->a, "The request must contain the "
		    "parameter %s%s", path, dot ? "." : "");
	}
	return arena_fmt_span(c->a, "Value (%.*s) for parameter %s is "
	    "invalid. %.*s", SPAN_ARG(p->value), path,
	    SPAN_ARG(p->constraint));
}

/* What is inside of a member came in a body of XML; members themselves are
 * headers and queries. */
static struct span
words_s3(struct check *c, struct span *code)
{
	if (span_chr(c->at[0].path, '.') < 0)
		return words_common(c);
	*code = SPAN("MalformedXML");
	return SPAN("The XML you provided was not well-formed or did not "
	    "validate against our published schema");
}

static const struct style *
style_of(const struct wire_target *t)
{
	static const struct style json = {"", "ValidationException", 0};
	static const struct style query = {"", "ValidationError", 0};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
		if (strcmp(styles[i].service, t->model->name) == 0)
			return &styles[i];
	return model_speaks(t->model, PROTO_QUERY) ? &query : &json;
}

static const struct blank *
blank_of(const struct wire_target *t, const struct problem *p)
{
	for (size_t i = 0; p->missing && i < ARRAY_SIZE(blanks); i++)
		if (strcmp(blanks[i].service, t->model->name) == 0 &&
		    span_is(p->path, blanks[i].member) && (!blanks[i].op ||
		    span_is(model_op_name(t->op), blanks[i].op)))
			return &blanks[i];
	return NULL;
}

int
wire_validate(struct arena *a, const struct wire_target *t,
    const struct doc *in, struct wire_error *ret_err)
{
	const struct model_shape *s = model_shape(t->model, t->op->in);
	const struct style *style;
	const struct blank *blank;
	struct where top = {0};
	struct check c;

	if (!s)
		return 0;
	c.a = a;
	c.m = t->model;
	c.n = 0;
	check_struct(&c, &top, s, in);
	if (c.n == 0)
		return 0;
	style = style_of(t);
	*ret_err = (struct wire_error){.code = span_of(style->code),
		.status = 400};
	if ((blank = blank_of(t, &c.at[0]))) {
		ret_err->code = span_of(blank->code ? blank->code : style->code);
		ret_err->message = span_of(blank->message);
		return WIRE_E_REFUSED;
	}
	switch (style->words) {
	case WORDS_COMMON:
		ret_err->message = words_common(&c);
		break;
	case WORDS_ECR:
		ret_err->message = words_ecr(&c);
		break;
	case WORDS_EC2:
		ret_err->message = words_ec2(&c,
		    strcmp(t->model->name, "sqs") == 0, &ret_err->code);
		break;
	case WORDS_S3:
		ret_err->message = words_s3(&c, &ret_err->code);
		break;
	}
	return WIRE_E_REFUSED;
}
