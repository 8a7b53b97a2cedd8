/* Which service, operation and protocol a request is for. */
#include "doc/form.h"
#include "wire/shape.h"

static int
refuse(struct arena *a, struct wire_error *e, int status, const char *code,
    const char *fmt, struct span arg)
{
	e->status = status;
	e->code = span_of(code);
	e->message = arena_fmt_span(a, fmt, SPAN_ARG(span_to(arg, 200)));
	return WIRE_E_REFUSED;
}

static bool
is_rest(enum model_protocol p)
{
	return p == PROTO_REST_JSON || p == PROTO_REST_XML;
}

/* "AWS: X-Amz-Target: ServicePrefix.Operation" */
static int
by_target(struct arena *a, struct span target, struct wire_target *t,
    struct wire_error *e)
{
	ptrdiff_t dot = span_rchr(target, '.');

	t->protocol = PROTO_JSON;
	if (dot > 0)
		t->model = model_by_target(span_to(target, (size_t)dot));
	if (t->model && model_speaks(t->model, PROTO_JSON))
		t->op = model_op_find(t->model,
		    span_from(target, (size_t)dot + 1));
	if (t->op)
		return 0;
	return refuse(a, e, 400, "UnknownOperationException",
	    "The operation %.*s is not known", target);
}

/* "/service/NAME/operation/OPERATION", at the end of whatever path. */
static int
by_rpc_path(struct arena *a, const struct wire_in *in, struct wire_target *t,
    struct wire_error *e)
{
	ptrdiff_t at = span_find(in->path, SPAN("/service/"));
	struct span rest, service, word, op = SPAN_NULL;

	t->protocol = PROTO_CBOR;
	rest = span_from(in->path, at < 0 ? in->path.n : (size_t)at + 9);
	service = span_cut(&rest, '/');
	word = span_cut(&rest, '/');
	if (span_is(word, "operation"))
		op = rest;
	/* Some clients put the namespace before the name. */
	if (span_rchr(service, '.') >= 0)
		service = span_from(service,
		    (size_t)span_rchr(service, '.') + 1);
	t->model = model_by_target(service);
	if (!t->model)
		t->model = model_by_signing(in->service);
	if (t->model && model_speaks(t->model, PROTO_CBOR))
		t->op = model_op_find(t->model, op);
	if (t->op)
		return 0;
	return refuse(a, e, 404, "UnknownOperationException",
	    "The operation %.*s is not known", op);
}

static int
by_route(struct arena *a, const struct wire_in *in, struct wire_target *t,
    struct wire_error *e)
{
	t->protocol = t->model->protocol;
	t->op = wire_route(a, t->model, in);
	if (t->op)
		return 0;
	if (t->model->no_error_wrapping)
		return refuse(a, e, 405, "MethodNotAllowed", "The specified "
		    "method is not allowed against this resource.%.*s",
		    SPAN_NULL);
	return refuse(a, e, 404, "UnknownOperationException",
	    "Unable to determine service/operation name to be authorized: "
	    "%.*s", in->path);
}

struct action {
	struct span action;
	struct span version;
};

static void
find_action(struct arena *a, struct span text, struct action *into)
{
	struct form_pair p;

	while (form_next(a, &text, &p)) {
		if (span_is(p.name, "Action") && !into->action.p)
			into->action = p.value;
		else if (span_is(p.name, "Version") && !into->version.p)
			into->version = p.value;
	}
}

/* Without a signature, version and action must tell. */
static const struct model *
model_by_action(const struct action *act)
{
	const struct model *m;

	for (size_t i = 0; i < models_n; i++) {
		m = models[i];
		if ((model_speaks(m, PROTO_QUERY) ||
		    model_speaks(m, PROTO_EC2)) &&
		    span_is(act->version, m->api_version) &&
		    model_op_find(m, act->action))
			return m;
	}
	return NULL;
}

static enum model_protocol
form_protocol(const struct model *m)
{
	return m && model_speaks(m, PROTO_EC2) ? PROTO_EC2 : PROTO_QUERY;
}

static int
by_action(struct arena *a, const struct action *act, struct wire_target *t,
    struct wire_error *e)
{
	if (!t->model)
		t->model = model_by_action(act);
	t->protocol = form_protocol(t->model);
	if (t->model && model_speaks(t->model, t->protocol))
		t->op = model_op_find(t->model, act->action);
	if (t->op)
		return 0;
	if (t->protocol == PROTO_EC2)
		return refuse(a, e, 400, "InvalidAction", "The action %.*s is "
		    "not valid for this web service.", act->action);
	return refuse(a, e, 400, "InvalidAction", "Could not find operation "
	    "%.*s", act->action);
}

static int
nothing_told(struct arena *a, const struct wire_in *in, struct wire_target *t,
    struct wire_error *e)
{
	if (!t->model && in->service.n) {
		t->protocol = PROTO_REST_JSON;
		return refuse(a, e, 404, "UnknownOperationException",
		    "The service %.*s is not known", in->service);
	}
	if (!t->model) {
		t->protocol = PROTO_QUERY;
		return refuse(a, e, 403, "MissingAuthenticationToken",
		    "Request is missing Authentication Token%.*s", SPAN_NULL);
	}
	t->protocol = t->model->protocol;
	if (t->protocol == PROTO_QUERY || t->protocol == PROTO_EC2)
		return refuse(a, e, 400, "MissingAction", "The request must "
		    "contain the parameter Action%.*s", SPAN_NULL);
	return refuse(a, e, 400, "UnknownOperationException",
	    "The request names no operation%.*s", SPAN_NULL);
}

static bool
form_to_come(const struct wire_in *in)
{
	struct span type = wire_header_get(in, "content-type");

	return !in->body.p && span_is(in->method, "POST") &&
	    (type.n == 0 || span_find(type, SPAN("urlencoded")) >= 0);
}

int
wire_identify(struct arena *a, const struct wire_in *in,
    struct wire_target *ret_target, struct wire_error *ret_err)
{
	struct wire_target *t = ret_target;
	struct span s = wire_header_get(in, "x-amz-target");
	struct action act = {0};

	*t = (struct wire_target){.protocol = PROTO_JSON};
	*ret_err = (struct wire_error){0};
	if (span_is(wire_header_get(in, "smithy-protocol"), "rpc-v2-cbor"))
		return by_rpc_path(a, in, t, ret_err);
	if (s.n)
		return by_target(a, s, t, ret_err);
	t->model = model_by_signing(in->service);
	if (t->model && is_rest(t->model->protocol))
		return by_route(a, in, t, ret_err);
	find_action(a, in->query, &act);
	if (!act.action.p) {
		if (form_to_come(in)) {
			t->protocol = form_protocol(t->model);
			return WIRE_E_BODY;
		}
		s = wire_header_get(in, "content-type");
		if (s.n == 0 || span_find(s, SPAN("urlencoded")) >= 0)
			find_action(a, in->body, &act);
	}
	if (act.action.p)
		return by_action(a, &act, t, ret_err);
	return nothing_told(a, in, t, ret_err);
}
