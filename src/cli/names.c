/* neargate ca, neargate import: certificates and hosted zones. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/local.h"

int
cli_ca(struct cli *c)
{
	_cleanup_(buf_done) struct buf pem = BUF_INIT;
	struct instance in;
	int r;

	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	r = local_get(&in, "/ca", &pem);
	if (r == LOCAL_E_DOWN)
		return instance_not_up(c, &in);
	if (r)
		return cli_fail("%s", r < 0 ? err_last() : buf_str(&pem));
	fwrite(pem.p, 1, pem.n, stdout);
	return fflush(stdout) ? cli_fail("standard output is gone") : 0;
}

int
cli_import(struct cli *c)
{
	_cleanup_(buf_done) struct buf path = BUF_INIT, why = BUF_INIT;
	struct instance in;
	int r;

	if (c->n_words == 0 || strcmp(c->words[0], "hosted-zone"))
		return cli_fail("import: what? Only `neargate import "
		    "hosted-zone`"), 2;
	if (!c->id || !c->name)
		return cli_fail("import hosted-zone needs --id and --name"), 2;
	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	buf_add_str(&path, "/hosted-zone?");
	buf_add_uri(&path, span_of(c->id), false);
	buf_add_str(&path, "%20");
	buf_add_uri(&path, span_of(c->name), false);
	r = local_post(&in, buf_str(&path), &why);
	if (r == LOCAL_E_DOWN)
		return instance_not_up(c, &in);
	if (r)
		return cli_fail("%s", r < 0 ? err_last() : buf_str(&why));
	return 0;
}
