/* Network namespaces, bound to names in /run/netns. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "warden/net-ns.h"

#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

static int host_ns = -1;

/* As `ip netns` does: the directory is a mount of its own that shares, so that
 * names made here are seen in every mount namespace and can be removed. */
static int
share_dir(void)
{
	if (mkdir(NS_DIR, 0755) < 0 && errno != EEXIST)
		return err_origin(errno, "%s", NS_DIR);
	if (mount("", NS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL)
		return err_origin(errno, "%s: share", NS_DIR);
	if (mount(NS_DIR, NS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", NS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return err_origin(errno, "%s: mount", NS_DIR);
	return 0;
}

int
ns_init(void)
{
	if (host_ns < 0)
		host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (host_ns < 0)
		return err_origin(errno, "/proc/self/ns/net");
	return err_trace(share_dir());
}

int
ns_host(void)
{
	AN(host_ns >= 0);
	return host_ns;
}

int
ns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_origin(errno, "setns");
	return 0;
}

void
ns_leave(void)
{
	/* Going on in the wrong namespace would be worse than ending. */
	if (setns(host_ns, CLONE_NEWNET) < 0)
		WRONG("cannot return to the host's network namespace");
}

static int
make(const char *path)
{
	_cleanup_close_ int fd =
	    open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
	int e = 0;
	if (fd < 0)
		return err_origin(errno, "%s", path);
	if (unshare(CLONE_NEWNET) < 0)
		return err_origin(errno, "unshare: network");
	if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) < 0)
		e = err_origin(errno, "%s: mount", path);
	ns_leave();
	return e;
}

int
ns_open(const char *name, bool create, int *ret_fd, bool *ret_created)
{
	_cleanup_free_ char *path = xasprintf(NS_DIR "/%s", name);
	bool made = false;
	for (;;) {
		struct statfs fs;
		_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return err_origin(errno, "%s", path);
		/* A plain file is what a crash left between two steps. */
		if (fd >= 0 && fstatfs(fd, &fs) == 0 &&
		    fs.f_type == NSFS_MAGIC) {
			*ret_fd = TAKE_FD(fd);
			if (ret_created)
				*ret_created = made;
			return 0;
		}
		if (!create)
			return NS_E_NONE;
		if (made)
			return err_origin(EIO, "%s: no namespace", path);
		int e = make(path);
		if (e)
			return err_trace(e);
		made = true;
	}
}

int
ns_remove(const char *name)
{
	_cleanup_free_ char *path = xasprintf(NS_DIR "/%s", name);
	if (umount2(path, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		return err_origin(errno, "%s: unmount", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_origin(errno, "%s: remove", path);
	return 0;
}

static void
closedir_p(DIR **d)
{
	if (*d)
		closedir(*d);
}

int
ns_list(struct span prefix, void (*fn)(void *, const char *), void *ctx)
{
	_cleanup_(closedir_p) DIR *d = opendir(NS_DIR);
	struct dirent *e;
	if (!d)
		return errno == ENOENT ? 0 : err_origin(errno, "%s", NS_DIR);
	while ((e = readdir(d)))
		if (span_starts(span_of(e->d_name), prefix))
			fn(ctx, e->d_name);
	return 0;
}

int
ns_sysctl(const struct ns_sysctl *table)
{
	for (const struct ns_sysctl *s = table; s->path; s++) {
		_cleanup_free_ char *path =
		    xasprintf("/proc/sys/net/%s", s->path);
		_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0 && s->optional)
			continue;
		if (fd < 0 || write(fd, s->value, strlen(s->value)) < 0)
			return err_origin(errno, "%s", path);
	}
	return 0;
}

static int
read_all(int fd, struct buf *b)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_origin(errno, "lseek");
	while (b->n < 1 << 20) {
		buf_reserve(b, 4096);
		ssize_t n = read(fd, b->p + b->n, 4095);
		if (n < 0)
			return err_origin(errno, "read");
		if (n == 0)
			break;
		b->n += (size_t)n;
		b->p[b->n] = '\0';
	}
	return 0;
}

static int
write_all(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0)
			return err_origin(errno, "write");
		s = span_from(s, (size_t)n);
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? err_origin(errno, "lseek") : 0;
}

/* Files in memory, not pipes: neither side can block on the other. */
int
ns_run(const char *const *argv, struct span in, struct buf *ret_out,
    int *ret_status)
{
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		"LC_ALL=C", NULL};
	_cleanup_close_ int ifd = memfd_create("in", MFD_CLOEXEC);
	_cleanup_close_ int ofd = memfd_create("out", MFD_CLOEXEC);
	posix_spawn_file_actions_t acts;
	pid_t pid;
	int status;
	if (ifd < 0 || ofd < 0)
		return err_origin(errno, "memfd");
	int e = write_all(ifd, in);
	if (e)
		return err_trace(e);
	AZ(posix_spawn_file_actions_init(&acts));
	AZ(posix_spawn_file_actions_adddup2(&acts, ifd, 0));
	AZ(posix_spawn_file_actions_adddup2(&acts, ofd, 1));
	AZ(posix_spawn_file_actions_adddup2(&acts, ofd, 2));
	e = posix_spawn(&pid, argv[0], &acts, NULL, (char *const *)argv,
	    (char *const *)env);
	posix_spawn_file_actions_destroy(&acts);
	if (e)
		return err_origin(e, "%s", argv[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_origin(errno, "%s: wait", argv[0]);
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return err_trace(read_all(ofd, ret_out));
}
