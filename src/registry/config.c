/* Reads image configurations. */
#include "registry/config.h"

#include "registry/manifest.h"
#include "registry/ref.h"

bool
image_config_parse(struct arena *a, struct span bytes,
    struct image_config *ret)
{
	struct image_config c = {0};
	const struct doc *ids;
	struct doc *d;

	if (bytes.n > CONFIG_MAX || doc_parse_json(a, bytes, &d) ||
	    doc_type(d) != DOC_OBJ)
		return false;
	c.os = doc_get_str(d, "os");
	c.arch = doc_get_str(d, "architecture");
	c.variant = doc_get_str(d, "variant");
	ids = doc_path(d, "rootfs", "diff_ids", NULL);
	if (doc_len(ids) > MANIFEST_MAX_LAYERS)
		return false;
	c.diff_ids = arena_array(a, struct span, doc_len(ids) + 1);
	doc_each(id, ids) {
		if (!digest_ok(doc_span(id), NULL))
			return false;
		c.diff_ids[c.n_diff_ids++] = doc_span(id);
	}
	if (doc_type(doc_get(d, "config")) == DOC_OBJ)
		c.run = doc_get(d, "config");
	*ret = c;
	return true;
}

struct span
host_arch(void)
{
#if defined(__x86_64__)
	return SPAN("amd64");
#elif defined(__aarch64__)
	return SPAN("arm64");
#else
#error "the OCI name of this architecture is missing here"
#endif
}
