/* A template from its text. */
#include "cfn/internal.h"

static int
bad_json(struct arena *a, struct span text, size_t at, struct cfn_error *err)
{
	struct span before = span_to(text, at);
	size_t line = 1, column;

	for (size_t i = 0; i < before.n; i++)
		line += before.p[i] == '\n';
	column = before.n - (size_t)(span_rchr(before, '\n') + 1) + 1;
	return cfn_invalid(a, err, "Template format error: JSON not "
	    "well-formed. (line %zu, column %zu)", line, column);
}

/* JSON lets a name come twice; which one counts is nobody's guess. */
static int
check_twice(struct arena *a, const struct doc *d, struct cfn_error *err)
{
	struct span k;

	if (doc_type(d) != DOC_OBJ && doc_type(d) != DOC_ARR)
		return 0;
	if (doc_type(d) == DOC_OBJ && cfn_twice(a, d, &k))
		return cfn_invalid(a, err, "Template format error: duplicate "
		    "key '%.*s'", SPAN_ARG(k));
	doc_each(v, d)
		R(check_twice(a, v, err));
	return 0;
}

int
cfn_text_parse(struct arena *a, struct span text, struct doc **ret,
    struct cfn_error *err)
{
	struct span s = span_trim(text);
	struct doc *d;
	size_t at = 0;
	int r;

	if (s.n == 0)
		return cfn_invalid(a, err, "Template format error: unsupported "
		    "structure.");
	if (s.p[0] == '{') {
		r = doc_parse_json_at(a, text, &d, &at);
		if (r)
			return bad_json(a, text, at, err);
		R(check_twice(a, d, err));
	} else {
		R(cfn_yaml_parse(a, text, &d, err));
	}
	*ret = d;
	return 0;
}

int
cfn_template_parse(struct arena *a, struct span text,
    struct cfn_template **ret, struct cfn_error *err)
{
	struct cfn_template *t = arena_new_of(a, struct cfn_template);

	R(cfn_text_parse(a, text, &t->doc, err));
	t->transforms = doc_arr(a);
	R(cfn_check_sections(a, t, err));
	if (!t->extensions)
		R(cfn_check_references(a, t, t->doc, err));
	*ret = t;
	return 0;
}
