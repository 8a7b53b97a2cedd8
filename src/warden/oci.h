/*
 * The OCI configuration of a container, rendered from typed and checked
 * fields.  Pure.  What a container gets is Docker's default: its capabilities,
 * seccomp profile, masked and read-only paths, /dev, /proc and read-only /sys.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "loop/msg.h"

struct oci_ulimit {
	struct span name; /* "nofile" */
	uint64_t soft, hard;
};

struct oci_mount {
	struct span volume; /* check_name() */
	struct span target; /* check_path() */
	bool read_only;
};

struct oci_spec {
	/* As in WARDEN_CONTAINER_START, in its order. */
	struct span id, task, netns, hostname;
	struct span *layers; /* hex after oci_read() */
	size_t n_layers;
	bool read_only_root;
	struct span *args, *env;
	size_t n_args, n_env;
	struct span cwd;
	uint32_t uid, gid;
	uint32_t *groups;
	size_t n_groups;
	uint64_t memory, memory_soft;
	uint32_t cpu_shares;
	uint64_t task_memory;
	uint32_t task_cpu, pids;
	struct oci_ulimit *ulimits;
	size_t n_ulimits;
	struct oci_mount *mounts;
	size_t n_mounts;
	struct span *cap_add, *cap_drop;
	size_t n_cap_add, n_cap_drop;
	bool init, tty;
	struct span *dns, *hosts;
	size_t n_dns, n_hosts;
};

/* crun's annotation for a program instead of a profile; its presence in a
 * runtime's binary says that the runtime has it. */
#define OCI_SECCOMP_BPF "run.oci.seccomp_bpf_data"

/* What the machine adds. */
struct oci_host {
	const char *dir;	 /* of the container's files: etc-hosts, … */
	const char *netns_path;	 /* to join */
	const char *volumes;	 /* directory of the task's volumes */
	const char *cgroup_path;
	const char *init_path;	 /* our monitor, for `init` */
	struct span seccomp;	 /* program in base64; empty: as JSON */
};

/* Decodes and checks a message.  Positive: OCI_E_BAD, *ret_why says what. */
enum { OCI_E_BAD = 1 };
int oci_read(struct msg_reader *m, struct arena *a, struct oci_spec *ret,
    const char **ret_why);

/* Lowers each ulimit that is above what this process itself may have (nobody
 * can give more without CAP_SYS_RESOURCE) and logs it; drops unknown names.
 * What is not asked for gets the default of `nofile` 1024:65536. */
void oci_fit_ulimits(struct oci_spec *s, struct arena *a);

void oci_render(struct buf *b, const struct oci_spec *s,
    const struct oci_host *h);
/* The "process" object for another command in the same container, without its
 * "args": `{"args":[…],` and this, is a process.json. */
void oci_render_process_tail(struct buf *b, const struct oci_spec *s);
/* A JSON array of strings. */
void oci_render_strings(struct buf *b, const struct span *v, size_t n);
