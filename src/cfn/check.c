/* The shape of the sections, and references, without parameters. */
#include "cfn/facts.h"
#include "cfn/internal.h"

#define FORMAT "Template format error: "

static bool
loop_key(const struct cfn_template *t, struct span k)
{
	return t->extensions && span_starts(k, SPAN("Fn::ForEach::"));
}

static bool
in_list(struct span s, const char *const *list)
{
	for (; *list; list++)
		if (span_is(s, *list))
			return true;
	return false;
}

/* "[/Resources/A/Properties] 'null' values are not allowed in templates" */
static int
check_null(struct arena *a, const struct doc *d, struct buf *path,
    struct cfn_error *err)
{
	size_t n = path->n, i = 0;

	if (doc_type(d) == DOC_NULL)
		return cfn_invalid(a, err, "[%s] 'null' values are not allowed "
		    "in templates", buf_str(path));
	doc_each_key(k, v, doc_type(d) == DOC_OBJ ? d : NULL) {
		buf_add_char(path, '/');
		buf_add_span(path, k);
		R(check_null(a, v, path, err));
		path->n = n;
		path->p[n] = '\0';
	}
	doc_each(v, doc_type(d) == DOC_ARR ? d : NULL) {
		buf_addf(path, "/%zu", i++);
		R(check_null(a, v, path, err));
		path->n = n;
		path->p[n] = '\0';
	}
	return 0;
}

static int
check_members(struct arena *a, const struct doc *d, const char *what,
    const char *const *known, struct cfn_error *err)
{
	doc_each_key(k, v, d)
		if (!in_list(k, known))
			return cfn_invalid(a, err, "Invalid template %s "
			    "property '%.*s'", what, SPAN_ARG(k));
	return 0;
}

static int
check_count(struct arena *a, const struct doc *d, const char *what, size_t max,
    struct cfn_error *err)
{
	if (doc_len(d) > max)
		return cfn_invalid(a, err, FORMAT "Number of %s, %zu, is "
		    "greater than maximum allowed, %zu", what, doc_len(d), max);
	return 0;
}

static bool
known_simple_type(struct span t)
{
	static const char *const types[] = {"String", "Number",
	    "AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id",
	    "AWS::EC2::Instance::Id", "AWS::EC2::KeyPair::KeyName",
	    "AWS::EC2::SecurityGroup::GroupName",
	    "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id",
	    "AWS::EC2::Volume::Id", "AWS::EC2::VPC::Id",
	    "AWS::Route53::HostedZone::Id", NULL};

	return in_list(t, types);
}

static bool
known_type(struct span t)
{
	struct span list = SPAN("List<"), ssm = SPAN("AWS::SSM::Parameter::Value<");

	if (span_is(t, "CommaDelimitedList") ||
	    span_is(t, "AWS::SSM::Parameter::Name"))
		return true;
	if (span_starts(t, ssm) && span_ends(t, SPAN(">"))) {
		t = span_to(span_from(t, ssm.n), t.n - ssm.n - 1);
		return known_type(t) && !span_starts(t, ssm);
	}
	if (span_starts(t, list) && span_ends(t, SPAN(">")))
		t = span_to(span_from(t, list.n), t.n - list.n - 1);
	return known_simple_type(t);
}

static int
check_parameter(struct arena *a, struct span name, const struct doc *p,
    struct cfn_error *err)
{
	static const char *const known[] = {"Type", "Default", "NoEcho",
	    "AllowedValues", "AllowedPattern", "MaxLength", "MinLength",
	    "MaxValue", "MinValue", "Description", "ConstraintDescription",
	    NULL};
	const struct doc *d;

	if (!cfn_alnum(name))
		return cfn_invalid(a, err, FORMAT "Parameter name %.*s is non "
		    "alphanumeric.", SPAN_ARG(name));
	if (doc_type(p) != DOC_OBJ)
		return cfn_invalid(a, err, FORMAT "Any Parameters member must "
		    "be an object.");
	R(check_members(a, p, "parameter", known, err));
	if (doc_type(doc_get(p, "Type")) != DOC_STR)
		return cfn_invalid(a, err, FORMAT "Every Parameters object "
		    "must contain a Type member.");
	if (!known_type(doc_get_str(p, "Type")))
		return cfn_invalid(a, err, FORMAT "Unrecognized parameter "
		    "type: %.*s", SPAN_ARG(doc_get_str(p, "Type")));
	d = doc_get(p, "Default");
	if (d && !cfn_is_scalar(d))
		return cfn_invalid(a, err, FORMAT "Every Default member must "
		    "be a string.");
	d = doc_get(p, "AllowedValues");
	if (d && doc_type(d) != DOC_ARR)
		return cfn_invalid(a, err, FORMAT "Every AllowedValues member "
		    "must be a list.");
	doc_each(v, d)
		if (!cfn_is_scalar(v))
			return cfn_invalid(a, err, FORMAT "Every "
			    "AllowedValues member must be a string.");
	d = doc_get(p, "Description");
	if (d && doc_type(d) != DOC_STR)
		return cfn_invalid(a, err, FORMAT "Every Description member "
		    "must be a string.");
	return 0;
}

static int
check_mapping(struct arena *a, struct span name, const struct doc *m,
    struct cfn_error *err)
{
	if (doc_type(m) != DOC_OBJ)
		return cfn_invalid(a, err, FORMAT "Every Mappings member %.*s "
		    "must be a map", SPAN_ARG(name));
	R(check_count(a, m, "mapping keys", CFN_MAX_MAPPINGS, err));
	doc_each_key(k, row, m) {
		R(check_count(a, row, "mapping attributes", CFN_MAX_MAPPINGS,
		    err));
		if (doc_type(row) != DOC_OBJ)
			return cfn_invalid(a, err, FORMAT "Every Mappings "
			    "member %.*s must be a map", SPAN_ARG(k));
		doc_each(v, row)
			if (!cfn_is_scalar(v) && doc_type(v) != DOC_ARR)
				return cfn_invalid(a, err, FORMAT "Every "
				    "Mappings attribute must be a String or a "
				    "List.");
	}
	return 0;
}

static int
check_depends_on(struct arena *a, const struct doc *d, struct cfn_error *err)
{
	if (!d || doc_type(d) == DOC_STR)
		return 0;
	if (doc_type(d) != DOC_ARR)
		return cfn_invalid(a, err, FORMAT "DependsOn must be a string "
		    "or list of strings.");
	doc_each(v, d)
		if (doc_type(v) != DOC_STR)
			return cfn_invalid(a, err, FORMAT "DependsOn must be "
			    "a string or list of strings.");
	return 0;
}

static int
check_policy(struct arena *a, struct span name, const struct doc *r,
    const char *key, struct cfn_error *err)
{
	static const char *const known[] = {"Delete", "Retain", "Snapshot",
	    "RetainExceptOnCreate", NULL};
	/* https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html */
	static const char *const snapshots[] = {"AWS::DocDB::DBCluster",
	    "AWS::EC2::Volume", "AWS::ElastiCache::CacheCluster",
	    "AWS::ElastiCache::ReplicationGroup", "AWS::Neptune::DBCluster",
	    "AWS::RDS::DBCluster", "AWS::RDS::DBInstance",
	    "AWS::Redshift::Cluster", NULL};
	const struct doc *d = doc_get(r, key);

	if (span_is(doc_span(d), "Snapshot") &&
	    !in_list(doc_get_str(r, "Type"), snapshots))
		return cfn_invalid(a, err, "Template error: resource type "
		    "%.*s does not support deletion policy Snapshot",
		    SPAN_ARG(doc_get_str(r, "Type")));
	if (!d || doc_type(d) == DOC_OBJ || in_list(doc_span(d), known))
		return 0;
	return cfn_invalid(a, err, FORMAT "Unrecognized %s %.*s for resource "
	    "%.*s", key, SPAN_ARG(cfn_scalar_text(a, d)), SPAN_ARG(name));
}

static int
check_resource(struct arena *a, struct span name, const struct doc *r,
    struct cfn_error *err)
{
	static const char *const known[] = {"Type", "Properties", "DependsOn",
	    "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy",
	    "UpdatePolicy", "CreationPolicy", "Description", "Version", NULL};
	const struct doc *d;

	if (!cfn_alnum(name))
		return cfn_invalid(a, err, FORMAT "Resource name %.*s is non "
		    "alphanumeric.", SPAN_ARG(name));
	if (doc_type(r) != DOC_OBJ)
		return cfn_invalid(a, err, FORMAT "[/Resources/%.*s] resource "
		    "definition is malformed", SPAN_ARG(name));
	R(check_members(a, r, "resource", known, err));
	if (doc_type(doc_get(r, "Type")) != DOC_STR)
		return cfn_invalid(a, err, FORMAT "[/Resources/%.*s] Every "
		    "Resources object must contain a Type member.",
		    SPAN_ARG(name));
	d = doc_get(r, "Properties");
	if (d && doc_type(d) != DOC_OBJ)
		return cfn_invalid(a, err, FORMAT "[/Resources/%.*s/Properties]"
		    " Properties must be an object.", SPAN_ARG(name));
	d = doc_get(r, "Condition");
	if (d && doc_type(d) != DOC_STR)
		return cfn_invalid(a, err, FORMAT "Every Condition member must "
		    "be a string.");
	R(check_policy(a, name, r, "DeletionPolicy", err));
	R(check_policy(a, name, r, "UpdateReplacePolicy", err));
	return check_depends_on(a, doc_get(r, "DependsOn"), err);
}

static int
check_output(struct arena *a, struct span name, const struct doc *o,
    struct cfn_error *err)
{
	static const char *const known[] = {"Description", "Value", "Export",
	    "Condition", NULL};
	const struct doc *export = doc_get(o, "Export");

	if (!cfn_alnum(name))
		return cfn_invalid(a, err, FORMAT "Output name %.*s is non "
		    "alphanumeric.", SPAN_ARG(name));
	if (doc_type(o) != DOC_OBJ)
		return cfn_invalid(a, err, FORMAT "Any Outputs member must be "
		    "an object.");
	R(check_members(a, o, "output", known, err));
	if (!doc_get(o, "Value"))
		return cfn_invalid(a, err, FORMAT "Every Outputs member must "
		    "contain a Value object");
	if (export && (doc_len(export) != 1 || !doc_get(export, "Name")))
		return cfn_invalid(a, err, FORMAT "Output %.*s is malformed. "
		    "The Name field of every Export member must be specified "
		    "and consist only of alphanumeric characters, colons, or "
		    "hyphens.", SPAN_ARG(name));
	return 0;
}

static int
check_condition(struct arena *a, struct span name, const struct doc *c,
    struct cfn_error *err)
{
	if (!cfn_alnum(name))
		return cfn_invalid(a, err, FORMAT "Condition name %.*s is non "
		    "alphanumeric.", SPAN_ARG(name));
	if (doc_type(c) != DOC_OBJ || doc_len(c) != 1)
		return cfn_invalid(a, err, FORMAT "Conditions can only be "
		    "boolean operations on parameters and other conditions");
	return 0;
}

static int
check_rule(struct arena *a, struct span name, const struct doc *r,
    struct cfn_error *err)
{
	static const char *const known[] = {"RuleCondition", "Assertions", NULL};

	if (doc_type(r) != DOC_OBJ || doc_type(doc_get(r, "Assertions")) != DOC_ARR)
		return cfn_invalid(a, err, FORMAT "Rule %.*s must contain an "
		    "Assertions list.", SPAN_ARG(name));
	R(check_members(a, r, "rule", known, err));
	doc_each(v, doc_get(r, "Assertions"))
		if (!doc_get(v, "Assert"))
			return cfn_invalid(a, err, FORMAT "Every assertion of "
			    "rule %.*s must contain an Assert member.",
			    SPAN_ARG(name));
	return 0;
}

static const struct section {
	const char *name;
	const char *count; /* as limits name its members */
	size_t max;
	size_t at; /* in struct cfn_template */
	int (*check)(struct arena *a, struct span name, const struct doc *d,
	    struct cfn_error *err);
} sections[] = {
#define AT(m) offsetof(struct cfn_template, m)
	{"Parameters", "parameters", CFN_MAX_PARAMETERS, AT(parameters),
	    check_parameter},
	{"Rules", "rules", 200, AT(rules), check_rule},
	{"Mappings", "mappings", CFN_MAX_MAPPINGS, AT(mappings), check_mapping},
	{"Conditions", "conditions", 500, AT(conditions), check_condition},
	{"Resources", "resources", CFN_MAX_RESOURCES, AT(resources),
	    check_resource},
	{"Outputs", "outputs", CFN_MAX_OUTPUTS, AT(outputs), check_output},
#undef AT
};

static int
check_transform(struct arena *a, struct cfn_template *t, const struct doc *d,
    struct cfn_error *err)
{
	struct span name = doc_type(d) == DOC_OBJ ? doc_get_str(d, "Name") :
	    doc_span(d);

	if (!name.n)
		return cfn_invalid(a, err, FORMAT "Every Transform member must "
		    "be a string.");
	doc_push_str(a, t->transforms, name);
	if (span_is(name, "AWS::LanguageExtensions")) {
		t->extensions = true;
		return 0;
	}
	if (span_starts(name, SPAN("AWS::")))
		return cfn_invalid(a, err, "Transform %.*s is not supported.",
		    SPAN_ARG(name));
	return cfn_invalid(a, err, "No transform named %.*s found.",
	    SPAN_ARG(name));
}

static int
check_heads(struct arena *a, struct cfn_template *t, struct cfn_error *err)
{
	struct doc *d;

	d = doc_get(t->doc, "AWSTemplateFormatVersion");
	if (d && !span_is(cfn_scalar_text(a, d), "2010-09-09"))
		return cfn_invalid(a, err, FORMAT "unsupported value for "
		    "AWSTemplateFormatVersion.");
	d = doc_get(t->doc, "Description");
	if (d && doc_type(d) != DOC_STR)
		return cfn_invalid(a, err, FORMAT "every Description object "
		    "must be of type String");
	if (doc_len(d) > 1024)
		return cfn_invalid(a, err, FORMAT "'Description' length is "
		    "greater than 1024.");
	t->description = doc_span(d);
	t->metadata = doc_get(t->doc, "Metadata");
	d = doc_get(t->doc, "Transform");
	if (doc_type(d) != DOC_ARR)
		return d ? check_transform(a, t, d, err) : 0;
	doc_each(v, d)
		R(check_transform(a, t, v, err));
	return 0;
}

static int
check_names(struct arena *a, const struct doc *d, struct cfn_error *err)
{
	static const char *const known[] = {"AWSTemplateFormatVersion",
	    "Description", "Metadata", "Parameters", "Rules", "Mappings",
	    "Conditions", "Transform", "Resources", "Outputs", NULL};
	_cleanup_(buf_done) struct buf bad = BUF_INIT;

	if (doc_type(d) != DOC_OBJ)
		return cfn_invalid(a, err, FORMAT "unsupported structure.");
	doc_each_key(k, v, d)
		if (!in_list(k, known))
			cfn_list_add(&bad, k);
	if (bad.n)
		return cfn_invalid(a, err, "Invalid template property or "
		    "properties [%s]", buf_str(&bad));
	return 0;
}

int
cfn_check_sections(struct arena *a, struct cfn_template *t,
    struct cfn_error *err)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT;
	const struct section *s;
	struct doc *d;

	R(check_names(a, t->doc, err));
	R(check_null(a, t->doc, &path, err));
	R(check_heads(a, t, err));
	for (s = sections; s < sections + ARRAY_SIZE(sections); s++) {
		d = doc_get(t->doc, s->name);
		if (d && doc_type(d) != DOC_OBJ)
			return cfn_invalid(a, err, FORMAT "%s must be an "
			    "object.", s->name);
		*(struct doc **)((char *)t + s->at) = d;
		R(check_count(a, d, s->count, s->max, err));
		doc_each_key(k, v, d)
			if (!loop_key(t, k))
				R(s->check(a, k, v, err));
	}
	if (doc_len(t->resources) == 0)
		return cfn_invalid(a, err, FORMAT "At least one Resources "
		    "member must be defined.");
	return 0;
}

/* References */

struct refs {
	struct cfn_walk w;
	const struct cfn_template *t;
	const struct doc *resources;
	const struct doc *conditions;
	const char *block;
	struct buf missing;
};

static int
use_attr(struct refs *r, struct span name, struct span attr)
{
	const struct doc *body = doc_getn(r->resources, name);
	const struct cfn_facts *f;

	if (!body)
		return cfn_invalid(r->w.a, r->w.err, "Template error: instance "
		    "of Fn::GetAtt references undefined resource %.*s",
		    SPAN_ARG(name));
	f = cfn_facts_find(doc_get_str(body, "Type"));
	if (f && attr.n && !cfn_facts_attr(f, attr))
		return cfn_invalid(r->w.a, r->w.err, "Template error: resource "
		    "%.*s does not support attribute type %.*s in Fn::GetAtt",
		    SPAN_ARG(name), SPAN_ARG(attr));
	return 0;
}

/* The names of exports must be known before anything is made. */
static int
no_resource(struct cfn_walk *w, enum cfn_use use, struct span name,
    struct span arg UNUSED, const struct doc *value UNUSED)
{
	struct refs *r = w->ctx;

	if (use == CFN_USE_ATTR || use == CFN_USE_IMPORT ||
	    (use == CFN_USE_REF && doc_getn(r->resources, name)))
		return CFN_E_UNKNOWN;
	return 0;
}

static bool
needs_resource(struct refs *r, const struct doc *value)
{
	struct cfn_walk w = r->w;

	w.use = no_resource;
	return cfn_walk(&w, value) == CFN_E_UNKNOWN;
}

static int
use(struct cfn_walk *w, enum cfn_use use, struct span name, struct span arg,
    const struct doc *value)
{
	struct refs *r = w->ctx;

	switch (use) {
	case CFN_USE_REF:
		if (!cfn_pseudo(name) && !doc_getn(r->t->parameters, name) &&
		    !doc_getn(r->resources, name))
			cfn_list_once(&r->missing, name);
		return 0;
	case CFN_USE_ATTR:
		if (w->in_condition) {
			cfn_list_once(&r->missing, name);
			return 0;
		}
		return use_attr(r, name, arg);
	case CFN_USE_CONDITION:
		if (!doc_getn(r->conditions, name) && arg.n)
			return cfn_invalid(w->a, w->err, "Template error: "
			    "unresolved condition dependency %.*s in Fn::If",
			    SPAN_ARG(name));
		if (!doc_getn(r->conditions, name))
			return cfn_invalid(w->a, w->err, FORMAT "Unresolved "
			    "condition dependency %.*s in the %s block of the "
			    "template", SPAN_ARG(name), r->block);
		return 0;
	case CFN_USE_MAP:
		if (!doc_getn(r->t->mappings, name) && !r->t->extensions)
			return cfn_invalid(w->a, w->err, "Template error: "
			    "Mapping named '%.*s' is not present in the "
			    "'Mappings' section of template.", SPAN_ARG(name));
		return 0;
	case CFN_USE_IMPORT:
		if (needs_resource(r, value))
			return cfn_invalid(w->a, w->err, "Template error: the "
			    "attribute in Fn::ImportValue must not depend on "
			    "any resources, imported values, or Fn::GetAZs");
		return 0;
	}
	return 0;
}

static int
depends_on(struct refs *r, const struct doc *d)
{
	if (doc_type(d) == DOC_STR && !doc_getn(r->resources, doc_span(d)))
		cfn_list_once(&r->missing, doc_span(d));
	doc_each(v, d)
		if (!doc_getn(r->resources, doc_span(v)))
			cfn_list_once(&r->missing, doc_span(v));
	return 0;
}

static int
condition_name(struct refs *r, const struct doc *body)
{
	const struct doc *c = doc_get(body, "Condition");

	return c ? use(&r->w, CFN_USE_CONDITION, doc_span(c), SPAN_NULL, NULL) :
	    0;
}

static int
unresolved(struct refs *r)
{
	if (!r->missing.n)
		return 0;
	if (r->w.in_condition)
		return cfn_invalid(r->w.a, r->w.err, FORMAT "Unresolved "
		    "dependencies [%s]. Cannot reference resources in the "
		    "Conditions block of the template", buf_str(&r->missing));
	return cfn_invalid(r->w.a, r->w.err, FORMAT "Unresolved resource "
	    "dependencies [%s] in the %s block of the template",
	    buf_str(&r->missing), r->block);
}

static int
check_refs(struct refs *r, const struct doc *doc)
{
	const struct doc *resources = r->resources;

	r->block = "Conditions";
	r->w.in_condition = true;
	r->resources = NULL;
	R(cfn_walk(&r->w, doc_get(doc, "Conditions")));
	R(unresolved(r));
	r->w.in_condition = false;
	r->resources = resources;
	r->block = "Resources";
	doc_each(body, r->resources) {
		R(condition_name(r, body));
		R(depends_on(r, doc_get(body, "DependsOn")));
		R(cfn_walk(&r->w, body));
	}
	R(unresolved(r));
	r->block = "Outputs";
	doc_each_key(k, o, doc_get(doc, "Outputs")) {
		if (needs_resource(r, doc_get(o, "Export")))
			return cfn_invalid(r->w.a, r->w.err, FORMAT "Output "
			    "%.*s is malformed. The Name field of every Export "
			    "member must be specified and consist only of "
			    "alphanumeric characters, colons, or hyphens.",
			    SPAN_ARG(k));
		R(condition_name(r, o));
		R(cfn_walk(&r->w, doc_get(o, "Value")));
		R(cfn_walk(&r->w, doc_get(o, "Export")));
	}
	return unresolved(r);
}

int
cfn_check_references(struct arena *a, const struct cfn_template *t,
    const struct doc *doc, struct cfn_error *err)
{
	struct refs r = {
	    .w = {.a = a, .use = use, .err = err},
	    .t = t,
	    .resources = doc_get(doc, "Resources"),
	    .conditions = doc_get(doc, "Conditions"),
	};
	int e;

	r.w.ctx = &r;
	e = check_refs(&r, doc);
	buf_done(&r.missing);
	return e;
}
