/* The per-container process; see warden/monitor.h. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "warden/monitor.h"

static const struct {
	const char *name;
	int args;
	int (*run)(char **argv);
} modes[] = {
    {"--run", 6, monitor_run},
    {"--exec", 5, monitor_exec},
    {"--init", 2, monitor_init},
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (argc >= 2 + modes[i].args && !strcmp(argv[1], modes[i].name))
			return modes[i].run(argv + 2);
	fprintf(stderr, "neargate-monitor is started by neargate-warden\n");
	return 2;
}
