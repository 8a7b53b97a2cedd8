/* Reads manifests and indexes; refuses what does not hold together. */
#include "registry/manifest.h"

#include "registry/ref.h"

static const struct {
	const char *type;
	bool index;
} types[] = {
    {MT_OCI_MANIFEST, false},
    {MT_OCI_INDEX, true},
    {MT_DOCKER_MANIFEST, false},
    {MT_DOCKER_LIST, true},
};

static bool
type_known(struct span type, bool *ret_index)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (span_is(type, types[i].type)) {
			*ret_index = types[i].index;
			return true;
		}
	}
	return false;
}

/* The body's own mediaType and the request's must agree; OCI bodies may leave
 * it out, and then their members tell. */
static int
find_type(const struct doc *d, struct span content_type, struct manifest *m,
    const char **ret_why)
{
	struct span sent = span_trim(span_cut(&content_type, ';'));
	struct span own = doc_get_str(d, "mediaType");

	if (own.n && sent.n && !span_eq(own, sent)) {
		*ret_why = "the Content-Type is not the manifest's mediaType";
		return MANIFEST_E_INVALID;
	}
	m->media_type = own.n ? own : sent;
	if (!m->media_type.n && doc_get(d, "manifests"))
		m->media_type = SPAN(MT_OCI_INDEX);
	else if (!m->media_type.n && doc_get(d, "config"))
		m->media_type = SPAN(MT_OCI_MANIFEST);
	if (!type_known(m->media_type, &m->index)) {
		*ret_why = "manifest media type is not supported";
		return MANIFEST_E_INVALID;
	}
	return 0;
}

static int
read_descriptor(const struct doc *d, struct descriptor *ret,
    const char **ret_why)
{
	const struct doc *platform = doc_get(d, "platform");
	int64_t size = doc_get_int(d, "size", -1);

	ret->media_type = doc_get_str(d, "mediaType");
	ret->digest = doc_get_str(d, "digest");
	ret->os = doc_get_str(platform, "os");
	ret->arch = doc_get_str(platform, "architecture");
	ret->variant = doc_get_str(platform, "variant");
	/* Docker's "foreign" layers; OCI gave the word up for "urls". */
	ret->foreign = doc_len(doc_get(d, "urls")) > 0;
	if (doc_type(d) != DOC_OBJ || ret->media_type.n == 0)
		*ret_why = "a descriptor lacks its mediaType";
	else if (!digest_ok(ret->digest, NULL))
		*ret_why = "a descriptor's digest is not valid";
	else if (size < 0)
		*ret_why = "a descriptor's size is not valid";
	else {
		ret->size = (uint64_t)size;
		return 0;
	}
	return MANIFEST_E_INVALID;
}

static int
read_list(struct arena *a, const struct doc *arr, struct descriptor **ret,
    size_t *ret_n, const char **ret_why)
{
	struct descriptor *v;
	size_t n = 0;

	if (doc_type(arr) != DOC_ARR) {
		*ret_why = "the manifest's list is missing";
		return MANIFEST_E_INVALID;
	}
	if (doc_len(arr) > MANIFEST_MAX_LAYERS) {
		*ret_why = "the manifest lists too many descriptors";
		return MANIFEST_E_INVALID;
	}
	v = arena_array(a, struct descriptor, doc_len(arr) + 1);
	doc_each(d, arr) {
		if (read_descriptor(d, &v[n++], ret_why))
			return MANIFEST_E_INVALID;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

static int
read_subject(const struct doc *d, struct manifest *m, const char **ret_why)
{
	const struct doc *subject = doc_get(d, "subject");
	struct descriptor s;

	if (doc_type(subject) == DOC_NONE || doc_type(subject) == DOC_NULL)
		return 0;
	if (read_descriptor(subject, &s, ret_why))
		return MANIFEST_E_INVALID;
	m->subject = s.digest;
	return 0;
}

int
manifest_parse(struct arena *a, struct span bytes, struct span content_type,
    struct manifest *ret, const char **ret_why)
{
	struct manifest m = {0};
	struct doc *d;
	int r;

	*ret_why = "the manifest is not valid JSON";
	if (bytes.n > MANIFEST_MAX || doc_parse_json(a, bytes, &d) ||
	    doc_type(d) != DOC_OBJ)
		return MANIFEST_E_INVALID;
	if (doc_get_int(d, "schemaVersion", 0) != 2) {
		*ret_why = "only manifests of schemaVersion 2 are supported";
		return MANIFEST_E_INVALID;
	}
	r = find_type(d, content_type, &m, ret_why);
	if (r == 0 && m.index)
		r = read_list(a, doc_get(d, "manifests"), &m.manifests,
		    &m.n_manifests, ret_why);
	if (r == 0 && !m.index)
		r = read_descriptor(doc_get(d, "config"), &m.config, ret_why);
	if (r == 0 && !m.index)
		r = read_list(a, doc_get(d, "layers"), &m.layers, &m.n_layers,
		    ret_why);
	if (r == 0)
		r = read_subject(d, &m, ret_why);
	if (r)
		return r;
	m.artifact_type = doc_get_str(d, "artifactType");
	if (!m.index && !m.artifact_type.n)
		m.artifact_type = m.config.media_type;
	if (doc_type(doc_get(d, "annotations")) == DOC_OBJ)
		m.annotations = doc_get(d, "annotations");
	m.size = m.config.size;
	for (size_t i = 0; i < m.n_layers; i++) {
		if (__builtin_add_overflow(m.size, m.layers[i].size, &m.size)) {
			*ret_why = "the layers' sizes are not valid";
			return MANIFEST_E_INVALID;
		}
	}
	*ret = m;
	return 0;
}

struct span
manifest_for(const struct manifest *index, struct span arch)
{
	for (size_t i = 0; i < index->n_manifests; i++) {
		const struct descriptor *d = &index->manifests[i];

		if (span_is(d->os, "linux") && span_eq(d->arch, arch))
			return d->digest;
	}
	return SPAN_NULL;
}

bool
manifest_is_image(const struct manifest *m)
{
	return !m->index && (span_is(m->config.media_type, MT_OCI_CONFIG) ||
				span_is(m->config.media_type, MT_DOCKER_CONFIG));
}
