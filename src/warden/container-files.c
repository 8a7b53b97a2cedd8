/* What a container has on disk: written before it starts, wiped at its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "warden/cgroup.h"
#include "warden/container.h"
#include "warden/dirs.h"

int
containers_open(struct host *h)
{
	struct containers *cs = h->containers;
	int r;

	r = dirs_make(h->run_fd, "containers", 0700, 0, 0, &cs->dir);
	if (r == 0)
		r = dirs_make(h->run_fd, "runtime", 0700, 0, 0, NULL);
	if (r == 0)
		r = dirs_make(h->state_fd, "containers", 0700, 0, 0,
		    &cs->upper_dir);
	if (r == 0)
		r = dirs_make(h->state_fd, "volumes", 0711, 0, 0,
		    &cs->volume_dir);
	if (r == 0)
		r = dirs_make(h->state_fd, "log", 0750, h->uid, h->gid,
		    &cs->log_dir);
	return err_trace(r);
}

static int
link_layers(struct container *c, const struct oci_spec *s)
{
	_cleanup_close_ int l = -1, upper = -1;
	const char *state = c->host->state_dir;
	int r;

	r = dirs_make(c->dir, "l", 0700, 0, 0, &l);
	if (r == 0)
		r = dirs_make(c->dir, "rootfs", 0755, 0, 0, NULL);
	if (r == 0)
		r = dirs_make(c->host->containers->upper_dir, c->id, 0700, 0, 0,
		    &upper);
	if (r == 0)
		r = dirs_make(upper, "u", 0755, 0, 0, NULL);
	if (r == 0)
		r = dirs_make(upper, "w", 0700, 0, 0, NULL);
	if (r < 0)
		return err_trace(r);
	/* overlayfs wants the top first, images list the bottom first. */
	for (size_t i = 0; i < s->n_layers; i++) {
		_cleanup_free_ char *name = xasprintf("%zu", i);
		_cleanup_free_ char *to = xasprintf("%s/layers/%.*s", state,
		    SPAN_ARG(s->layers[s->n_layers - 1 - i]));

		if (access(to, F_OK) < 0)
			return err_origin(errno,
			    "layer sha256:%.*s is not unpacked",
			    SPAN_ARG(s->layers[s->n_layers - 1 - i]));
		if (symlinkat(to, l, name) < 0)
			return err_origin(errno, "link to layer");
	}
	_cleanup_free_ char *u = xasprintf("%s/containers/%s/u", state, c->id);
	_cleanup_free_ char *w = xasprintf("%s/containers/%s/w", state, c->id);
	if (symlinkat(u, l, "u") < 0 || symlinkat(w, l, "w") < 0)
		return err_origin(errno, "link to writable layer");
	return 0;
}

static int
write_etc(struct container *c, const struct oci_spec *s)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	int r;

	buf_add_str(&b, "127.0.0.1 localhost\n");
	for (size_t i = 0; i < s->n_hosts; i++)
		buf_addf(&b, "%.*s\n", SPAN_ARG(s->hosts[i]));
	r = dirs_write(c->dir, "hosts", buf_span(&b), 0644);
	buf_clear(&b);
	for (size_t i = 0; i < s->n_dns; i++)
		buf_addf(&b, "nameserver %.*s\n", SPAN_ARG(s->dns[i]));
	if (r == 0)
		r = dirs_write(c->dir, "resolv.conf", buf_span(&b), 0644);
	buf_clear(&b);
	buf_addf(&b, "%.*s\n", SPAN_ARG(s->hostname));
	if (r == 0)
		r = dirs_write(c->dir, "hostname", buf_span(&b), 0644);
	return err_trace(r);
}

static int
make_volumes(struct container *c, const struct oci_spec *s)
{
	_cleanup_close_ int dir = -1;
	int r = 0;

	if (s->n_mounts == 0)
		return 0;
	r = dirs_make(c->host->containers->volume_dir, c->task, 0711, 0, 0,
	    &dir);
	for (size_t i = 0; r == 0 && i < s->n_mounts; i++) {
		_cleanup_free_ char *name = xstrndup(s->mounts[i].volume.p,
		    s->mounts[i].volume.n);

		/* Several containers share it: whoever comes first makes it. */
		if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
			r = err_origin(errno, "volume %s", name);
	}
	return err_trace(r);
}

int
container_prepare(struct container *c, struct oci_spec *s)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	const struct host *h = c->host;
	struct oci_host oh = {
	    .dir = arena_fmt(a, "%s/containers/%s", h->run_dir, c->id),
	    .netns_path = "/proc/self/fd/6",
	    .volumes = arena_fmt(a, "%s/volumes/%s", h->state_dir, c->task),
	    .cgroup_path = cgroup_path(a, h, s->task, s->id),
	    .init_path = arena_fmt(a, "%s/neargate-monitor", h->libexec_dir),
	    .seccomp = buf_span(&h->containers->runtime.seccomp),
	};
	int r;

	oci_fit_ulimits(s, a);
	oci_render(&b, s, &oh);
	r = dirs_write(c->dir, "config.json", buf_span(&b), 0600);
	buf_clear(&b);
	oci_render_process_tail(&b, s);
	if (r == 0)
		r = dirs_write(c->dir, "process", buf_span(&b), 0600);
	if (r == 0)
		r = dirs_write(c->dir, "task", s->task, 0600);
	if (r == 0)
		r = link_layers(c, s);
	if (r == 0)
		r = write_etc(c, s);
	if (r == 0)
		r = make_volumes(c, s);
	if (r == 0)
		r = cgroup_task_make(h, s->task, s->task_memory, s->task_cpu);
	return err_trace(r);
}

bool
containers_use_layer(struct host *h, struct span hex)
{
	list_each(it, &h->containers->all) {
		struct container *c = list_entry(it, struct container, node);
		_cleanup_close_ int l = dirs_open(c->dir, "l", O_PATH);

		for (int i = 0; l >= 0; i++) {
			_cleanup_free_ char *name = xasprintf("%d", i);
			_cleanup_free_ char *to = xcalloc(1, PATH_MAX);
			ssize_t n = readlinkat(l, name, to, PATH_MAX - 1);

			if (n < 0)
				break;
			if (span_ends(span_make(to, (size_t)n), hex))
				return true;
		}
	}
	return false;
}
