/* The table of subcommands, the table of options, and help made from both. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "cli/cli.h"

enum { UP = 1, DOWN = 2, ENV = 4, STATUS = 8, LOGS = 16, DUMP = 32,
	DOCTOR = 64, VERSION = 128, HELP = 256, CA = 512, IMPORT = 1024 };
#define ALL (UP | DOWN | ENV | STATUS | LOGS | DUMP | DOCTOR | CA | IMPORT)

static int version(struct cli *c);
static int help(struct cli *c);

static const struct command {
	int bit;
	const char *name, *words;
	size_t max_words;
	bool root;
	int (*run)(struct cli *c);
	const char *what, *more;
} commands[] = {
	{UP, "up", "", 0, true, cli_up, "start on this host",
	    "Starts the warden and neargated in the background and returns "
	    "when the API\nanswers.  What ran before is taken over again.  "
	    "Running already: says so.\nMakes the system user neargate when "
	    "there is none.\n"},
	{DOWN, "down", "", 0, true, cli_down, "end everything",
	    "Ends the daemon and every container, proxy, network and mount of "
	    "the instance.\nWhat is stored stays, unless the instance was "
	    "started with --ephemeral.\n"},
	{ENV, "env", "", 0, true, cli_env, "print what AWS clients need",
	    "For eval \"$(neargate env)\": the endpoint, the root key and a "
	    "region.\n"},
	{STATUS, "status", "", 0, true, cli_status,
	    "say what runs, with URLs", ""},
	{LOGS, "logs", "[TASK|SERVICE]", 1, true, cli_logs,
	    "print the daemon's log, or a container's output",
	    "TASK is an id, its first 6 digits or more, or an ARN.  Output "
	    "that was handed to a\nlog group is there: see `aws logs tail`.\n"},
	{DUMP, "dump", "[KIND]", 1, true, cli_dump,
	    "print every resource as JSON lines",
	    "KIND may have wildcards: 'ec2.*'.  Secrets are left out.\n"},
	{CA, "ca", "", 0, true, cli_ca,
	    "print the certificate of the private CA",
	    "Certificates that ACM issues here are signed by it: put it into "
	    "the trust store of\nwhoever opens their names.  Made at first "
	    "use, kept for good.\n"},
	{IMPORT, "import", "hosted-zone", 1, true, cli_import,
	    "make a hosted zone with a given id",
	    "For applications that hard-code the id.  It is a public zone like "
	    "any other.  Refused\nif the id or the name is another zone's; "
	    "there already: nothing happens.\n"},
	{DOCTOR, "doctor", "", 0, false, cli_doctor,
	    "check this host and say what to do", ""},
	{VERSION, "version", "", 0, false, version, "print the version", ""},
	{HELP, "help", "[COMMAND]", 1, false, help, "print this", ""},
};

static const struct option_row {
	const char *name, *value; /* value NULL: a switch */
	size_t at;
	int of;
	const char *what;
} options[] = {
#define TEXT(m) offsetof(struct cli, m)
	{"--ephemeral", NULL, TEXT(ephemeral), UP,
	    "own state, port and name; gone after `neargate down`"},
	{"--foreground", NULL, TEXT(foreground), UP,
	    "stay; --ephemeral ends with this process"},
	{"--listen", "ADDRESS:PORT", TEXT(listen), UP,
	    "of the API; 127.0.0.1:4566"},
	{"--edge-port", "PORT", TEXT(edge_port), UP,
	    "where port 80 of load balancers is served; 80, or auto"},
	{"--edge-https-port", "PORT", TEXT(edge_https_port), UP,
	    "the same of 443; auto where --edge-port is not 80"},
	{"--account", "ID", TEXT(account), UP,
	    "12 digits; chosen at first start"},
	{"--root-access-key", "KEY", TEXT(access_key), UP,
	    "instead of a chosen one"},
	{"--root-secret-key", "SECRET", TEXT(secret_key), UP,
	    "also NEARGATE_ROOT_SECRET_KEY, which ps does not show"},
	{"--env-file", "FILE", TEXT(env_file), UP,
	    "write the export lines there, too"},
	{"--purge", NULL, TEXT(purge), DOWN, "remove what is stored, too"},
	{"--region", "REGION", TEXT(region), UP | ENV, "us-east-1"},
	{"--follow", NULL, TEXT(follow), LOGS, "go on as more comes; also -f"},
	{"--id", "ID", TEXT(id), IMPORT, "of the hosted zone: Z0123456789ABC"},
	{"--name", "NAME", TEXT(name), IMPORT,
	    "of the hosted zone: example.com"},
	{"--json", NULL, TEXT(json), STATUS, "for programs"},
	{"--instance", "NAME", TEXT(instance), ALL,
	    "which one; NEARGATE_INSTANCE or ng0"},
	{"--state-dir", "DIR", TEXT(state_dir), UP | DOWN | DOCTOR,
	    "/var/lib/neargate"},
	{"--run-dir", "DIR", TEXT(run_dir), ALL, "/run/neargate"},
	{"--help", NULL, TEXT(help), ~0, "print this"},
#undef TEXT
};

static void
say(const char *fmt, va_list ap)
{
	_cleanup_(buf_done) struct buf b = BUF_INIT;

	buf_add_str(&b, "neargate: ");
	buf_vaddf(&b, fmt, ap);
	buf_add_char(&b, '\n');
	/* There is nobody to tell when standard error is gone. */
	(void)!write(STDERR_FILENO, b.p, b.n);
}

int
cli_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return 1;
}

void
cli_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

/* --- programs ----------------------------------------------------------- */

const char *const cli_runtimes[] = {"/usr/bin/crun", "/usr/local/bin/crun",
	"/usr/sbin/runc", "/usr/bin/runc", NULL};
const char *const cli_haproxies[] = {"/usr/sbin/haproxy",
	"/usr/local/sbin/haproxy", NULL};
const char *const cli_nfts[] = {"/usr/sbin/nft", NULL};

const char *
cli_find(const char *const *paths)
{
	for (; *paths; paths++)
		if (access(*paths, X_OK) == 0)
			return *paths;
	return NULL;
}

const char *
cli_program(struct cli *c, const char *name)
{
	static const char *const places[] = {"", "/../libexec/neargate"};
	struct span self = span_of(c->self);
	ptrdiff_t slash = span_rchr(self, '/');

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *path = arena_fmt(c->a, "%.*s%s/%s",
		    SPAN_ARG(span_to(self, (size_t)MAX(slash, 0))), places[i],
		    name);

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

static const char *
own_path(struct arena *a)
{
	char *path = arena_alloc(a, PATH_MAX);

	if (readlink("/proc/self/exe", path, PATH_MAX - 1) < 0)
		WRONG("/proc/self/exe");
	return path;
}

/* --- help --------------------------------------------------------------- */

static int
version(struct cli *c UNUSED)
{
	printf("neargate %s\n", neargate_version);
	return 0;
}

static void
help_all(FILE *f)
{
	fputs("usage: neargate COMMAND [OPTION ...]\n\n"
	    "An AWS ECS Fargate infrastructure on this machine.\n\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-8s %-15s %s\n", commands[i].name,
		    commands[i].words, commands[i].what);
	fputs("\n`neargate COMMAND --help` says more.  Everything AWS has a "
	    "verb for is done with the AWS CLI.\n", f);
}

static void
help_one(FILE *f, const struct command *cmd)
{
	fprintf(f, "usage: neargate %s [OPTION ...] %s\n\nTo %s.\n%s\n",
	    cmd->name, cmd->words, cmd->what, cmd->more);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].of & cmd->bit)
			fprintf(f, "  %-18s %-13s %s\n", options[i].name,
			    options[i].value ? options[i].value : "",
			    options[i].what);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static int
help(struct cli *c)
{
	const struct command *cmd = c->n_words ? find_command(c->words[0])
	    : NULL;

	if (c->n_words && !cmd)
		return cli_fail("there is no command %s", c->words[0]), 2;
	if (cmd)
		help_one(stdout, cmd);
	else
		help_all(stdout);
	return 0;
}

/* --- parsing ------------------------------------------------------------ */

/* "--name value" and "--name=value"; the number of words taken, 0: unknown,
 * -1: wrong. */
static int
take_option(struct cli *c, const struct command *cmd, char **argv)
{
	const char *word = strcmp(argv[0], "-f") ? argv[0] : "--follow";
	const struct option_row *o;
	size_t n;

	if (!strcmp(word, "-h"))
		word = "--help";
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		o = &options[i];
		n = strlen(o->name);
		if (!(o->of & cmd->bit) || strncmp(word, o->name, n) ||
		    (word[n] && word[n] != '='))
			continue;
		if (!o->value && !word[n]) {
			*(bool *)((char *)c + o->at) = true;
			return 1;
		}
		if (!o->value || (!word[n] && !argv[1]))
			return cli_fail("%s takes %s value", o->name,
			    o->value ? "a" : "no"), -1;
		*(const char **)((char *)c + o->at) = word[n] ? word + n + 1
		    : argv[1];
		return word[n] ? 1 : 2;
	}
	return 0;
}

static int
parse(struct cli *c, const struct command *cmd, char **argv)
{
	size_t n = 0;
	int took;

	while (argv[n])
		n++;
	const char **words = arena_array(c->a, const char *, n + 1);

	for (n = 0; *argv; argv += took) {
		took = take_option(c, cmd, argv);
		if (took < 0)
			return -1;
		if (took)
			continue;
		if (argv[0][0] == '-') {
			cli_fail("%s does not know %s", cmd->name, argv[0]);
			return -1;
		}
		words[n++] = *argv;
		took = 1;
	}
	c->words = words;
	c->n_words = n;
	if (n > cmd->max_words) {
		cli_fail("%s: what is %s?", cmd->name, words[cmd->max_words]);
		return -1;
	}
	return 0;
}

/* sudo forgets the environment; what matters of it goes along by name. */
static int
become_root(struct cli *c, int argc, char **argv)
{
	static const char *const sudos[] = {"/usr/bin/sudo",
	    "/usr/local/bin/sudo", NULL};
	const char **args = arena_array(c->a, const char *, (size_t)argc + 4);
	const char *sudo = cli_find(sudos);
	size_t n = 0;

	if (!sudo)
		return cli_fail("`neargate %s` needs root, and there is no "
		    "sudo here: run it as root", argv[1]);
	cli_say("needs root: running it by sudo");
	args[n++] = sudo;
	args[n++] = "--preserve-env=NEARGATE_INSTANCE,NEARGATE_ACCOUNT,"
	    "NEARGATE_ROOT_ACCESS_KEY,NEARGATE_ROOT_SECRET_KEY";
	args[n++] = c->self;
	for (int i = 1; i < argc; i++)
		args[n++] = argv[i];
	execv(sudo, (char *const *)args);
	return cli_fail("%s: %s", sudo, strerror(errno));
}

int
cli_main(int argc, char **argv)
{
	_cleanup_arena_ struct arena *a = arena_new();
	struct cli c = {.a = a, .self = own_path(a)};
	const struct command *cmd;

	/* Errors are told once, in our own words. */
	log_init("neargate", getenv("NEARGATE_DEBUG") ? LOG_LEVEL_DEBUG
	    : (enum log_level)0);
	if (argc < 2) {
		help_all(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		argv[1] = (char *)"help";
	if (!strcmp(argv[1], "--version"))
		argv[1] = (char *)"version";
	cmd = find_command(argv[1]);
	if (!cmd)
		return cli_fail("there is no command %s; see `neargate help`",
		    argv[1]), 2;
	if (parse(&c, cmd, argv + 2) < 0) {
		help_one(stderr, cmd);
		return 2;
	}
	if (c.help) {
		help_one(stdout, cmd);
		return 0;
	}
	if (cmd->root && geteuid() != 0)
		return become_root(&c, argc, argv);
	return cmd->run(&c);
}
