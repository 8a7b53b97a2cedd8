/*
 * Repositories, images and tags in the store: the rules that docker push and
 * the ecr service share.  Nothing here replies or touches files except to
 * look whether a blob is there.
 *
 * A struct repo_key says whose repository is meant; under the account
 * UPSTREAM no ecr.repository is needed.
 */
#pragma once

#include "registry/kinds.h"
#include "registry/manifest.h"

struct repo_key {
	struct store *store;
	struct scope scope;
	struct span name;
};

enum {
	REPO_E_NO_REPO = 1,
	REPO_E_NO_IMAGE,
	REPO_E_IMMUTABLE,  /* the tag names another image and may not move */
	REPO_E_NO_LAYERS,  /* *ret_missing: digests, ", " between */
	REPO_E_NO_CHILDREN, /* the same, of manifests that an index lists */
	REPO_E_REFERENCED, /* an index lists it; *ret_missing: whose digests */
	REPO_E_NOT_EMPTY
};

int repo_get(const struct repo_key *k, struct arena *a, struct res **ret);

/* ref: a tag or a digest. */
int repo_image(const struct repo_key *k, struct arena *a, struct span ref,
    struct res **ret);
/* Digest of the image a tag names; REPO_E_NO_IMAGE. */
int repo_tag(const struct repo_key *k, struct arena *a, struct span tag,
    struct span *ret_digest);
/* All tags of an image (digest) or of the repository (digest empty), in byte
 * order. */
int repo_tags(const struct repo_key *k, struct arena *a, struct span digest,
    struct span **ret, size_t *ret_n);
/* Images hold their manifests, so never many of them at once: fn sees one
 * after the other, from old to new, each until it returns.  It may write.  Not
 * 0 stops, and is returned. */
typedef int (*image_fn)(void *ctx, struct res *image);
int images_each(struct store *s, const struct query *q, image_fn fn,
    void *ctx);
/* Those of a repository whose row is greater than after. */
int repo_each_image(const struct repo_key *k, int64_t after, image_fn fn,
    void *ctx);

struct repo_put {
	struct span digest;	 /* verified by the caller */
	struct span tag;	 /* or empty */
	struct span bytes;
	const struct manifest *manifest;
};
struct repo_put_result {
	struct span missing;	 /* digests, see above */
	bool existed;		 /* the image was there already */
	bool tag_existed;	 /* and the tag named it */
};
int repo_put_image(const struct repo_key *k, struct arena *a,
    const struct repo_put *in, struct repo_put_result *ret);
/* With its tags.  Blobs that no image of the repository needs any more are
 * unlinked by the sweep. */
int repo_delete_image(const struct repo_key *k, struct arena *a,
    struct span digest, struct span *ret_missing);
int repo_delete_tag(const struct repo_key *k, struct arena *a,
    struct span tag);
/* Everything in it. */
int repo_delete(const struct repo_key *k, struct arena *a, bool force);

/* Writes down, once a day at most, that the image was pulled. */
int repo_note_pull(const struct repo_key *k, struct arena *a,
    struct res *image);

/* Blob links: ret may be NULL.  REPO_E_NO_IMAGE: not in this repository. */
int repo_blob(const struct repo_key *k, struct arena *a, struct span digest,
    struct res **ret);
int repo_link_blob(const struct repo_key *k, struct arena *a,
    struct span digest, uint64_t size);

/* May `tag` be moved in this repository? */
bool repo_tag_mutable(const struct res *repo, struct span tag);
