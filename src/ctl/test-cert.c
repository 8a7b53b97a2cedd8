/* What is to be done with a certificate, as a table. */
#include "base/test.h"
#include "ctl/cert.h"

#define HOUR (60 * 60 * 1000LL)
#define DAY  (24 * HOUR)
#define T0   (20000 * DAY)
#define END  (T0 + 395 * DAY)

#define PENDING .created = T0, .pending = true
#define ISSUED	.created = T0, .issued = true, .issued_at = T0, .not_after = END

static void
test_plan(void **state UNUSED)
{
	static const struct {
		struct cert_view v;
		enum cert_step step;
		int64_t again;
	} rows[] = {
		{{PENDING, .now = T0}, CERT_REST, 72 * HOUR},
		{{PENDING, .now = T0 + 71 * HOUR}, CERT_REST, HOUR},
		{{PENDING, .now = T0 + 72 * HOUR}, CERT_GIVE_UP, 0},
		{{PENDING, .now = T0, .proved = true}, CERT_ISSUE, 0},
		/* Proved in time, seen late. */
		{{PENDING, .now = T0 + 80 * HOUR, .proved = true}, CERT_ISSUE,
		    0},
		{{ISSUED, .now = T0}, CERT_REST, DAY},
		{{ISSUED, .now = END - 60 * DAY - HOUR, .proved = true,
		    .renewable = true}, CERT_REST, HOUR},
		{{ISSUED, .now = END - 60 * DAY, .proved = true,
		    .renewable = true}, CERT_RENEW, 0},
		{{ISSUED, .now = END - 60 * DAY, .renewable = true},
		    CERT_PROVE, HOUR},
		/* AWS renews what is in use, and nothing else. */
		{{ISSUED, .now = END - 60 * DAY, .proved = true}, CERT_REST,
		    HOUR},
		{{ISSUED, .now = END, .proved = true, .renewable = true},
		    CERT_REST, 0},
		{{ISSUED, .now = T0 + DAY, .renew_asked = T0 + DAY,
		    .proved = true, .renewable = true}, CERT_RENEW, 0},
		{{ISSUED, .now = T0 + DAY, .renew_asked = T0 - DAY,
		    .proved = true, .renewable = true}, CERT_REST, DAY},
		/* Timed out, or failed. */
		{{.created = T0, .now = T0, .proved = true}, CERT_REST, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cert_plan p = cert_plan(&rows[i].v);

		assert_int_equal(p.step, rows[i].step);
		assert_int_equal(p.again_ms, rows[i].again);
	}
}

static void
test_term(void **state UNUSED)
{
	int64_t from, until;

	cert_term(T0 + 5 * HOUR + 7, &from, &until);
	assert_int_equal(from, T0);
	assert_int_equal(until, END - 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_term),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
