/*
 * The system calls a container may make, as Docker allows them to one with
 * the default capabilities.  Everything else answers EPERM; clone3 answers
 * ENOSYS, so that libc falls back to clone, whose flags can be looked at.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "warden/seccomp.h"

/* The new-namespace flags of clone(2). */
#define CLONE_NEW_ANY 0x7e020000u

static const char *const allowed[] = {
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex",
    "alarm", "arch_prctl", "bind", "brk", "cachestat", "capget", "capset",
    "chdir", "chmod", "chown", "chown32", "chroot", "clock_getres",
    "clock_getres_time64", "clock_gettime", "clock_gettime64",
    "clock_nanosleep", "clock_nanosleep_time64", "close", "close_range",
    "connect", "copy_file_range", "creat", "dup", "dup2", "dup3",
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait",
    "epoll_pwait2", "epoll_wait", "eventfd", "eventfd2", "execve", "execveat",
    "exit", "exit_group", "faccessat", "faccessat2", "fadvise64",
    "fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl",
    "fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fork",
    "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64", "fstatfs",
    "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex",
    "futex_requeue", "futex_time64", "futex_wait", "futex_waitv",
    "futex_wake", "futimesat", "get_robust_list", "get_thread_area", "getcpu",
    "getcwd", "getdents", "getdents64", "getegid", "getegid32", "geteuid",
    "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32",
    "getitimer", "getpeername", "getpgid", "getpgrp", "getpid", "getppid",
    "getpriority", "getrandom", "getresgid", "getresgid32", "getresuid",
    "getresuid32", "getrlimit", "getrusage", "getsid", "getsockname",
    "getsockopt", "gettid", "gettimeofday", "getuid", "getuid32", "getxattr",
    "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "io_cancel", "io_destroy", "io_getevents", "io_pgetevents",
    "io_pgetevents_time64", "io_setup", "io_submit", "ioctl", "ioprio_get",
    "ioprio_set", "ipc", "kill", "landlock_add_rule",
    "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32",
    "lgetxattr", "link", "linkat", "listen", "listxattr", "llistxattr",
    "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "madvise",
    "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret",
    "mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2",
    "mlockall", "mmap", "mmap2", "modify_ldt", "mprotect", "mq_getsetattr",
    "mq_notify", "mq_open", "mq_timedreceive", "mq_timedreceive_time64",
    "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap", "mseal",
    "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall",
    "munmap", "name_to_handle_at", "nanosleep", "newfstatat", "nice", "open",
    "openat", "openat2", "pause", "pidfd_getfd", "pidfd_open",
    "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free",
    "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl", "pread64",
    "preadv", "preadv2", "prlimit64", "process_madvise", "process_mrelease",
    "process_vm_readv", "process_vm_writev", "pselect6", "pselect6_time64",
    "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead",
    "readdir", "readlink", "readlinkat", "readv", "recvfrom", "recvmmsg",
    "recvmmsg_time64", "recvmsg", "remap_file_pages", "removexattr", "rename",
    "renameat", "renameat2", "restart_syscall", "rmdir", "rseq",
    "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo",
    "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
    "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr",
    "sched_setparam", "sched_setscheduler", "sched_yield", "seccomp",
    "select", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64",
    "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto",
    "set_robust_list", "set_thread_area", "set_tid_address", "setfsgid",
    "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups",
    "setgroups32", "setitimer", "setpgid", "setpriority", "setregid",
    "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32",
    "setreuid", "setreuid32", "setrlimit", "setsid", "setsockopt", "setuid",
    "setuid32", "setxattr", "sgetmask", "shmat", "shmctl", "shmdt", "shmget",
    "shutdown", "sigaction", "sigaltstack", "signal", "signalfd", "signalfd4",
    "sigpending", "sigprocmask", "sigreturn", "sigsuspend", "socketcall",
    "socketpair", "splice", "ssetmask", "stat", "stat64", "statfs",
    "statfs64", "statx", "symlink", "symlinkat", "sync", "sync_file_range",
    "syncfs", "sysinfo", "tee", "tgkill", "time", "timer_create",
    "timer_delete", "timer_getoverrun", "timer_gettime", "timer_gettime64",
    "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
    "timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times",
    "tkill", "truncate", "truncate64", "ugetrlimit", "umask", "uname",
    "unlink", "unlinkat", "utime", "utimensat", "utimensat_time64", "utimes",
    "vfork", "vmsplice", "wait4", "waitid", "waitpid", "write", "writev",
};

/* Calls that depend on an argument. */
struct conditional {
	const char *name;
	uint32_t arg;
	enum scmp_compare op;
	uint64_t a, b; /* b: what a masked comparison yields */
};

static const struct conditional conditionals[] = {
    /* The values of ordinary programs. */
    {"personality", 0, SCMP_CMP_EQ, 0x0, 0},
    {"personality", 0, SCMP_CMP_EQ, 0x8, 0},
    {"personality", 0, SCMP_CMP_EQ, 0x20000, 0},
    {"personality", 0, SCMP_CMP_EQ, 0x20008, 0},
    {"personality", 0, SCMP_CMP_EQ, 0xffffffff, 0},
    {"clone", 0, SCMP_CMP_MASKED_EQ, CLONE_NEW_ANY, 0},
    /* Not AF_VSOCK: it reaches the hypervisor around every namespace. */
    {"socket", 0, SCMP_CMP_NE, 40, 0},
};

#if defined(__x86_64__)
#define ARCHES \
	"\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\""
static const uint32_t arches[] = {SCMP_ARCH_X86_64, SCMP_ARCH_X86,
    SCMP_ARCH_X32};
#elif defined(__aarch64__)
#define ARCHES "\"SCMP_ARCH_AARCH64\",\"SCMP_ARCH_ARM\""
static const uint32_t arches[] = {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM};
#else
#error "which architectures may a container's programs have here?"
#endif

static const char *
op_name(enum scmp_compare op)
{
	return op == SCMP_CMP_EQ ? "SCMP_CMP_EQ" :
	    op == SCMP_CMP_NE	 ? "SCMP_CMP_NE" : "SCMP_CMP_MASKED_EQ";
}

void
seccomp_render(struct buf *b)
{
	buf_add_str(b, "{\"defaultAction\":\"SCMP_ACT_ERRNO\","
	    "\"defaultErrnoRet\":1,\"architectures\":[" ARCHES "],"
	    "\"syscalls\":[{\"names\":[");
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", allowed[i]);
	buf_add_str(b, "],\"action\":\"SCMP_ACT_ALLOW\"}");
	for (size_t i = 0; i < ARRAY_SIZE(conditionals); i++) {
		const struct conditional *c = &conditionals[i];

		buf_addf(b, ",{\"names\":[\"%s\"],"
		    "\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":%u,"
		    "\"value\":%ju,", c->name, c->arg, (uintmax_t)c->a);
		if (c->op == SCMP_CMP_MASKED_EQ)
			buf_addf(b, "\"valueTwo\":%ju,", (uintmax_t)c->b);
		buf_addf(b, "\"op\":\"%s\"}]}", op_name(c->op));
	}
	buf_add_str(b, ",{\"names\":[\"clone3\"],"
	    "\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}]}");
}

/* A name that an older libseccomp does not know stays refused. */
static int
add_rule(scmp_filter_ctx f, uint32_t action, const char *name, unsigned n,
    const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r = nr == __NR_SCMP_ERROR ? 0 :
	    seccomp_rule_add_array(f, action, nr, n, args);

	return r < 0 ? err_origin(-r, "seccomp rule of %s", name) : 0;
}

static int
add_rules(scmp_filter_ctx f)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(arches); i++) {
		r = seccomp_arch_add(f, arches[i]);
		r = r == -EEXIST ? 0 : r;
	}
	/* A tree, not a list: every call of every container passes here. */
	if (r == 0)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r < 0)
		return err_origin(-r, "seccomp filter");
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++)
		r = add_rule(f, SCMP_ACT_ALLOW, allowed[i], 0, NULL);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(conditionals); i++) {
		const struct conditional *c = &conditionals[i];
		const struct scmp_arg_cmp arg = {c->arg, c->op, c->a, c->b};

		r = add_rule(f, SCMP_ACT_ALLOW, c->name, 1, &arg);
	}
	if (r == 0)
		r = add_rule(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	return err_trace(r);
}

static int
export(scmp_filter_ctx f, struct buf *b)
{
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
	ssize_t n;
	int r;

	if (fd < 0)
		return err_origin(errno, "memfd");
	r = seccomp_export_bpf(f, fd);
	if (r < 0)
		return err_origin(-r, "seccomp filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_origin(errno, "memfd");
	do {
		buf_reserve(b, 8192);
		n = read(fd, b->p + b->n, 8192);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	return n < 0 ? err_origin(errno, "memfd") : 0;
}

int
seccomp_bpf(struct buf *b)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!f)
		return err_origin(ENOMEM, "seccomp filter");
	r = add_rules(f);
	if (r == 0)
		r = export(f, b);
	seccomp_release(f);
	return err_trace(r);
}
