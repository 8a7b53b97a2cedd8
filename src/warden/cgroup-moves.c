/*
 * Quick moves between control groups: the option favordynmods, which holds for
 * all hierarchies as soon as one has it.  Beside v1 that is one of our own.
 *
 * Where v2 is alone, another hierarchy would put a line before "0::/..." into
 * each process's /proc/PID/cgroup, by which programs know v2: libuv, and with it
 * Node.js, would not find its memory limit any more, in containers of others,
 * too.  There v2 itself gets the option; a file in run_dir says that it is ours
 * to take away.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/cgroup.h"
#include "warden/dirs.h"

#define ROOT	      "/sys/fs/cgroup"
#define OPTION	      "favordynmods"
#define BUSY_ROUNDS   100
#define BUSY_PAUSE_US 5000

/* 0, or -1 with errno. */
static int
make_hierarchy(const char *name, int *ret)
{
	_cleanup_close_ int fs = fsopen("cgroup", FSOPEN_CLOEXEC);

	if (fs < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "none", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "name", name, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "favordynmods", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	*ret = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return *ret < 0 ? -1 : 0;
}

/* One of that name that is just ending, as after the warden before us, is in
 * the way for a few grace periods; the kernel has no event for that. */
int
cgroup_hold_hierarchy(const char *name)
{
	int fd = -1;

	for (int i = 0; i < BUSY_ROUNDS; i++) {
		if (make_hierarchy(name, &fd) == 0 || errno != EBUSY)
			break;
		usleep(BUSY_PAUSE_US);
	}
	return fd;
}

/* The options of the hierarchy of v2; empty: it cannot be found. */
static struct span
v2_options(struct arena *a)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct span found = SPAN_NULL;
	_cleanup_free_ char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		struct span rest = span_trim(span_of(line));
		ptrdiff_t at;

		for (int i = 0; i < 4; i++)
			span_cut(&rest, ' ');
		at = span_find(rest, SPAN(" - cgroup2 "));
		if (!span_is(span_cut(&rest, ' '), ROOT) || at < 0)
			continue;
		found = arena_span(a, span_from(span_of(line),
		    (size_t)span_rchr(span_of(line), ' ') + 1));
	}
	if (f)
		fclose(f);
	return span_trim(found);
}

static bool
has_option(struct span options)
{
	while (options.p)
		if (span_is(span_cut(&options, ','), OPTION))
			return true;
	return false;
}

/* 0, or -1 with errno.  Options that are not said are taken away. */
static int
set_options(struct span options, bool quick)
{
	_cleanup_close_ int fs = fspick(AT_FDCWD, ROOT, FSPICK_CLOEXEC);
	int r = fs < 0 ? -1 : 0;

	while (r == 0 && options.p) {
		struct span o = span_cut(&options, ',');
		_cleanup_free_ char *name = xstrndup(o.p, o.n);

		if (!span_is(o, "rw") && !span_is(o, OPTION))
			r = fsconfig(fs, FSCONFIG_SET_FLAG, name, NULL, 0);
	}
	if (r == 0 && quick)
		r = fsconfig(fs, FSCONFIG_SET_FLAG, OPTION, NULL, 0);
	return r < 0 ? r :
	    fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

static void
begin_v2(struct host *h)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span options = v2_options(a);

	/* Somebody else's wish, or another instance's, which takes it away. */
	if (!options.n || has_option(options))
		return;
	if (dirs_write(h->run_fd, OPTION, SPAN_NULL, 0644) < 0)
		return;
	if (set_options(options, true) < 0) {
		log_debug("moves between control groups wait: %s",
		    strerror(errno));
		(void)dirs_remove(h->run_fd, OPTION);
	}
}

static void
end_v2(struct host *h)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct span options = v2_options(a);

	if (faccessat(h->run_fd, OPTION, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (options.n && set_options(options, false) < 0)
		log_warn("the option " OPTION " of " ROOT " stays: %s",
		    strerror(errno));
	(void)dirs_remove(h->run_fd, OPTION);
}

void
cgroup_moves_begin(struct host *h)
{
	h->moves_fd = -1;
	if (h->cgroups == CGROUP_V2)
		begin_v2(h);
	else
		h->moves_fd = cgroup_hold_hierarchy("neargate");
}

void
cgroup_moves_end(struct host *h)
{
	if (h->cgroups == CGROUP_V2)
		end_v2(h);
	else if (h->moves_fd >= 0)
		close_p(&h->moves_fd);
}
