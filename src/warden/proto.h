/*
 * The closed set of messages between neargated and the warden, and their
 * fields, in order.  Frames are those of loop/msg.h; doc/format/warden.md says
 * the same for readers of the wire.
 *
 * neargated asks, the warden replies once to every request with the request's
 * serial and the type WARDEN_REPLY:
 *
 *	u32 err		0, or an errno
 *	span why	text for people when err is not 0
 *	...		the fields named after "->" below when err is 0
 *
 * An EVENT has serial 0 and is not answered.
 *
 * The warden trusts nothing in a request: every id, digest and name must have
 * its form (warden/check.h), no path ever comes from neargated, and a frame
 * that does not decode exactly ends the connection.
 *
 * Types of fields: u32, u64, bool, span, span[] (count and spans), and
 * {…}[] (u32 count, then the members of each).
 */
#pragma once

enum warden_msg {
	/* -> span instance, u32 cgroup mode (enum cgroup_mode), span version */
	WARDEN_HELLO = 1,

	/*
	 * Starts a container whose layers are unpacked and whose netns exists.
	 * Starting one that runs already answers with what runs.
	 *	span id, task, netns, hostname; span[] layers; bool read_only;
	 *	span[] args, env; span cwd; u32 uid, gid; {u32}[] groups;
	 *	u64 memory, memory_soft; u32 cpu_shares; u64 task_memory;
	 *	u32 task_cpu, pids; {span name, u64 soft, u64 hard}[] ulimits;
	 *	{span volume, span target, bool read_only}[] mounts;
	 *	span[] cap_add, cap_drop; bool init, tty;
	 *	span[] dns, hosts
	 * -> u32 pid, u64 started_ms
	 */
	WARDEN_CONTAINER_START = 0x10,
	/* span id; u32 signal.  A container that is gone: success. */
	WARDEN_CONTAINER_KILL,
	/* span id.  Ends it if need be; forgets its exit, root and cgroup. */
	WARDEN_CONTAINER_REMOVE,
	/* span id; span[] args; u32 timeout_ms
	 * -> u32 code (137 after the timeout), span output (at most 4 KiB) */
	WARDEN_CONTAINER_EXEC,
	/* -> {span id, span task, u32 pid, u64 started_ms, bool exited,
	 *     u32 code, bool oom, u64 at_ms}[] */
	WARDEN_CONTAINER_LIST,
	/* span task.  Its cgroup and volumes; its containers must be gone. */
	WARDEN_TASK_REMOVE,

	/* span digest (sha256:<hex> of the blob); span diff_id; u32 format
	 * (enum layer_format).  A layer that is there: success.
	 * -> u64 bytes on disk, u64 entries */
	WARDEN_IMAGE_UNPACK = 0x20,
	/* span digest.  Only when no container uses the layer (EBUSY). */
	WARDEN_IMAGE_REMOVE,
	/* -> span[] digests of the layers that are there */
	WARDEN_IMAGE_LIST,

	/* HAProxy.  span id ("lb-…" or "edge"); span netns ("" is the host's).
	 * Reads run_dir/lb/<id>/haproxy.cfg, as the user neargate.  One that
	 * runs already is left alone. -> u32 pid, bool already */
	WARDEN_PROXY_START = 0x30,
	/* span id; span netns.  A new process takes the sockets over from the
	 * old one, which ends with its connections. -> u32 pid */
	WARDEN_PROXY_RELOAD,
	/* span id */
	WARDEN_PROXY_STOP,
	/* -> {span id, u32 pid}[] */
	WARDEN_PROXY_LIST,

	/* The network: 0x40 to 0x5f, see warden/net.h. */
	WARDEN_NET_FIRST = 0x40,
	WARDEN_NET_LAST = 0x5f,

	/* EVENT: span id; u32 code; bool oom; u64 at_ms.  Sent when it happens;
	 * WARDEN_CONTAINER_LIST tells the ones that happened before. */
	WARDEN_EXIT = 0x80,
	/* EVENT: span id.  A proxy ended that was not told to. */
	WARDEN_PROXY_DIED,

	WARDEN_REPLY = 0xff,
};

enum cgroup_mode { CGROUP_V1 = 1, CGROUP_HYBRID, CGROUP_V2 };

enum layer_format { LAYER_TAR = 1, LAYER_GZIP, LAYER_ZSTD };

/* Bounds that the warden enforces; neargated refuses sooner and politely. */
enum {
	WARDEN_MAX_LAYERS = 256,
	WARDEN_MAX_ARGS = 4096,
	WARDEN_MAX_ENV = 4096,
	WARDEN_MAX_TEXT = 256 << 10, /* args, env together: below ARG_MAX */
	WARDEN_MAX_LIST = 256,	     /* any other list of a container */
	WARDEN_MAX_OUTPUT = 4096,    /* of an exec */
};
