/* Users and groups of an image, as its passwd and group files name them. */
#pragma once

#include "drv/image/image.h"

/* layers_fd: the directory of unpacked layers.  user is "", "NAME", "UID",
 * and either with ":GROUP" or ":GID".  0; -ENOENT when the image knows no such
 * user or group. */
int image_user(int layers_fd, const struct image *img, struct span user,
    struct arena *a, uint32_t *ret_uid, uint32_t *ret_gid,
    uint32_t **ret_groups, size_t *ret_n);
/* The image's file at path ("etc/passwd"), as its layers overlap: empty when
 * there is none. */
int image_file(int layers_fd, const struct image *img, const char *dir,
    const char *name, struct arena *a, struct span *ret);
