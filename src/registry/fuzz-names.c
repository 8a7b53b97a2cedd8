/* What registries and clients name and send: references, digests, host names,
 * manifests, image configurations.  The first byte says which. */
#include "registry/config.h"
#include "registry/manifest.h"
#include "registry/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
names(struct arena *a, struct span s)
{
	struct span account, region;
	struct ref r;

	if (ref_parse(a, s, &r)) {
		AN(r.host.n && ref_repo_ok(r.repo));
		AN(r.tag.n || r.digest.n);
		AN(!r.tag.n || ref_tag_ok(r.tag));
		AN(!r.digest.n || digest_ok(r.digest, NULL));
	}
	ref_repo_ok(s);
	ref_tag_ok(s);
	digest_ok(s, NULL);
	ref_loopback(s);
	if (ref_ecr_host(s, &account, &region))
		AN(account.n == 12 && region.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const types[] = {"", MT_OCI_MANIFEST, MT_OCI_INDEX,
	    MT_DOCKER_MANIFEST, MT_DOCKER_LIST, "text/plain"};
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *copy = xmalloc(n ? n : 1);
	struct image_config c;
	const char *why = NULL;
	struct manifest m;
	struct span s;

	if (n < 1)
		return 0;
	memcpy(copy, p + 1, n - 1);
	s = span_make(copy, n - 1);
	if (p[0] == 'n') {
		names(a, s);
	} else if (p[0] == 'c') {
		if (image_config_parse(a, s, &c))
			for (size_t i = 0; i < c.n_diff_ids; i++)
				AN(c.diff_ids[i].n);
	} else if (manifest_parse(a, s,
	    span_of(types[p[0] % ARRAY_SIZE(types)]), &m, &why) == 0) {
		AN(m.n_layers <= MANIFEST_MAX_LAYERS);
		for (size_t i = 0; i < m.n_layers; i++)
			AN(digest_ok(m.layers[i].digest, NULL));
		manifest_is_image(&m);
	} else {
		AN(why);
	}
	return 0;
}
