/* Services: looking one up. */
#include "svc/ecs/ecs.h"

int
service_get(struct call *c, struct span cluster, struct span ref,
    struct res **ret)
{
	struct span name = ref_tail(ref, "service");
	ptrdiff_t slash = span_chr(name, '/');

	if (slash >= 0) {
		cluster = span_to(name, (size_t)slash);
		name = span_from(name, (size_t)slash + 1);
	}
	return store_get(c->store, c->arena, &ecs_service, c->scope, cluster,
	    name, ret);
}
