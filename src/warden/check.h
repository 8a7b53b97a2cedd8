/*
 * The forms that names in messages must have.  A name that passes is safe as
 * one path component, in an argument, and in generated text.
 */
#pragma once

#include "base/span.h"

/* [a-z0-9][a-z0-9-]*, 1 to 128 bytes: containers, tasks, proxies, netns. */
bool check_id(struct span s);
/* As check_id, also '_', '.' and upper case inside: names of task volumes. */
bool check_name(struct span s);
/* "sha256:" and 64 lower-case hex digits; *ret_hex is the digits. */
bool check_digest(struct span s, struct span *ret_hex);
/* An absolute path without "..", "//", "." or NUL; at most 4095 bytes. */
bool check_path(struct span s);
/* No NUL; at most max bytes. */
bool check_text(struct span s, size_t max);
/* Host names: letters, digits, '-' and '.', 1 to 253 bytes. */
bool check_hostname(struct span s);
/* Text of one line: no control characters, at most max bytes. */
bool check_line(struct span s, size_t max);
