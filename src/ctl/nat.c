/* The end of NAT gateways: their interfaces go once the network has let go of
 * them, and they themselves when they were described as ended for a while. */
#include <errno.h>

#include "base/clock.h"
#include "base/err.h"
#include "ctl/vpc.h"
#include "svc/ec2/kinds.h"

/* AWS: "It continues to be visible for about an hour".
 * docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html */
#define SHOWN_MS (INT64_C(60) * 60 * 1000)

static int
drop_interfaces(struct ctl *ctl, struct arena *a, const struct res *nat)
{
	const struct principal who =
	    principal_system(nat->scope.account, "ec2.amazonaws.com");
	struct op_result r;

	doc_each(v, doc_get(nat->spec, "NatGatewayAddresses")) {
		struct span id = doc_get_str(v, "NetworkInterfaceId");
		struct doc *in = doc_obj(a);
		int e;

		if (id.n == 0)
			continue;
		doc_set_str(a, in, "NetworkInterfaceId", id);
		e = op_call(ctl_env(ctl)->api, a, &who, nat->scope, "ec2",
		    "DeleteNetworkInterface", in, &r);
		if (e)
			return err_trace(e);
		if (r.error.n && !span_is(r.error,
			"InvalidNetworkInterfaceID.NotFound"))
			return err_origin(EBUSY, "%.*s: its interface: %.*s",
			    SPAN_ARG(nat->id), SPAN_ARG(r.message));
	}
	return 0;
}

static int
run(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t key,
    int64_t *again_ms)
{
	struct store *s = ctl_env(ctl)->store;
	struct res *nat;
	int64_t ended, now = clock_ms();
	int e = store_get_row(s, a, key, &nat);

	if (e)
		return e == STORE_E_NOT_FOUND ? 0 : err_trace(e);
	if (nat->kind != &ec2_nat_gateway)
		return 0;
	bool failed = doc_get(nat->spec, "FailureCode") != NULL;
	ended = doc_get_time(nat->spec, "DeleteTime");
	if (!ended && !failed)
		return 0;
	if (ended && !doc_get(nat->status, "State")) {
		if (!failed && !span_is(doc_get_str(nat->status, "plane"),
			"gone"))
			return 0;
		if ((e = drop_interfaces(ctl, a, nat)))
			return e;
		doc_set_str(a, nat->status, "State", SPAN("deleted"));
		if ((e = store_put_status(s, nat)))
			return err_fold(e);
	}
	ended = (ended ? ended : nat->created) + SHOWN_MS;
	if (now >= ended)
		return err_trace(store_delete(s, nat));
	*again_ms = ended - now;
	return 0;
}

static const struct kind *const kinds[] = {&ec2_nat_gateway, NULL};

const struct controller ctl_nat = {
	.name = "nat",
	.kinds = kinds,
	.run = run,
};
