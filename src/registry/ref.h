/*
 * Names: image references, digests, repository names, tags, and the host
 * names of ECR registries.
 *
 * A reference is what `docker pull` takes: [HOST[:PORT]/]PATH[:TAG][@DIGEST].
 * The first component is a host when it contains '.', ':' or an upper-case
 * letter, or is "localhost"; otherwise the registry is docker.io, where a
 * single-component path lives under "library/".
 */
#pragma once

#include "base/arena.h"

struct ref {
	struct span host;   /* "docker.io", "127.0.0.1:4566" */
	struct span repo;   /* "library/alpine" */
	struct span tag;    /* empty if a digest names the image */
	struct span digest; /* may come with a tag; it decides then */
};

#define REF_MAX 2048	  /* bytes of a whole reference */
#define REF_REPO_MAX 256 /* of a repository name */
#define REF_TAG_MAX 128

/* tag becomes "latest" when neither tag nor digest is given.  The spans are
 * of text or the arena's.  False when text is no reference. */
bool ref_parse(struct arena *a, struct span text, struct ref *ret);

/* The repository grammar of the OCI distribution specification. */
bool ref_repo_ok(struct span s);
bool ref_tag_ok(struct span s);

/* "sha256:" and 64, or "sha512:" and 128 lower-case hex digits.  ret_hex may
 * be NULL. */
bool digest_ok(struct span s, struct span *ret_hex);
bool digest_is_sha512(struct span s);

/* "123456789012.dkr.ecr.us-east-1.ANYTHING": whose registry that is. */
bool ref_ecr_host(struct span host, struct span *ret_account,
    struct span *ret_region);
/* 127.0.0.0/8, ::1, "localhost" and names under it, with or without a port:
 * such registries are spoken to in clear, as docker does. */
bool ref_loopback(struct span host);
