/* Success codes of health checks. */
#include "svc/elbv2/elbv2.h"
#include "base/test.h"

static void
test_matcher(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{"200", true}, {"200,202", true}, {"200-299", true},
		{"200-299,301,400-499", true}, {"", false}, {"99", false},
		{"500", false}, {"299-200", false}, {"200,", false},
		{",200", false}, {"200-", false}, {"200-299-300", false},
		{"2000", false}, {"2 0", false}, {"200-500", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (matcher_ok(span_of(cases[i].text)) != cases[i].ok)
			fail_msg("matcher '%s'", cases[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matcher),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
