/* PutSecretValue, GetSecretValue, BatchGetSecretValue, ListSecretVersionIds. */
#include "base/clock.h"
#include "base/err.h"
#include "svc/secretsmanager/secretsmanager.h"

#define DAY_MS	  (24 * 60 * 60 * 1000LL)
#define BATCH	  20
#define VERSIONS  100

struct reply *
secret_put_value(struct call *c)
{
	const struct doc *stages = doc_get(c->in, "VersionStages");
	struct doc *current = doc_arr(c->arena), *out;
	struct res *secret, *v;
	struct reply *no = secret_named(c, false, &secret);

	doc_push_str(c->arena, current, AWSCURRENT);
	if (no || (no = version_add(c, secret, stages ? stages : current, &v)))
		return no;
	if (!v)
		return secret_bad_request(c, "You must provide either "
		    "SecretString or SecretBinary.");
	if ((no = secret_put(c, secret)))
		return no;
	out = secret_names(c, secret);
	doc_set_str(c->arena, out, "VersionId", v->id);
	doc_set(c->arena, out, "VersionStages", doc_copy(c->arena,
	    doc_get(v->spec, "Stages")));
	return reply_ok(c, out);
}

/* The version that the input's VersionId and VersionStage mean. */
static struct reply *
choose(struct call *c, const struct res *secret, struct res **ret)
{
	struct span id = doc_get_str(c->in, "VersionId");
	struct span stage = doc_get_str(c->in, "VersionStage");
	struct res_list all;
	int e;

	if (id.n) {
		e = store_get(c->store, c->arena, &secretsmanager_version,
		    c->scope, secret->id, id, ret);
		if (e == STORE_E_NOT_FOUND)
			return reply_error(c, "ResourceNotFoundException",
			    "Secrets Manager can't find the specified secret "
			    "value for VersionId: %.*s", SPAN_ARG(id));
		if (e)
			return secret_fail(c, e);
		if (stage.n && !doc_has_str(doc_get((*ret)->spec, "Stages"),
		    stage))
			return secret_bad_request(c, "You provided a "
			    "VersionStage that is not associated to the "
			    "provided VersionId.");
		return NULL;
	}
	if (!stage.n)
		stage = AWSCURRENT;
	if ((e = version_list(c, secret, &all)))
		return secret_fail(c, e);
	*ret = version_with(&all, stage);
	if (!*ret)
		return reply_error(c, "ResourceNotFoundException", "Secrets "
		    "Manager can't find the specified secret value for "
		    "staging label: %.*s", SPAN_ARG(stage));
	return NULL;
}

/* AWS notes the day, not the time: a second reading writes nothing. */
static int
note_access(struct call *c, struct res *r)
{
	int64_t now = clock_ms(), day = now - now % DAY_MS;
	int e;

	if (doc_get_int(r->spec, "Accessed", 0) == day)
		return 0;
	doc_set_int(c->arena, r->spec, "Accessed", day);
	e = store_put_spec(c->store, r);
	return e ? err_fold(e) : 0;
}

static struct reply *
show(struct call *c, struct res *secret, struct res *v, struct doc **ret)
{
	struct doc *out = secret_names(c, secret);
	struct span value;
	struct reply *no = version_open(c, secret, v, &value);
	int e;

	if (no)
		return no;
	doc_set_str(c->arena, out, "VersionId", v->id);
	doc_set_str(c->arena, out, doc_get_bool(v->spec, "Binary", false) ?
	    "SecretBinary" : "SecretString", value);
	if (doc_len(doc_get(v->spec, "Stages")))
		doc_set(c->arena, out, "VersionStages", doc_copy(c->arena,
		    doc_get(v->spec, "Stages")));
	doc_set_time(c->arena, out, "CreatedDate",
	    doc_get_int(v->spec, "Created", 0));
	if ((e = note_access(c, secret)) || (e = note_access(c, v)))
		return secret_fail(c, e);
	*ret = out;
	return NULL;
}

struct reply *
secret_get_value(struct call *c)
{
	struct res *secret, *v;
	struct doc *out = NULL;
	struct reply *no = secret_named(c, false, &secret);

	if (no || (no = choose(c, secret, &v)) ||
	    (no = show(c, secret, v, &out)))
		return no;
	return reply_ok(c, out);
}

/* One of a batch, read as GetSecretValue would be: a failure is told beside
 * the others. */
static int
batch_one(struct call *c, struct span id, struct doc *values,
    struct doc *errors)
{
	struct doc *in = doc_obj(c->arena), *d = doc_obj(c->arena);
	struct op_result r;
	int e;

	doc_set_str(c->arena, in, "SecretId", id);
	e = op_call(c->api, c->arena, &c->who, c->scope, "secretsmanager",
	    "GetSecretValue", in, &r);
	if (e)
		return err_trace(e);
	if (!r.error.n) {
		doc_push(values, doc_copy(c->arena, r.out));
		return 0;
	}
	doc_set_str(c->arena, d, "SecretId", id);
	doc_set_str(c->arena, d, "ErrorCode", r.error);
	doc_set_str(c->arena, d, "Message", r.message);
	doc_push(errors, d);
	return 0;
}

static struct reply *
batch_filtered(struct call *c, struct doc *values, struct doc *errors,
    struct doc *out)
{
	struct span token = doc_get_str(c->in, "NextToken");
	size_t max = (size_t)doc_get_int(c->in, "MaxResults", BATCH), n = 0;
	struct res_list l;
	int64_t after = 0;
	int e = secret_find_all(c, doc_get(c->in, "Filters"), false, &l);

	if (e)
		return secret_fail(c, e);
	if (token.n && !page_token_row(c, token, &after))
		return reply_error(c, "InvalidNextTokenException",
		    "The NextToken value is invalid.");
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i]->row <= after)
			continue;
		if (n++ == max) {
			doc_set_str(c->arena, out, "NextToken",
			    page_token(c, after));
			break;
		}
		if ((e = batch_one(c, l.v[i]->arn, values, errors)))
			return secret_fail(c, e);
		after = l.v[i]->row;
	}
	return NULL;
}

struct reply *
secret_batch_get_value(struct call *c)
{
	const struct doc *ids = doc_get(c->in, "SecretIdList");
	bool filtered = doc_get(c->in, "Filters") != NULL;
	struct doc *out = doc_obj(c->arena);
	struct doc *values = doc_arr(c->arena), *errors = doc_arr(c->arena);
	struct reply *no;
	int e;

	if ((ids != NULL) == filtered)
		return secret_bad_parameter(c, "Either 'SecretIdList' or "
		    "'Filters' must be provided, but not both.");
	if (ids && doc_get(c->in, "MaxResults"))
		return secret_bad_parameter(c, "'Filters' not specified. "
		    "'Filters' must also be specified when 'MaxResults' is "
		    "provided.");
	doc_each(id, ids)
		if ((e = batch_one(c, doc_span(id), values, errors)))
			return secret_fail(c, e);
	if (filtered && (no = batch_filtered(c, values, errors, out)))
		return no;
	doc_set(c->arena, out, "SecretValues", values);
	doc_set(c->arena, out, "Errors", errors);
	return reply_ok(c, out);
}

static struct doc *
version_shown(struct call *c, const struct res *v)
{
	struct doc *d = doc_obj(c->arena), *keys = doc_arr(c->arena);
	struct span key = doc_get_str(v->spec, "KmsKeyId");

	doc_set_str(c->arena, d, "VersionId", v->id);
	doc_set_time(c->arena, d, "CreatedDate",
	    doc_get_int(v->spec, "Created", 0));
	doc_push_str(c->arena, keys, key.n ? key :
	    SPAN("DefaultEncryptionKey"));
	doc_set(c->arena, d, "KmsKeyIds", keys);
	if (doc_len(doc_get(v->spec, "Stages")))
		doc_set(c->arena, d, "VersionStages", doc_copy(c->arena,
		    doc_get(v->spec, "Stages")));
	if (doc_get(v->spec, "Accessed"))
		doc_set_time(c->arena, d, "LastAccessedDate",
		    doc_get_int(v->spec, "Accessed", 0));
	return d;
}

struct reply *
secret_list_versions(struct call *c)
{
	bool all = doc_get_bool(c->in, "IncludeDeprecated", false);
	size_t max = (size_t)doc_get_int(c->in, "MaxResults", VERSIONS);
	struct span token = doc_get_str(c->in, "NextToken");
	struct doc *list = doc_arr(c->arena), *out;
	struct res *secret;
	struct res_list l;
	struct reply *no = secret_named(c, true, &secret);
	int64_t after = 0;
	int e;

	if (no)
		return no;
	if (token.n && !page_token_row(c, token, &after))
		return reply_error(c, "InvalidNextTokenException",
		    "The NextToken value is invalid.");
	if ((e = version_list(c, secret, &l)))
		return secret_fail(c, e);
	out = secret_names(c, secret);
	for (size_t i = 0; i < l.n; i++) {
		const struct res *v = l.v[i];

		if (v->row <= after ||
		    (!all && !doc_len(doc_get(v->spec, "Stages"))))
			continue;
		if (doc_len(list) == max) {
			doc_set_str(c->arena, out, "NextToken",
			    page_token(c, after));
			break;
		}
		doc_push(list, version_shown(c, v));
		after = v->row;
	}
	doc_set(c->arena, out, "Versions", list);
	return reply_ok(c, out);
}
