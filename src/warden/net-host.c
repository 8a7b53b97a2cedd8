/* The host's forwarding, firewall table and public address pool. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "warden/net-host.h"
#include "warden/net-ns.h"
#include "warden/net-rtnl.h"

#define LOOPBACK  1	      /* its index, always */
#define EDGE_ADDR 0xa9fe4003u /* 169.254.64.3 */
#define DIR_PATH    "/run/neargate-net"
#define WAS_OFF	    "ip-forward-was-off"
#define IP_FORWARD  "/proc/sys/net/ipv4/ip_forward"
#define MAIN_POOL   0xc6120000u /* 198.18.0.0/16 */
#define OTHER_POOLS 0xc6130000u /* 198.19.0.0/16 in pieces of 1024 */

/* ng0's file says MAIN_PIECE, that of another its piece of the shared range. */
#define MAIN_PIECE 64u

static struct net_cidr
pool_of(uint64_t piece)
{
	if (piece == MAIN_PIECE)
		return (struct net_cidr){MAIN_POOL, 16};
	return (struct net_cidr){OTHER_POOLS + (uint32_t)piece * 1024, 22};
}

static int
open_dir(int *ret)
{
	if (mkdir(DIR_PATH, 0755) < 0 && errno != EEXIST)
		return err_origin(errno, "%s", DIR_PATH);
	_cleanup_close_ int fd =
	    open(DIR_PATH, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_origin(errno, "%s", DIR_PATH);
	*ret = TAKE_FD(fd);
	return 0;
}

static bool
read_number(int dir, const char *name, uint64_t *ret)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	buf_reserve(&b, 64);
	ssize_t n = read(fd, b.p, 32);
	if (n <= 0)
		return false;
	return span_u64(span_trim(span_make(b.p, (size_t)n)), ret);
}

static void
any_ns(void *ctx, const char *name UNUSED)
{
	*(bool *)ctx = true;
}

/* An instance whose warden is gone and which left no namespace. */
static bool
stale(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *prefix = xasprintf("%s-", name);
	bool any = false;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	if (ns_list(span_of(prefix), any_ns, &any) < 0)
		return false;
	return !any;
}

/* Marks pieces that others hold; drops the files of instances that are gone. */
static int
scan_pools(int dir, const char *me, bool *taken, size_t n)
{
	DIR *d = opendir(DIR_PATH);
	struct dirent *e;
	uint64_t piece;
	if (!d)
		return err_origin(errno, "%s", DIR_PATH);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' || strcmp(e->d_name, WAS_OFF) == 0 ||
		    strcmp(e->d_name, me) == 0)
			continue;
		if (stale(dir, e->d_name))
			unlinkat(dir, e->d_name, 0);
		else if (read_number(dir, e->d_name, &piece) && piece < n)
			taken[piece] = true;
	}
	closedir(d);
	return 0;
}

int
net_host_pool(const char *instance, struct net_cidr *ret, int *ret_fd)
{
	_cleanup_close_ int dir = -1;
	bool taken[64] = {false};
	uint64_t piece = 0;
	bool ours = strcmp(instance, "ng0") == 0;
	int e = open_dir(&dir);
	if (e)
		return err_trace(e);
	bool known = read_number(dir, instance, &piece) && piece < 64;
	if (!ours && !known) {
		e = scan_pools(dir, instance, taken, 64);
		if (e)
			return err_trace(e);
		for (piece = 0; piece < 64 && taken[piece];)
			piece++;
		if (piece == 64)
			return err_origin(ENOSPC,
			    "no public address pool is free");
	}
	_cleanup_close_ int fd =
	    openat(dir, instance, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_origin(errno, "instance %s runs already", instance);
	if (ours)
		piece = MAIN_PIECE;
	if (ftruncate(fd, 0) < 0 || dprintf(fd, "%u\n", (unsigned)piece) < 0)
		return err_origin(errno, DIR_PATH "/%s", instance);
	*ret = pool_of(piece);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void
net_host_script(struct buf *b, const char *instance, struct net_cidr pool)
{
	_cleanup_free_ char *p = xasprintf("%u.%u.%u.%u/%u", pool.addr >> 24,
	    pool.addr >> 16 & 255, pool.addr >> 8 & 255, pool.addr & 255,
	    pool.len);
	buf_addf(b,
	    "table ip %1$s\n"
	    "delete table ip %1$s\n"
	    "table ip %1$s {\n"
	    "\tchain forward {\n"
	    "\t\ttype filter hook forward priority -5; policy accept;\n"
	    "\t\tiifname \"%1$sv*\" ip saddr != %2$s drop\n"
	    "\t\toifname \"%1$sv*\" ip daddr != %2$s drop\n"
	    "\t}\n"
	    "\tchain input {\n"
	    "\t\ttype filter hook input priority -5; policy accept;\n"
	    "\t\tiifname != \"%1$sv*\" accept\n"
	    "\t\tct state established,related accept\n"
	    "\t\tdrop\n"
	    "\t}\n"
	    "\tchain nat {\n"
	    "\t\ttype nat hook postrouting priority 100; policy accept;\n"
	    "\t\tip saddr %2$s ip daddr != %2$s masquerade\n"
	    "\t}\n"
	    "}\n",
	    instance, p);
}

static int
nft(const char *const *argv, struct span in, struct buf *out)
{
	int status;
	int e = ns_run(argv, in, out, &status);
	if (e)
		return err_trace(e);
	return status ? err_origin(EINVAL, "nft: %s", buf_str(out)) : 0;
}

/* Docker's iptables drop what they do not know: ask them to let ours pass.
 * Says nothing where there are none. */
static void
iptables(const char *instance, const char *verb)
{
	static const char *const sides[] = {"-i", "-o"};
	_cleanup_free_ char *match = xasprintf("%sv+", instance);
	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		_cleanup_(buf_done) struct buf out = BUF_INIT;
		const char *argv[] = {"/usr/sbin/iptables", "-w", verb,
			"FORWARD", sides[i], match, "-j", "ACCEPT", NULL};
		int status = 0;
		if (ns_run(argv, SPAN_NULL, &out, &status) < 0 || status)
			log_debug("iptables %s: %s", verb, buf_str(&out));
	}
}

static bool
forward_drops(void)
{
	static const char *const argv[] = {"/usr/sbin/nft", "list", "chain",
		"ip", "filter", "FORWARD", NULL};
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	int status;
	return ns_run(argv, SPAN_NULL, &out, &status) == 0 && status == 0 &&
	    span_find(buf_span(&out), SPAN("policy drop")) >= 0;
}

static int
write_forward(const char *value)
{
	_cleanup_close_ int fd = open(IP_FORWARD, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, 1) != 1)
		return err_origin(errno, "%s", IP_FORWARD);
	return 0;
}

static int
forward_on(void)
{
	_cleanup_close_ int dir = -1;
	uint64_t on;
	int e = open_dir(&dir);
	if (e)
		return err_trace(e);
	if (!read_number(AT_FDCWD, IP_FORWARD, &on))
		return err_origin(EIO, "%s", IP_FORWARD);
	if (on)
		return 0;
	_cleanup_close_ int fd =
	    openat(dir, WAS_OFF, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_origin(errno, DIR_PATH "/" WAS_OFF);
	return err_trace(write_forward("1"));
}

/* Addresses of the pool that nobody has must not leave by the host's default
 * route: someone else may answer there. */
static int
reject_pool(struct net_cidr pool, bool on)
{
	_cleanup_(rtnl_done) struct rtnl rt = RTNL_INIT;
	struct rtnl_route route = {
		.dst = pool.addr, .len = pool.len, .reject = true};
	int e = rtnl_open(&rt);
	if (e)
		return err_trace(e);
	if (on)
		rtnl_route(&rt, &route);
	else
		rtnl_route_del(&rt, &route);
	e = rtnl_send(&rt);
	return e == -ESRCH && !on ? 0 : err_trace(e);
}

/* The address the edge proxy connects from (EDGE_SOURCE of ctl/lb.h), so that
 * load balancers know it from everything else on the host.  One for all
 * instances; the last takes it away. */
static int
edge_address(bool on)
{
	_cleanup_(rtnl_done) struct rtnl rt = RTNL_INIT;
	int e = rtnl_open(&rt);
	if (e)
		return err_trace(e);
	if (on)
		rtnl_addr(&rt, LOOPBACK, EDGE_ADDR, 32);
	else
		rtnl_addr_del(&rt, LOOPBACK, EDGE_ADDR, 32);
	e = rtnl_send(&rt);
	return e == -EADDRNOTAVAIL && !on ? 0 : err_trace(e);
}

int
net_host_up(const char *instance, struct net_cidr pool)
{
	static const char *const argv[] = {"/usr/sbin/nft", "-f", "-", NULL};
	_cleanup_(buf_done) struct buf in = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	net_host_script(&in, instance, pool);
	int e = nft(argv, buf_span(&in), &out);
	if (e)
		return err_trace(e);
	if (forward_drops()) {
		iptables(instance, "-D");
		iptables(instance, "-I");
	}
	e = reject_pool(pool, true);
	if (!e)
		e = edge_address(true);
	return err_trace(e ? e : forward_on());
}

static bool
others(int dir)
{
	DIR *d = fdopendir(dup(dir));
	struct dirent *e;
	bool any = false;
	if (!d)
		return true;
	rewinddir(d);
	while ((e = readdir(d)))
		any |= e->d_name[0] != '.' && strcmp(e->d_name, WAS_OFF) != 0;
	closedir(d);
	return any;
}

int
net_host_down(const char *instance)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT;
	_cleanup_(buf_done) struct buf out = BUF_INIT;
	_cleanup_close_ int dir = -1;
	static const char *const argv[] = {"/usr/sbin/nft", "-f", "-", NULL};
	buf_addf(&in, "table ip %1$s\ndelete table ip %1$s\n", instance);
	int e = nft(argv, buf_span(&in), &out);
	if (forward_drops())
		iptables(instance, "-D");
	int e2 = open_dir(&dir);
	if (e2)
		return err_trace(e ? e : e2);
	uint64_t piece;
	if (read_number(dir, instance, &piece) && piece <= MAIN_PIECE)
		e2 = reject_pool(pool_of(piece), false);
	e = e ? e : e2;
	unlinkat(dir, instance, 0);
	if (!others(dir) && faccessat(dir, WAS_OFF, F_OK, 0) == 0) {
		e2 = write_forward("0");
		unlinkat(dir, WAS_OFF, 0);
	}
	if (!others(dir)) {
		e2 = edge_address(false);
		e = e ? e : e2;
		rmdir(DIR_PATH);
	}
	return err_trace(e ? e : e2);
}
