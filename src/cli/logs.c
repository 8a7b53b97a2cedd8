/* neargate logs */
#include "cli/cli.h"
int cli_logs(struct cli *c UNUSED) { return cli_fail("later"); }
int cli_doctor(struct cli *c UNUSED) { return cli_fail("later"); }
