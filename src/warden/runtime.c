/* The OCI runtime's program, held ready. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "warden/oci.h"
#include "warden/runtime.h"
#include "warden/seccomp.h"

#define MAX_SIZE (64u << 20)
#define SEALS	 (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)
#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

static int
read_program(const char *path, struct buf *b)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_origin(errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_SIZE)
		return err_origin(EINVAL, "%s is no program", path);
	buf_reserve(b, (size_t)st.st_size + 1);
	while ((n = read(fd, b->p + b->n, (size_t)st.st_size - b->n)) > 0)
		b->n += (size_t)n;
	return n < 0 ? err_origin(errno, "%s", path) : 0;
}

/* -1: this host does not run programs from memory. */
static int
seal(struct span s)
{
	_cleanup_close_ int fd = memfd_create("runtime",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	/* Kernels before 6.3 do not know MFD_EXEC and need none. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || write(fd, s.p, s.n) != (ssize_t)s.n ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -1;
	return TAKE_FD(fd);
}

int
runtime_load(struct runtime_program *r, const char *path)
{
	_cleanup_(buf_done) struct buf program = BUF_INIT, bpf = BUF_INIT;
	int e;

	*r = (struct runtime_program){.fd = -1};
	e = read_program(path, &program);
	if (e < 0)
		return err_trace(e);
	/* A script cannot be executed from a descriptor that closes then. */
	if (!span_starts(buf_span(&program), SPAN(ELFMAG)))
		return 0;
	r->fd = seal(buf_span(&program));
	if (span_find(buf_span(&program), SPAN(OCI_SECCOMP_BPF)) < 0)
		return 0;
	e = seccomp_bpf(&bpf);
	if (e < 0)
		return err_trace(e);
	buf_add_base64(&r->seccomp, bpf.p, bpf.n);
	return 0;
}

void
runtime_unload(struct runtime_program *r)
{
	close_p(&r->fd);
	buf_done(&r->seccomp);
}
