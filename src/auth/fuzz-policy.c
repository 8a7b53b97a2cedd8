/* Fuzzes policies: the grammar of each type, then what they say of a request. */
#include "auth/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span text = span_make((const char *)data, size), why;
	struct policy_request r = {.action = SPAN("s3:GetObject"),
	    .resource = SPAN("arn:aws:s3:::b/k"),
	    .account = SPAN("123456789012"),
	    .principal = SPAN("arn:aws:iam::123456789012:user/a"),
	    .role = SPAN("arn:aws:iam::123456789012:role/r")};
	struct doc *policy, *context = doc_obj(a), *list = doc_arr(a);

	doc_push_str(a, list, SPAN("x"));
	doc_push_str(a, list, SPAN("10.0.0.1"));
	doc_set_str(a, context, "aws:username", SPAN("a*b"));
	doc_set_str(a, context, "aws:CurrentTime",
	    SPAN("2026-11-23T09:18:30Z"));
	doc_set_str(a, context, "aws:SourceIp", SPAN("10.1.2.3"));
	doc_set(a, context, "aws:TagKeys", list);
	r.context = context;
	for (int type = POLICY_IDENTITY; type <= POLICY_RESOURCE; type++)
		if (policy_parse(a, text, (enum policy_type)type, &policy,
			&why) == 0) {
			policy_says(a, policy, &r);
			AN(policy_size(text) <= text.n);
		} else {
			AN(why.n);
		}
	return 0;
}
