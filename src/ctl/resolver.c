/* The host's name servers. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/util.h"
#include "ctl/resolver.h"

#define MAX_FILE 65536

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct span
word(struct span *line)
{
	size_t n = 0;

	while (line->n && is_blank(line->p[0]))
		*line = span_from(*line, 1);
	while (n < line->n && !is_blank(line->p[n]) && line->p[n] != '\r')
		n++;
	struct span w = span_to(*line, n);
	*line = span_from(*line, n);
	return w;
}

static bool
is_reachable(struct arena *a, struct span s)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, arena_str(a, s), &addr) != 1)
		return false;
	return ntohl(addr.s_addr) >> 24 != 127 && addr.s_addr != 0;
}

struct span *
resolver_parse(struct arena *a, struct span text, size_t *ret_n)
{
	struct span *v = arena_array(a, struct span, RESOLVER_MAX);
	size_t n = 0;

	while (text.p && n < RESOLVER_MAX) {
		struct span line = span_cut(&text, '\n'), server;

		if (!span_is(word(&line), "nameserver"))
			continue;
		server = word(&line);
		if (is_reachable(a, server))
			v[n++] = server;
	}
	*ret_n = n;
	return v;
}

struct span *
resolver_of_host(struct arena *a, const char *root, size_t *ret_n)
{
	static const char *const files[] = {"/etc/resolv.conf",
		"/run/systemd/resolve/resolv.conf"};

	*ret_n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		_cleanup_close_ int fd = open(arena_fmt(a, "%s%s", root,
		    files[i]), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		char *p = arena_alloc(a, MAX_FILE);
		ssize_t n = fd < 0 ? -1 : read(fd, p, MAX_FILE);
		struct span *v;

		if (n <= 0)
			continue;
		v = resolver_parse(a, span_make(p, (size_t)n), ret_n);
		if (*ret_n)
			return v;
	}
	return NULL;
}
