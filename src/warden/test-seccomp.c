/* What the filter's program answers, asked of the kernel. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "warden/seccomp.h"

#define ALLOWED -1 /* whatever the kernel then says, not EPERM */

static const struct row {
	const char *what;
	long nr;
	unsigned long a, b, c;
	int want; /* errno */
} rows[] = {
    {"getppid", SYS_getppid, 0, 0, 0, ALLOWED},
    {"openat", SYS_openat, 0, 0, 0, ALLOWED},
    {"personality as it is", SYS_personality, 0xffffffff, 0, 0, ALLOWED},
    {"personality without ASLR", SYS_personality, ADDR_NO_RANDOMIZE, 0, 0,
	EPERM},
    {"socket of IPv4", SYS_socket, AF_INET, SOCK_DGRAM, 0, ALLOWED},
    {"socket to the hypervisor", SYS_socket, 40, SOCK_STREAM, 0, EPERM},
    {"clone3", SYS_clone3, 0, 0, 0, ENOSYS},
    {"clone, new user namespace", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0,
	EPERM},
    {"clone, new time namespace", SYS_clone, 0x80 | SIGCHLD, 0, 0, ALLOWED},
    {"unshare", SYS_unshare, CLONE_NEWUSER, 0, 0, EPERM},
    {"mount", SYS_mount, 0, 0, 0, EPERM},
    {"bpf", SYS_bpf, 0, 0, 0, EPERM},
    {"keyctl", SYS_keyctl, 0, 0, 0, EPERM},
    {"perf_event_open", SYS_perf_event_open, 0, 0, 0, EPERM},
    {"io_uring_setup", SYS_io_uring_setup, 0, 0, 0, EPERM},
    {"userfaultfd", SYS_userfaultfd, 0, 0, 0, EPERM},
    {"kexec_load", SYS_kexec_load, 0, 0, 0, EPERM},
    {"one that nobody has", 4095, 0, 0, 0, EPERM},
};

/* Under the filter; a failed row is the exit code less one. */
static int
ask_all(const struct sock_fprog *prog)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, prog) < 0)
		return 100;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *w = &rows[i];
		long r;

		errno = 0;
		r = syscall(w->nr, w->a, w->b, w->c);
		if (r == 0 && w->nr == SYS_clone)
			_exit(0);
		if (w->want == ALLOWED ? errno == EPERM || errno == ENOSYS
				       : r != -1 || errno != w->want)
			return (int)i + 1;
	}
	return 0;
}

static void
test_program(void **state UNUSED)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct sock_fprog prog;
	int status;
	pid_t pid;

	assert_int_equal(seccomp_bpf(&b), 0);
	assert_true(b.n > 0 && b.n % sizeof(struct sock_filter) == 0);
	prog.len = (unsigned short)(b.n / sizeof(struct sock_filter));
	prog.filter = (void *)b.p;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(ask_all(&prog));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status))
		print_error("%s\n", WEXITSTATUS(status) == 100 ? "no filter" :
		    rows[WEXITSTATUS(status) - 1].what);
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_program)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
