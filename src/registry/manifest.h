/*
 * Manifests: what an image, an index or an artifact consists of.
 *
 * Accepted are the four media types of the OCI image specification 1.1 and of
 * Docker's image manifest version 2, schema 2.  Schema 1 is refused.
 */
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

#define MANIFEST_MAX (4u << 20) /* bytes; the specification asks for this */
#define MANIFEST_MAX_LAYERS 1024

#define MT_OCI_MANIFEST	 "application/vnd.oci.image.manifest.v1+json"
#define MT_OCI_INDEX	 "application/vnd.oci.image.index.v1+json"
#define MT_OCI_CONFIG	 "application/vnd.oci.image.config.v1+json"
#define MT_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MT_DOCKER_LIST \
	"application/vnd.docker.distribution.manifest.list.v2+json"
#define MT_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"

struct descriptor {
	struct span media_type;
	struct span digest;
	uint64_t size;
	struct span os, arch, variant; /* of an index's entry; or empty */
	bool foreign; /* its bytes live elsewhere and need not be pushed */
};

struct manifest {
	bool index;		  /* an index: manifests, no config or layers */
	struct span media_type;
	struct span artifact_type; /* artifactType, else config's type */
	struct descriptor config;
	struct descriptor *layers;
	size_t n_layers;
	struct descriptor *manifests;
	size_t n_manifests;
	struct span subject;	  /* digest, or empty */
	struct doc *annotations;  /* object or NULL */
	uint64_t size;		  /* compressed bytes of config and layers */
};

enum { MANIFEST_E_INVALID = 1 };

/* content_type: of the request, parameters allowed; may be empty, then the
 * body must say its mediaType or be of a recognisable form.  On
 * MANIFEST_E_INVALID *ret_why says why in a sentence. */
int manifest_parse(struct arena *a, struct span bytes,
    struct span content_type, struct manifest *ret, const char **ret_why);

/* Digest of what an index has for linux/arch; empty: nothing. */
struct span manifest_for(const struct manifest *index, struct span arch);

/* An image configuration that can be run: not an artifact's. */
bool manifest_is_image(const struct manifest *m);
