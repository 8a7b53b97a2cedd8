/* Where a TemplateURL points to.  Pure. */
#pragma once

#include "base/arena.h"

/* Path style, virtual host style, s3.REGION.amazonaws.com and our own origin
 * (own: the Host header of the request).  False: no object of ours. */
bool template_url_parse(struct arena *a, struct span url, struct span own,
    struct span *ret_bucket, struct span *ret_key);
