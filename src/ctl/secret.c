/* Secrets go at their time. */
#include "ctl/secret.h"

#include "base/clock.h"
#include "base/err.h"
#include "svc/secretsmanager/kinds.h"

/* A clock that was set, or a host that slept, is noticed after this. */
#define LOOK_MS (60 * 60 * 1000LL)

static int64_t
key(void *state UNUSED, struct ctl *ctl UNUSED, const struct change *c)
{
	return c->deleted ? 0 : c->row;
}

static int
run(void *state UNUSED, struct ctl *ctl, struct arena *a, int64_t row,
    int64_t *again_ms)
{
	struct store *s = ctl_env(ctl)->store;
	int64_t when, now = clock_ms();
	struct res *secret;
	int e = store_get_row(s, a, row, &secret);

	if (e == STORE_E_NOT_FOUND)
		return 0;
	if (e)
		return err_fold(e);
	when = doc_get_int(secret->spec, "Deletion", 0);
	if (when == 0)
		return 0;
	if (when <= now)
		return err_trace(secret_destroy(s, a, secret));
	*again_ms = MIN(when - now, LOOK_MS);
	return 0;
}

static const struct kind *const kinds[] = {&secretsmanager_secret, NULL};

const struct controller ctl_secret = {
	.name = "secret",
	.kinds = kinds,
	.key = key,
	.run = run,
};
