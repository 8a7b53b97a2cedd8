/*
 * Lifecycle rules of buckets, acted upon: what expired is deleted, old
 * versions go, uploads that nobody completed are aborted.
 *
 * A bucket is looked through when its settings change and at each midnight
 * (UTC), in small steps, since everything else waits for a step.  What rules
 * ask for is svc/s3/lifecycle.h's; it is done by the operations of S3.
 */
#pragma once

#include "ctl/ctl.h"

extern const struct controller ctl_s3_lifecycle;
