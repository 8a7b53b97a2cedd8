/* Describe of what this network has none of: an empty list is the truth, and
 * an id that is asked for does not exist. */
#include "svc/ec2/ops.h"

static struct reply *
absent(struct call *c, const char *list, const char *ids, const char *code,
    const char *label)
{
	const struct doc *asked = doc_get(c->in, ids);

	if (doc_len(asked) > 0)
		return reply_error(c, code, "The %s '%.*s' does not exist",
		    label, SPAN_ARG(doc_span(doc_at(asked, 0))));
	return reply_ok(c, doc_set(c->arena, doc_obj(c->arena), list,
	    doc_arr(c->arena)));
}

struct reply *
absent_endpoints(struct call *c)
{
	return absent(c, "VpcEndpoints", "VpcEndpointIds",
	    "InvalidVpcEndpointId.NotFound", "Vpc Endpoint Id");
}

struct reply *
absent_endpoint_services(struct call *c)
{
	struct doc *out = doc_obj(c->arena);

	if (doc_len(doc_get(c->in, "ServiceNames")) > 0)
		return absent(c, "", "ServiceNames", "InvalidServiceName",
		    "Vpc Endpoint Service");
	doc_set(c->arena, out, "ServiceNames", doc_arr(c->arena));
	doc_set(c->arena, out, "ServiceDetails", doc_arr(c->arena));
	return reply_ok(c, out);
}

struct reply *
absent_prefix_lists(struct call *c)
{
	return absent(c, "PrefixLists", "PrefixListIds",
	    "InvalidPrefixListId.NotFound", "prefix list ID");
}

struct reply *
absent_managed_prefix_lists(struct call *c)
{
	return absent(c, "PrefixLists", "PrefixListIds",
	    "InvalidPrefixListID.NotFound", "prefix list ID");
}

struct reply *
absent_flow_logs(struct call *c)
{
	return absent(c, "FlowLogs", "FlowLogIds", "InvalidFlowLogId.NotFound",
	    "flow log ID");
}

struct reply *
absent_vpn_gateways(struct call *c)
{
	return absent(c, "VpnGateways", "VpnGatewayIds",
	    "InvalidVpnGatewayID.NotFound", "vpnGateway ID");
}
