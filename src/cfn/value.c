/* Scalars as text, names, messages: what the whole folder needs. */
#include <ctype.h>

#include "cfn/internal.h"

int
cfn_invalid(struct arena *a, struct cfn_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err->text = span_of(arena_vfmt(a, fmt, ap));
	va_end(ap);
	return CFN_E_INVALID;
}

bool
cfn_is_scalar(const struct doc *d)
{
	switch (doc_type(d)) {
	case DOC_STR:
	case DOC_INT:
	case DOC_REAL:
	case DOC_BOOL:
		return true;
	case DOC_NONE:
	case DOC_NULL:
	case DOC_ARR:
	case DOC_OBJ:
		break;
	}
	return false;
}

struct span
cfn_scalar_text(struct arena *a, const struct doc *d)
{
	if (doc_type(d) == DOC_STR)
		return doc_span(d);
	return cfn_is_scalar(d) ? doc_json(a, d) : SPAN_NULL;
}

bool
cfn_alnum(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!isalnum((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

void
cfn_list_add(struct buf *b, struct span s)
{
	if (b->n)
		buf_add_str(b, ", ");
	buf_add_span(b, s);
}

void
cfn_list_once(struct buf *b, struct span s)
{
	struct span rest = buf_span(b);

	if (rest.n > 4096)
		return;
	while (rest.n)
		if (span_eq(span_trim(span_cut(&rest, ',')), s))
			return;
	cfn_list_add(b, s);
}

static int
by_name(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

bool
cfn_twice(struct arena *a, const struct doc *obj, struct span *ret)
{
	struct span *names = arena_array(a, struct span, doc_len(obj) + 1);
	size_t n = 0;

	doc_each_key(k, v, obj)
		names[n++] = k;
	qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 1; i < n; i++)
		if (span_eq(names[i - 1], names[i])) {
			*ret = names[i];
			return true;
		}
	return false;
}

bool
cfn_pseudo(struct span name)
{
	static const char *const names[] = {"AWS::AccountId",
	    "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition",
	    "AWS::Region", "AWS::StackId", "AWS::StackName",
	    "AWS::URLSuffix"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (span_is(name, names[i]))
			return true;
	return false;
}
