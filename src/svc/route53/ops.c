/* The operations of Route 53.  What is not listed answers as not
 * implemented. */
#include "svc/route53/route53.h"

static const struct op_row ops[] = {
	{"CreateHostedZone", r53_create_zone,
	    "Name VPC CallerReference HostedZoneConfig"},
	{"GetHostedZone", r53_get_zone, "Id"},
	{"DeleteHostedZone", r53_delete_zone, "Id"},
	{"UpdateHostedZoneComment", r53_update_comment, "Id Comment"},
	{"ListHostedZones", r53_list_zones, "Marker MaxItems HostedZoneType"},
	{"ListHostedZonesByName", r53_list_zones_by_name,
	    "DNSName HostedZoneId MaxItems"},
	{"ListHostedZonesByVPC", r53_list_zones_by_vpc,
	    "VPCId VPCRegion MaxItems NextToken"},
	{"GetHostedZoneCount", r53_zone_count, NULL},
	{"AssociateVPCWithHostedZone", r53_associate_vpc,
	    "HostedZoneId VPC Comment"},
	{"DisassociateVPCFromHostedZone", r53_disassociate_vpc,
	    "HostedZoneId VPC Comment"},
	{"ChangeResourceRecordSets", r53_change_records,
	    "HostedZoneId ChangeBatch"},
	{"ListResourceRecordSets", r53_list_records, "HostedZoneId "
	    "StartRecordName StartRecordType StartRecordIdentifier MaxItems"},
	{"GetChange", r53_get_change, "Id"},
	{"ChangeTagsForResource", r53_change_tags,
	    "ResourceType ResourceId AddTags RemoveTagKeys"},
	{"ListTagsForResource", r53_list_tags, "ResourceType ResourceId"},
	{"ListTagsForResources", r53_list_tags_of_many,
	    "ResourceType ResourceIds"},
	{NULL, NULL, NULL},
};

const struct service route53_service = {
	.name = "route53",
	.ops = ops,
	.kinds = route53_kinds,
	.types = route53_types,
};
