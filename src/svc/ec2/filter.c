/* The filter engine: which documents do a request's filters let through? */
#include "svc/ec2/filter.h"

#include <inttypes.h>
#include <stdio.h>

static const struct ec2_filter *
row_of(const struct ec2_filter *table, struct span name)
{
	for (const struct ec2_filter *f = table; f && f->name; f++)
		if (span_is(name, f->name))
			return f;
	return NULL;
}

static bool
about_tags(struct span name)
{
	return span_is(name, "tag-key") ||
	    (name.n > 4 && span_starts(name, SPAN("tag:")));
}

struct span
ec2_filter_unknown(const struct doc *filters, const struct ec2_filter *table)
{
	doc_each(f, filters) {
		struct span name = doc_get_str(f, "Name");

		if (!about_tags(name) && !row_of(table, name))
			return name.n ? name : SPAN("null");
	}
	return SPAN_NULL;
}

static bool
any_value(const struct doc *values, struct span text)
{
	doc_each(v, values)
		if (span_glob(doc_span(v), text))
			return true;
	return false;
}

/* Does a scalar equal one of the values? */
static bool
scalar_match(const struct doc *values, const struct doc *d)
{
	switch (doc_type(d)) {
	case DOC_STR:
		return any_value(values, doc_span(d));
	case DOC_BOOL:
		return any_value(values,
		    doc_true(d) ? SPAN("true") : SPAN("false"));
	case DOC_INT: {
		_cleanup_(buf_done) struct buf b = BUF_INIT;

		buf_addf(&b, "%" PRId64, doc_i64(d, 0));
		return any_value(values, buf_span(&b));
	}
	case DOC_NONE:
	case DOC_NULL:
	case DOC_REAL:
	case DOC_ARR:
	case DOC_OBJ:
		return false;
	}
	WRONG("document type");
}

static bool
path_match(const struct doc *values, const struct doc *d, struct span path)
{
	struct span member;

	if (doc_type(d) == DOC_ARR) {
		doc_each(v, d)
			if (path_match(values, v, path))
				return true;
		return false;
	}
	if (!path.p)
		return scalar_match(values, d);
	member = span_cut(&path, '.');
	return path_match(values, doc_getn(d, member), path);
}

static bool
tags_match(const struct doc *values, const struct doc *tags, struct span name)
{
	struct span key = span_from(name, 4);

	doc_each(t, tags) {
		struct span k = doc_get_str(t, "Key");

		if (span_is(name, "tag-key") ? any_value(values, k) :
		    span_eq(k, key) &&
			any_value(values, doc_get_str(t, "Value")))
			return true;
	}
	return false;
}

bool
ec2_filter_match(const struct doc *filters, const struct ec2_filter *table,
    const struct doc *d, const struct doc *tags)
{
	doc_each(f, filters) {
		const struct doc *values = doc_get(f, "Values");
		struct span name = doc_get_str(f, "Name");
		const struct ec2_filter *row = row_of(table, name);

		if (!row && about_tags(name)) {
			if (!tags_match(values, tags, name))
				return false;
			continue;
		}
		if (!row || !row->path ||
		    !path_match(values, d, span_of(row->path)))
			return false;
	}
	return true;
}

const char *
ec2_filter_index(const struct doc *filters, const struct ec2_filter *table,
    struct span *ret_value)
{
	doc_each(f, filters) {
		const struct doc *values = doc_get(f, "Values");
		const struct ec2_filter *row =
		    row_of(table, doc_get_str(f, "Name"));
		struct span v;

		if (!row || !row->index || doc_len(values) != 1)
			continue;
		v = doc_span(doc_at(values, 0));
		if (span_chr(v, '*') >= 0 || span_chr(v, '?') >= 0)
			continue;
		*ret_value = v;
		return row->index;
	}
	return NULL;
}
