/*
 * What the registry keeps in the store.  The first three are the ecr
 * service's; svc/ecr/kinds.h is the name others include them by.
 *
 * ecr.repository	parent none, id = name.  spec: what DescribeRepositories
 *			shows, plus policyText, lifecyclePolicyText.
 * ecr.image		parent = repository, id = digest.  spec {mediaType,
 *			artifactType, manifest (its text), manifestSize, size,
 *			pushedAt, subject?, blobs: [digest], children:
 *			[digest]}; status {lastPull}.
 * ecr.tag		parent = repository, id = tag.  spec {digest}.
 * ecr.blob		parent = repository, id = digest: this repository may
 *			read that blob.  spec {digest, size, mediaType?}.
 * ecr.upload		parent = repository, id = UUID of an upload session; its
 *			bytes are state_dir/uploads/<id>.
 * registry.layer	id = digest of the compressed layer that was unpacked.
 *			spec {diffId}.
 *
 * Images pulled from other registries live in the same kinds under the
 * account UPSTREAM, with "HOST/PATH" as repository and no ecr.repository.
 */
#pragma once

#include "store/store.h"

#define UPSTREAM "upstream"

extern const struct kind ecr_repository;
extern const struct kind ecr_image;
extern const struct kind ecr_tag;
extern const struct kind ecr_blob;
extern const struct kind ecr_upload;
extern const struct kind ecr_registry_policy; /* id "policy": spec.policyText */
extern const struct kind registry_layer;

extern const struct kind *const ecr_kinds[]; /* NULL-terminated */
