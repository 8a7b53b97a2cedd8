/*
 * The privileged process.  Usage:
 *
 *	neargate-warden [options] [neargated's options]	run
 *	neargate-warden [options] --down	end everything of the instance
 *	neargate-warden [options] --purge	and remove its state directory
 *	neargate-warden --clean INSTANCE	the same, by its name alone
 *
 * Options, each with a value: --instance, --run-dir, --state-dir, --user,
 * --daemon, --runtime, --haproxy.  What it does not know goes to neargated.
 */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "warden/check.h"
#include "warden/keeper.h"

struct options {
	const char *instance, *run_dir, *state_dir, *user, *daemon, *runtime,
	    *haproxy, *clean;
	bool down, purge;
};

static const struct {
	const char *name;
	size_t at;
} valued[] = {
    {"--instance", offsetof(struct options, instance)},
    {"--run-dir", offsetof(struct options, run_dir)},
    {"--state-dir", offsetof(struct options, state_dir)},
    {"--user", offsetof(struct options, user)},
    {"--daemon", offsetof(struct options, daemon)},
    {"--runtime", offsetof(struct options, runtime)},
    {"--haproxy", offsetof(struct options, haproxy)},
    {"--clean", offsetof(struct options, clean)},
};

/* Both "--name value" and "--name=value"; the number of words it took. */
static int
take_option(struct options *o, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(valued); i++) {
		size_t n = strlen(valued[i].name);
		const char **to = (const char **)((char *)o + valued[i].at);

		if (strncmp(argv[0], valued[i].name, n))
			continue;
		if (argv[0][n] == '=') {
			*to = argv[0] + n + 1;
			return 1;
		}
		if (argv[0][n] == '\0' && argv[1]) {
			*to = argv[1];
			return 2;
		}
	}
	if (!strcmp(argv[0], "--down") || !strcmp(argv[0], "--purge")) {
		o->down = true;
		o->purge |= !strcmp(argv[0], "--purge");
		return 1;
	}
	return 0;
}

/* The directory this program is in. */
static char *
own_dir(void)
{
	char *path = xcalloc(1, PATH_MAX), *slash;

	if (readlink("/proc/self/exe", path, PATH_MAX - 1) < 0)
		WRONG("/proc/self/exe");
	slash = strrchr(path, '/');
	AN(slash);
	*slash = '\0';
	return path;
}

static const char *
find_program(const char *given, const char *const *paths)
{
	if (given)
		return given;
	for (; paths[1]; paths++)
		if (access(*paths, X_OK) == 0)
			break;
	return *paths;
}

static int
fill(struct keeper_config *k, const struct options *o)
{
	static const char *const runtimes[] = {"/usr/bin/crun",
	    "/usr/local/bin/crun", "/usr/sbin/runc", "/usr/bin/runc", NULL};
	static const char *const haproxies[] = {"/usr/sbin/haproxy",
	    "/usr/local/sbin/haproxy", NULL};
	const char *user = o->user ? o->user : "neargate";
	struct passwd *pw = getpwnam(user);
	struct host *h = &k->host;
	bool main_one;

	h->instance = o->clean ? o->clean : o->instance ? o->instance : "ng0";
	/* No '-': names on the host are <instance>-<what>.  /run/neargate-net
	 * is every instance's. */
	if (!check_id(span_of(h->instance)) || strlen(h->instance) > 8 ||
	    strchr(h->instance, '-') || !strcmp(h->instance, "net")) {
		log_error("--instance: not a name: %s", h->instance);
		return 2;
	}
	if (!pw || pw->pw_uid == 0) {
		log_error("user %s is unknown, or root", user);
		return 1;
	}
	h->uid = pw->pw_uid;
	h->gid = pw->pw_gid;
	main_one = !strcmp(h->instance, "ng0");
	h->run_dir = o->run_dir ? o->run_dir : xasprintf("/run/neargate%s%s",
	    main_one ? "" : "-", main_one ? "" : h->instance);
	h->state_dir = o->state_dir ? o->state_dir :
	    xasprintf("/var/lib/neargate%s%s", main_one ? "" : "-",
		main_one ? "" : h->instance);
	if (!check_path(span_of(h->run_dir)) ||
	    !check_path(span_of(h->state_dir))) {
		log_error("directories must be absolute");
		return 2;
	}
	h->libexec_dir = own_dir();
	h->runtime = find_program(o->runtime, runtimes);
	h->haproxy = find_program(o->haproxy, haproxies);
	k->purge = o->purge;
	k->daemon = o->daemon ? o->daemon :
	    xasprintf("%s/neargated", h->libexec_dir);
	return 0;
}

int
main(int argc, char **argv)
{
	static struct options o;
	static struct keeper_config k;
	const char **rest = xcalloc((size_t)argc + 1, sizeof(*rest));
	int r;

	log_init("neargate-warden", getenv("NEARGATE_DEBUG")
	    ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	for (int i = 1; i < argc;) {
		int took = take_option(&o, argv + i);

		if (took == 0)
			rest[k.n_args++] = argv[i++];
		i += took;
	}
	k.args = rest;
	if (geteuid() != 0) {
		log_error("needs root");
		return 1;
	}
	r = fill(&k, &o);
	if (r)
		return r;
	return o.down || o.clean ? keeper_down(&k) : keeper_run(&k);
}
