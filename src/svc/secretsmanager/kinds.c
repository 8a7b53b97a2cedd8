/* The kinds of secretsmanager. */
#include "svc/secretsmanager/kinds.h"

#include "base/err.h"

static const char *const secret_index[] = {"spec.Name", NULL};

const struct kind secretsmanager_secret = {
	.name = "secretsmanager.secret",
	.arn = "arn:aws:secretsmanager:{region}:{account}:secret:{id}",
	.index = secret_index,
};
const struct kind secretsmanager_version = {
	.name = "secretsmanager.secret-version",
};

const struct kind *const secretsmanager_kinds[] = {
	&secretsmanager_secret, &secretsmanager_version, NULL,
};

int
secret_destroy(struct store *s, struct arena *a, const struct res *secret)
{
	struct query q = {.kind = &secretsmanager_version,
	    .scope = secret->scope, .parent = secret->id};
	struct res_list l;
	int e = store_list(s, a, &q, &l);

	for (size_t i = 0; !e && i < l.n; i++)
		e = store_delete(s, l.v[i]);
	if (!e)
		e = store_delete(s, secret);
	return e ? err_fold(e) : 0;
}
