/* The folder of a proxy, run_dir/lb/<id>/. */
#pragma once

#include "base/arena.h"
#include "doc/doc.h"

/* "run_dir/lb/<id>"; made when make. */
int lb_dir(struct arena *a, const char *run_dir, struct span id, bool make,
    char **ret);
/* Replaces dir/name as a whole.  The host's restart forgets it: no fsync. */
int lb_file_write(const char *dir, const char *name, struct span text);
/* The same of a certificate and its key, for nobody else to read. */
int lb_file_write_key(const char *dir, const char *name, struct span pem,
    struct span key);
/* Removes files whose name begins with prefix and is not one of names. */
void lb_files_keep(const char *dir, const char *prefix,
    const struct doc *names);
void lb_dir_remove(const char *dir);
