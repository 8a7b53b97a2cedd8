/* What a template says of itself. */
#include "cfn/summary.h"
#include "cfn/facts.h"
#include "cfn/internal.h"

/* AWS: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html#using-iam-capabilities */
static const struct iam {
	const char *type;
	const char *name; /* the property whose presence asks for NAMED_IAM */
} iam[] = {
	{"AWS::IAM::AccessKey", NULL},
	{"AWS::IAM::Group", "GroupName"},
	{"AWS::IAM::InstanceProfile", "InstanceProfileName"},
	{"AWS::IAM::ManagedPolicy", "ManagedPolicyName"},
	{"AWS::IAM::Policy", NULL},
	{"AWS::IAM::Role", "RoleName"},
	{"AWS::IAM::User", "UserName"},
	{"AWS::IAM::UserToGroupAddition", NULL},
};

struct needs {
	struct arena *a;
	struct doc *types; /* that need a capability, each once */
	struct doc *all;   /* every type, each once */
	bool named;
};

static void
add_once(struct arena *a, struct doc *list, struct span s)
{
	if (!doc_has_str(list, s))
		doc_push_str(a, list, s);
}

/* Loops hold resources within; depth is the parser's. */
static void
collect(struct needs *n, const struct doc *resources)
{
	struct span type;

	doc_each_key(k, r, resources) {
		if (doc_type(r) == DOC_ARR) {
			collect(n, doc_at(r, 2));
			continue;
		}
		type = doc_get_str(r, "Type");
		if (!type.n)
			continue;
		add_once(n->a, n->all, type);
		for (size_t i = 0; i < ARRAY_SIZE(iam); i++) {
			if (!span_is(type, iam[i].type))
				continue;
			add_once(n->a, n->types, type);
			n->named = n->named || (iam[i].name &&
			    doc_get(doc_get(r, "Properties"), iam[i].name));
		}
	}
}

static struct needs
needs(struct arena *a, const struct cfn_template *t)
{
	struct needs n = {.a = a, .types = doc_arr(a), .all = doc_arr(a)};

	collect(&n, t->resources);
	return n;
}

struct doc *
cfn_types(struct arena *a, const struct cfn_template *t)
{
	return needs(a, t).all;
}

struct doc *
cfn_capabilities(struct arena *a, const struct cfn_template *t,
    struct span *ret_reason)
{
	_cleanup_(buf_done) struct buf why = BUF_INIT;
	struct needs n = needs(a, t);
	struct doc *list = doc_arr(a);
	struct span reason = SPAN_NULL;

	doc_each(v, n.types)
		cfn_list_add(&why, doc_span(v));
	if (why.n) {
		doc_push_str(a, list, n.named ? SPAN("CAPABILITY_NAMED_IAM") :
		    SPAN("CAPABILITY_IAM"));
		reason = arena_fmt_span(a, "The following resource(s) require "
		    "capabilities: [%s]", buf_str(&why));
	}
	if (doc_len(t->transforms)) {
		doc_push_str(a, list, SPAN("CAPABILITY_AUTO_EXPAND"));
		buf_clear(&why);
		doc_each(v, t->transforms)
			cfn_list_add(&why, doc_span(v));
		if (!reason.n)
			reason = arena_fmt_span(a, "The following resource(s) "
			    "require capabilities: [%s]", buf_str(&why));
	}
	*ret_reason = reason;
	return list;
}

struct span
cfn_capabilities_missing(struct arena *a, const struct cfn_template *t,
    const struct doc *given, bool change_set)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span reason, need;

	doc_each(v, cfn_capabilities(a, t, &reason)) {
		need = doc_span(v);
		if (doc_has_str(given, need) ||
		    (span_is(need, "CAPABILITY_IAM") &&
		    doc_has_str(given, SPAN("CAPABILITY_NAMED_IAM"))) ||
		    (span_is(need, "CAPABILITY_AUTO_EXPAND") && change_set))
			continue;
		cfn_list_add(&b, need);
	}
	if (!b.n)
		return SPAN_NULL;
	return arena_fmt_span(a, "Requires capabilities : [%s]", buf_str(&b));
}

static struct doc *
parameter(struct arena *a, const struct cfn_template *t, struct span name,
    const struct doc *p, bool types)
{
	const struct doc *def = doc_get(p, "Default");
	struct doc *o = doc_obj(a), *constraints = doc_obj(a), *list;

	doc_set_str(a, o, "ParameterKey", name);
	if (def)
		doc_set_str(a, o, "DefaultValue",
		    cfn_param_noecho(t, name) ? SPAN("****") :
		    cfn_scalar_text(a, def));
	if (types)
		doc_set_str(a, o, "ParameterType", doc_get_str(p, "Type"));
	doc_set_bool(a, o, "NoEcho", cfn_param_noecho(t, name));
	if (doc_get_str(p, "Description").n)
		doc_set_str(a, o, "Description", doc_get_str(p, "Description"));
	if (!types)
		return o;
	if (doc_get(p, "AllowedValues")) {
		list = doc_arr(a);
		doc_each(v, doc_get(p, "AllowedValues"))
			doc_push_str(a, list, cfn_scalar_text(a, v));
		doc_set(a, constraints, "AllowedValues", list);
	}
	return doc_set(a, o, "ParameterConstraints", constraints);
}

static struct doc *
head(struct arena *a, const struct cfn_template *t, bool types)
{
	struct doc *o = doc_obj(a), *list = doc_arr(a), *caps;
	struct span reason;

	doc_each_key(k, p, t->parameters)
		doc_push(list, parameter(a, t, k, p, types));
	doc_set(a, o, "Parameters", list);
	if (t->description.n)
		doc_set_str(a, o, "Description", t->description);
	caps = cfn_capabilities(a, t, &reason);
	if (doc_len(caps)) {
		doc_set(a, o, "Capabilities", caps);
		doc_set_str(a, o, "CapabilitiesReason", reason);
	}
	if (doc_len(t->transforms))
		doc_set(a, o, "DeclaredTransforms",
		    doc_copy(a, t->transforms));
	return o;
}

struct doc *
cfn_validate_output(struct arena *a, const struct cfn_template *t)
{
	return head(a, t, false);
}

static struct doc *
identifiers(struct arena *a, struct span type, const struct doc *resources)
{
	const struct cfn_facts *f = cfn_facts_find(type);
	struct doc *o = doc_obj(a), *ids = doc_arr(a), *names;

	if (!f)
		return NULL;
	names = cfn_facts_identifiers(a, f);
	doc_each_key(k, r, resources)
		if (span_eq(doc_get_str(r, "Type"), type))
			doc_push_str(a, ids, k);
	if (!doc_len(names))
		return NULL;
	doc_set_str(a, o, "ResourceType", type);
	doc_set(a, o, "LogicalResourceIds", ids);
	return doc_set(a, o, "ResourceIdentifiers", names);
}

struct doc *
cfn_summary(struct arena *a, const struct cfn_template *t)
{
	const struct doc *version = doc_get(t->doc, "AWSTemplateFormatVersion");
	struct needs n = needs(a, t);
	struct doc *o = head(a, t, true), *list = doc_arr(a), *id;

	doc_set(a, o, "ResourceTypes", n.all);
	doc_each(v, n.all)
		if ((id = identifiers(a, doc_span(v), t->resources)))
			doc_push(list, id);
	doc_set(a, o, "ResourceIdentifierSummaries", list);
	if (version)
		doc_set_str(a, o, "Version", cfn_scalar_text(a, version));
	if (t->metadata)
		doc_set_str(a, o, "Metadata", doc_json(a, t->metadata));
	return o;
}
