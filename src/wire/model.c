/* Lookup in the model tables. */
#include "wire/model.h"

const struct model *
model_find(struct span name)
{
	for (size_t i = 0; i < models_n; i++)
		if (span_is(name, models[i]->name))
			return models[i];
	return NULL;
}

const struct model *
model_by_target(struct span prefix)
{
	if (prefix.n == 0)
		return NULL;
	for (size_t i = 0; i < models_n; i++)
		if (span_is(prefix, models[i]->target_prefix))
			return models[i];
	return NULL;
}

const struct model *
model_by_signing(struct span signing_name)
{
	if (signing_name.n == 0)
		return NULL;
	for (size_t i = 0; i < models_n; i++)
		if (span_is(signing_name, models[i]->signing_name))
			return models[i];
	return NULL;
}

const struct model_op *
model_op_find(const struct model *m, struct span name)
{
	size_t lo = 0, hi = m->n_ops, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = span_cmp(name, model_str(m, m->ops[mid].name));
		if (c == 0)
			return &m->ops[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct model_shape *
model_shape_find(const struct model *m, struct span name)
{
	size_t lo = 0, hi = m->n_shapes, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = span_cmp(name, model_str(m, m->shapes[mid].name));
		if (c == 0)
			return &m->shapes[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const struct model_error *
model_error_find(const struct model *m, struct span code)
{
	const struct model_error *e;

	for (size_t i = 0; i < m->n_errors; i++) {
		e = &m->errors[i];
		if (span_eq(code, model_str(m, m->shapes[e->shape].name)) ||
		    span_eq(code, model_str(m, e->code)))
			return e;
	}
	return NULL;
}

const struct model_member *
model_member_find(const struct model *m, const struct model_shape *s,
    struct span name)
{
	const struct model_member *mb = model_members(m, s);

	for (size_t i = 0; i < s->n; i++)
		if (span_eq(name, model_str(m, mb[i].name)))
			return &mb[i];
	return NULL;
}
