/*
 * Unpacks one image layer.  Runs in a child of its own, which gives up all it
 * does not need before it looks at the first byte: root directory is the new
 * layer, no network, no capabilities but those that set owners and modes.
 *
 * The bytes after decompression must have the digest diff_id.  Whiteouts become
 * overlayfs's: a character device 0/0, and user.overlay.opaque on directories.
 * Refused: names that are absolute or contain "..", names and hard links that
 * pass through a symbolic link, more than UNPACK_MAX_* of anything.  Skipped:
 * devices, sockets, every extended attribute but security.capability.
 */
#pragma once

#include "warden/proto.h"

#define UNPACK_MAX_ENTRIES 2000000u
#define UNPACK_MAX_BYTES   (64ull << 30)
/* Uncompressed bytes beyond this are allowed only up to RATIO per byte read. */
#define UNPACK_FREE_BYTES  (256ull << 20)
#define UNPACK_MAX_RATIO   200u

struct unpack {
	const char *diff_id; /* 64 hex digits */
	enum layer_format format;
	int blob;	     /* descriptors as they are in the child */
	int layer;
};

/* For job_spec.run: writes "ok BYTES ENTRIES" or an error's text to out. */
int unpack_run(void *unpack, int out);
