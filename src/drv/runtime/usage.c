/*
 * Control groups' accounts.  v1: cpuacct and memory, each a hierarchy of its
 * own, here as in hybrid ones; v2: one for all.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "drv/runtime/usage.h"

/* Longer than memory.stat. */
#define FILE_MAX 16384

static bool
read_all(const char *root, const char *part, const char *group,
    const char *file, struct buf *b)
{
	_cleanup_free_ char *path = xasprintf("%s%s%s/%s", root, part, group,
	    file);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf_clear(b);
	buf_reserve(b, FILE_MAX);
	if (fd < 0)
		return false;
	while (b->n < FILE_MAX &&
	    (n = read(fd, b->p + b->n, FILE_MAX - b->n)) > 0)
		b->n += (size_t)n;
	return b->n > 0;
}

static bool
number(const char *root, const char *part, const char *group, const char *file,
    uint64_t *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	return read_all(root, part, group, file, &b) &&
	    span_u64(span_trim(buf_span(&b)), ret);
}

/* The value of a line "key value". */
static bool
keyed(const char *root, const char *part, const char *group, const char *file,
    const char *key, uint64_t *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	struct span rest, value, name;

	if (!read_all(root, part, group, file, &b))
		return false;
	for (rest = buf_span(&b); rest.p;) {
		value = span_cut(&rest, '\n');
		name = span_cut(&value, ' ');
		if (span_is(name, key))
			return span_u64(value, ret);
	}
	return false;
}

void
usage_read(const char *root, const char *group, struct task_usage *ret)
{
	_cleanup_free_ char *mark = xasprintf("%s/cgroup.controllers", root);
	uint64_t cpu, memory, idle;
	bool v2 = access(mark, F_OK) == 0, ok;

	*ret = (struct task_usage){0};
	if (v2)
		ok = keyed(root, "", group, "cpu.stat", "usage_usec", &cpu) &&
		    number(root, "", group, "memory.current", &memory) &&
		    keyed(root, "", group, "memory.stat", "inactive_file",
			&idle);
	else
		ok = number(root, "/cpuacct", group, "cpuacct.usage", &cpu) &&
		    number(root, "/memory", group, "memory.usage_in_bytes",
			&memory) &&
		    keyed(root, "/memory", group, "memory.stat",
			"total_inactive_file", &idle);
	if (!ok)
		return;
	ret->there = true;
	ret->cpu_us = v2 ? cpu : cpu / 1000;
	/* Cache that the kernel would give up at once is nobody's need. */
	ret->memory = memory > idle ? memory - idle : 0;
}
