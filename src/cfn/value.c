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
