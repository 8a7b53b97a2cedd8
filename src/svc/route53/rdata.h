/*
 * The values of records, in the words of zone files.
 * https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
 */
#pragma once

#include "base/arena.h"

/* Is value one of this type?  False: *ret_why says what is wrong with it, as
 * "NAME (text) encountered with 'value'". */
bool rdata_check(struct arena *a, struct span type, struct span value,
    struct span *ret_why);
/* The same text for a name that name_canonical() refused. */
struct span rdata_name_problem(struct arena *a, int problem,
    struct span name);
