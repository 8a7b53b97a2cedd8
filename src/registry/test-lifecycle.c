/* Lifecycle policies: what holds, and what expires. */
#include "registry/lifecycle.h"

#include "base/test.h"

#define DAY (24 * 3600 * 1000LL)
#define RULE(p, selection) "{\"rulePriority\":" #p ",\"selection\":{" \
	selection "},\"action\":{\"type\":\"expire\"}}"
#define TAGGED(word) "\"tagStatus\":\"tagged\",\"tagPrefixList\":[" word "],"
#define PATTERN(word) "\"tagStatus\":\"tagged\",\"tagPatternList\":[" word "],"
#define UNTAGGED "\"tagStatus\":\"untagged\","
#define ANY	 "\"tagStatus\":\"any\","
#define COUNT(n) "\"countType\":\"imageCountMoreThan\",\"countNumber\":" #n
#define DAYS(n) "\"countType\":\"sinceImagePushed\",\"countUnit\":\"days\"," \
	"\"countNumber\":" #n
#define P(...) "{\"rules\":[" __VA_ARGS__ "]}"

static void
test_parse(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
	    {P(RULE(1, ANY COUNT(1))), true},
	    {P(RULE(1, UNTAGGED DAYS(14)) "," RULE(2, ANY COUNT(9))), true},
	    {P(RULE(1, TAGGED("\"v\"") COUNT(1))), true},
	    {P(RULE(1, PATTERN("\"*-rc\"") COUNT(1))), true},
	    {"", false}, {"[]", false}, {"{}", false}, {P(""), false},
	    {P("1"), false},
	    {P(RULE(0, ANY COUNT(1))), false},
	    {P(RULE(1, ANY COUNT(0))), false},
	    {P(RULE(1, ANY COUNT(1) ",\"countUnit\":\"days\"")), false},
	    {P(RULE(1, ANY "\"countType\":\"sinceImagePushed\","
		"\"countNumber\":1")), false},
	    {P(RULE(1, ANY "\"countType\":\"x\",\"countNumber\":1")), false},
	    {P(RULE(1, "\"tagStatus\":\"tagged\"," COUNT(1))), false},
	    {P(RULE(1, "\"tagStatus\":\"x\"," COUNT(1))), false},
	    {P(RULE(1, ANY "\"tagPrefixList\":[\"a\"]," COUNT(1))), false},
	    {P(RULE(1, ANY COUNT(1)) "," RULE(2, UNTAGGED COUNT(1))), false},
	    {P(RULE(1, UNTAGGED COUNT(1)) "," RULE(1, ANY COUNT(1))), false},
	    {P(RULE(1, UNTAGGED COUNT(1)) "," RULE(2, UNTAGGED DAYS(1))),
		false},
	    {P("{\"rulePriority\":1,\"selection\":{" ANY COUNT(1) "}}"), false},
	};
	_cleanup_arena_ struct arena *a = arena_new();

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doc *d;

		if ((lifecycle_parse(a, span_of(cases[i].text), &d) == NULL) !=
		    cases[i].ok)
			fail_msg("%s", cases[i].text);
	}
}

/* Images are given from old to new: the letters of their tags ('-': none),
 * each a day younger than the one before; the last is of today.  Expected: the
 * priority that expires each, '.' for none. */
static void
test_mark(void **state UNUSED)
{
	static const struct {
		const char *policy, *images, *want;
	} cases[] = {
	    {P(RULE(1, ANY COUNT(2))), "a b c d", "11.."},
	    {P(RULE(1, ANY COUNT(9))), "a b c d", "...."},
	    {P(RULE(1, ANY DAYS(2))), "a b c d", "11.."},
	    {P(RULE(1, UNTAGGED DAYS(1))), "- a - -", "1.1."},
	    {P(RULE(1, TAGGED("\"a\"") COUNT(1))), "a b a a", "1.1."},
	    /* All words of a list must fit. */
	    {P(RULE(1, TAGGED("\"a\",\"b\"") DAYS(1))), "a b ab ab", "..1."},
	    {P(RULE(1, PATTERN("\"*\"") COUNT(1))), "a - b", "1.."},
	    /* What the first rule selects no other can expire … */
	    {P(RULE(1, TAGGED("\"a\"") COUNT(3)) "," RULE(2, ANY COUNT(1))),
		"a b a b", ".2.."},
	    /* … but it counts as if it were there. */
	    {P(RULE(1, UNTAGGED COUNT(1)) "," RULE(2, ANY COUNT(3))),
		"a - b -", "21.."},
	    /* Priorities, not places, decide. */
	    {P(RULE(9, ANY COUNT(1)) "," RULE(3, UNTAGGED COUNT(1))), "- a -",
		"39."},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_arena_ struct arena *a = arena_new();
		struct span rest = span_of(cases[i].images), part;
		struct lifecycle_image v[8] = {0};
		struct doc *d;
		size_t n = 0;

		while (rest.p) {
			struct span *tags = arena_array(a, struct span, 8);

			part = span_cut(&rest, ' ');
			v[n].tags = tags;
			for (size_t t = 0; t < part.n && part.p[0] != '-'; t++)
				tags[v[n].n_tags++] = span_make(part.p + t, 1);
			v[n].pushed = (int64_t)n * DAY;
			n++;
		}
		assert_null(lifecycle_parse(a, span_of(cases[i].policy), &d));
		lifecycle_mark(a, d, v, n, (int64_t)(n - 1) * DAY + 1000);
		for (size_t j = 0; j < n; j++) {
			char got = v[j].rule ? (char)('0' + v[j].rule) : '.';

			if (got != cases[i].want[j])
				fail_msg("%s on %s: image %zu: %c",
				    cases[i].policy, cases[i].images, j, got);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
