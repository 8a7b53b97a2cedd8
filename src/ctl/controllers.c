/* Every controller there is: one row each. */
#include "ctl/cert.h"
#include "ctl/ctl.h"
#include "ctl/lb.h"
#include "ctl/logs.h"
#include "ctl/s3-lifecycle.h"
#include "ctl/scaling.h"
#include "ctl/secret.h"
#include "ctl/service-view.h"
#include "ctl/stack.h"
#include "ctl/task.h"
#include "ctl/vpc.h"

const struct controller *const controllers[] = {
	&ctl_vpc,
	&ctl_nat,
	&ctl_lb,
	&ctl_lb_group,
	&ctl_cert,
	&ctl_edge,
	&ctl_logs,
	&ctl_logs_purge,
	&ctl_s3_lifecycle,
	&ctl_secret,
	&ctl_task,
	&ctl_service,
	&ctl_measure,
	&ctl_scaling,
	&ctl_stack,
	NULL,
};
