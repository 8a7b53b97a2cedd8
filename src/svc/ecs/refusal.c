/* Why an input is refused, as a value: so that checks stay pure. */
#include "svc/ecs/ecs.h"

static bool
refuse_v(struct refusal *r, struct arena *a, const char *code,
    const char *fmt, va_list ap)
{
	*r = (struct refusal){
		.unimplemented = !code,
		.code = code,
		.text = arena_vfmt(a, fmt, ap),
	};
	return false;
}

bool
refuse(struct refusal *r, struct arena *a, const char *code, const char *fmt,
    ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse_v(r, a, code, fmt, ap);
	va_end(ap);
	return false;
}

bool
refuse_unimplemented(struct refusal *r, struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	refuse_v(r, a, NULL, fmt, ap);
	va_end(ap);
	return false;
}
