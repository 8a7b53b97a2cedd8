/*
 * The neargate command: its subcommands and what they share.
 *
 * A subcommand gets its parsed options and returns the exit code: 0 done,
 * 1 it failed and said why, 2 wrong usage.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "doc/doc.h"

struct cli {
	struct arena *a;
	const char *self;	/* the path of this program */
	const char *instance, *run_dir, *state_dir, *listen, *account,
	    *access_key, *secret_key, *region, *env_file, *edge_port, *edge_https_port, *id,
	    *name;
	bool ephemeral, foreground, follow, json, purge, help;
	const char *const *words; /* what is no option */
	size_t n_words;
};

int cli_main(int argc, char **argv);

/* For people, on standard error, led by the program's name.  Returns 1. */
int cli_fail(const char *fmt, ...) PRINTF(1, 2);
void cli_say(const char *fmt, ...) PRINTF(1, 2);

int cli_up(struct cli *c);
int cli_down(struct cli *c);
int cli_env(struct cli *c);
int cli_status(struct cli *c);
int cli_logs(struct cli *c);
int cli_doctor(struct cli *c);
int cli_dump(struct cli *c);
int cli_ca(struct cli *c);
int cli_import(struct cli *c);

/* A program of ours: beside this one (a build tree) or in
 * ../libexec/neargate; NULL when it is in neither. */
const char *cli_program(struct cli *c, const char *name);
/* Where one of Debian's programs is; NULL when it is not installed. */
const char *cli_find(const char *const *paths);
extern const char *const cli_runtimes[], *const cli_haproxies[],
    *const cli_nfts[];
