/* Every service there is: one row each. */
#include "svc/acm/acm.h"
#include "svc/application-autoscaling/scaling.h"
#include "svc/cloudformation/cloudformation.h"
#include "svc/ec2/ec2.h"
#include "svc/ecr/ecr.h"
#include "svc/ecs/ops.h"
#include "svc/elbv2/elbv2.h"
#include "svc/iam/iam.h"
#include "svc/kms/kms.h"
#include "svc/logs/logs.h"
#include "svc/route53/route53.h"
#include "svc/s3/s3.h"
#include "svc/secretsmanager/secretsmanager.h"
#include "svc/services.h"
#include "svc/ssm/ssm.h"
#include "svc/sts/sts.h"
#include "svc/tagging/tagging.h"

const struct service *const services[] = {
	&acm_service,
	&cloudformation_service,
	&ec2_service,
	&ecr_service,
	&ecs_service_ops,
	&elbv2_service,
	&iam_service,
	&kms_service,
	&logs_service,
	&route53_service,
	&s3_service,
	&scaling_service,
	&secretsmanager_service,
	&ssm_service,
	&sts_service,
	&tagging_service,
	NULL,
};

static size_t
count(const struct kind *const *k)
{
	size_t n = 0;

	while (k && k[n])
		n++;
	return n;
}

const struct kind **
services_kinds(struct arena *a, const struct kind *const *extra)
{
	size_t n = count(extra), at = 0;
	const struct kind **v;

	for (size_t i = 0; services[i]; i++)
		n += count(services[i]->kinds);
	v = arena_array(a, const struct kind *, n + 1);
	for (size_t i = 0; services[i]; i++)
		for (size_t j = 0; j < count(services[i]->kinds); j++)
			v[at++] = services[i]->kinds[j];
	for (size_t j = 0; j < count(extra); j++)
		v[at++] = extra[j];
	return v;
}
