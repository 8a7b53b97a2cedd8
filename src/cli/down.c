/* neargate down: the warden ends everything of its instance. */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/up.h"

int
run_program(const char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	if (pid < 0)
		return err_origin(errno, "fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_origin(errno, "waitpid: %s",
			    strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

int
bring_down(struct cli *c, const struct instance *in)
{
	const char *warden = cli_program(c, "neargate-warden");
	const char *argv[] = {warden, "--instance", in->name, "--run-dir",
	    in->run_dir, "--state-dir", in->state_dir,
	    in->ephemeral || c->purge ? "--purge" : "--down", NULL};
	int r;

	if (!warden)
		return err_origin(ENOENT, "neargate-warden is not beside "
		    "neargate nor in ../libexec/neargate");
	r = run_program(argv);
	if (r > 0)
		return err_origin(EIO, "%s could not be ended wholly; the "
		    "lines above say what stays", in->name);
	return err_trace(r);
}

int
cli_down(struct cli *c)
{
	_cleanup_close_ int lock = -1;
	struct instance in;
	bool was;

	if (instance_load(c, &in) < 0)
		return cli_fail("%s", err_last()), 2;
	was = access(in.run_dir, F_OK) == 0;
	if (!was && !in.ephemeral && !(c->purge && access(in.state_dir, F_OK) == 0)) {
		instance_not_up(c, &in);
		return 0;
	}
	if (instance_lock(&in, &lock) < 0 || bring_down(c, &in) < 0)
		return cli_fail("%s", err_last());
	printf("%s is down; %s %s\n", in.name, in.state_dir,
	    in.ephemeral || c->purge ? "is removed" : "stays");
	return 0;
}
