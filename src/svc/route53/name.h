/*
 * Domain names as Route 53 keeps and orders them.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
 *
 * Canonical: lower case, a trailing dot, every byte that is not a-z 0-9 - _
 * as \ooo (three octal digits): "*.Example.com" is "\052.example.com.".
 */
#pragma once

#include "base/arena.h"

enum { NAME_OK, NAME_EMPTY_LABEL, NAME_LONG_LABEL, NAME_LONG, NAME_BAD_ESCAPE };

/* text, with or without a trailing dot and escapes, as canonical; "." is the
 * root.  One of the above; *ret is written with NAME_OK. */
int name_canonical(struct arena *a, struct span text, struct span *ret);
/* A canonical name with its labels in reverse, each with its dot: names in the
 * byte order of this, escapes and all, are in Route 53's. */
struct span name_key(struct arena *a, struct span name);
/* Is name (canonical) zone's own or below it? */
bool name_within(struct span name, struct span zone);
/* How a host is asked for: no trailing dot, "\052" is "*". */
struct span name_plain(struct arena *a, struct span name);
/* The id of a record set's row. */
struct span record_id(struct arena *a, struct span name, struct span type,
    struct span set_identifier);
