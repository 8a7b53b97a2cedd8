/* neargated: the unprivileged daemon.  Wires the parts and runs the loop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "api/api.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/reset.h"
#include "drv/warden.h"
#include "http/client.h"
#include "registry/registry.h"
#include "store/files.h"
#include "svc/acm/ca.h"
#include "svc/iam/keyring.h"
#include "svc/route53/zone.h"
#include "svc/s3/s3.h"
#include "svc/services.h"

struct options {
	const char *state_dir;
	const char *run_dir;
	const char *listen; /* address:port */
	const char *port_file;
	const char *admin; /* socket for the CLI */
	const char *edge_http_port, *edge_https_port;
	const char *metric_period;
	const char *instance;
	int warden_fd; /* -1: none; fake drivers */
	bool ephemeral;
	struct root_key root;
};

struct daemon {
	struct options opt;
	struct arena *arena;
	uv_loop_t loop;
	uv_prepare_t turn;
	uv_timer_t soon;
	uv_idle_t sweep; /* of files that no object has */
	uv_signal_t term;
	uv_signal_t intr;
	struct store *store;
	struct files *files; /* what s3 keeps */
	struct api *api;
	struct keyring *keyring;
	struct span origin; /* "http://127.0.0.1:4566" */
	struct http_server *http;
	struct registry *registry;
	struct layer_engine *layers;
	struct http_client *client;
	struct warden *warden;
	struct ctl_env env;
	struct ctl *ctl;
	struct ctl_reset *reset; /* while one is under way */
	struct admin *admin;
	struct admin_part parts[3];
	struct admin_verb verbs[2];
	struct span account;
};

static const struct option longopts[] = {
	{"state-dir", required_argument, NULL, 's'},
	{"run-dir", required_argument, NULL, 'r'},
	{"listen", required_argument, NULL, 'l'},
	{"port-file", required_argument, NULL, 'p'},
	{"admin", required_argument, NULL, 'A'},
	{"edge-http-port", required_argument, NULL, 'E'},
	{"edge-https-port", required_argument, NULL, 'S'},
	{"metric-period", required_argument, NULL, 'M'},
	{"instance", required_argument, NULL, 'i'},
	{"warden-fd", required_argument, NULL, 'w'},
	{"no-warden", no_argument, NULL, 'W'},
	{"ephemeral", no_argument, NULL, 'e'},
	{"account", required_argument, NULL, 'a'},
	{"root-access-key", required_argument, NULL, 'k'},
	{"root-secret-key", required_argument, NULL, 'K'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void
usage(FILE *f)
{
	fputs("usage: neargated --state-dir DIR [--run-dir DIR]\n"
	    "	[--listen ADDRESS:PORT] [--port-file FILE] [--ephemeral]\n"
	    "	[--admin SOCKET] [--edge-http-port N|auto]\n"
	    "	[--edge-https-port N|auto]\n"
	    "	[--metric-period SECONDS]\n"
	    "	[--instance NAME] [--warden-fd N | --no-warden]\n"
	    "	[--account ID] [--root-access-key KEY]"
	    " [--root-secret-key SECRET]\n"
	    "The last three are also read from NEARGATE_ACCOUNT,\n"
	    "NEARGATE_ROOT_ACCESS_KEY and NEARGATE_ROOT_SECRET_KEY.\n", f);
}

static int
descriptor(const char *text)
{
	uint64_t n;

	if (!span_u64(span_of(text), &n) || n > 1024) {
		usage(stderr);
		exit(2);
	}
	return (int)n;
}

static const char *
period(const char *text)
{
	uint64_t n;

	if (!span_u64(span_of(text), &n) || n == 0 || n > 3600) {
		usage(stderr);
		exit(2);
	}
	return text;
}

static void
set_option(struct options *o, int c)
{
	switch (c) {
	case 's':
		o->state_dir = optarg;
		break;
	case 'r':
		o->run_dir = optarg;
		break;
	case 'l':
		o->listen = optarg;
		break;
	case 'p':
		o->port_file = optarg;
		break;
	case 'A':
		o->admin = optarg;
		break;
	case 'E':
		o->edge_http_port = optarg;
		break;
	case 'S':
		o->edge_https_port = optarg;
		break;
	case 'M':
		o->metric_period = period(optarg);
		break;
	case 'i':
		o->instance = optarg;
		break;
	case 'w':
		o->warden_fd = descriptor(optarg);
		break;
	case 'W':
		o->warden_fd = -1;
		break;
	case 'e':
		o->ephemeral = true;
		break;
	case 'a':
		o->root.account = span_of(optarg);
		break;
	case 'k':
		o->root.access_key = span_of(optarg);
		break;
	case 'K':
		o->root.secret_key = span_of(optarg);
		break;
	case 'h':
		usage(stdout);
		exit(0);
	default:
		usage(stderr);
		exit(2);
	}
}

static bool
account_ok(struct span s)
{
	uint64_t v;

	return s.n == 0 || (s.n == 12 && span_u64(s, &v));
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	int c;

	o->instance = "ng0";
	o->warden_fd = -1;
	o->listen = "127.0.0.1:4566";
	o->root.account = span_of(getenv("NEARGATE_ACCOUNT"));
	o->root.access_key = span_of(getenv("NEARGATE_ROOT_ACCESS_KEY"));
	o->root.secret_key = span_of(getenv("NEARGATE_ROOT_SECRET_KEY"));
	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1)
		set_option(o, c);
	if (!o->state_dir || optind != argc || !account_ok(o->root.account)) {
		usage(stderr);
		exit(2);
	}
}

static void
on_soon(uv_timer_t *h UNUSED)
{
}

/* One turn of the loop is one transaction.  A commit makes controllers write,
 * and the flush may meet a request: what they began must not wait until the
 * loop wakes up for another reason. */
static void
on_turn(uv_prepare_t *h)
{
	struct daemon *d = h->data;

	store_commit(d->store);
	http_server_flush(d->http);
	store_rest(d->store);
	if (store_owes(d->store))
		AZ(uv_timer_start(&d->soon, on_soon, 0, 0));
}

/* A slice of the sweep per turn, until all files were looked at. */
static void
on_sweep(uv_idle_t *h)
{
	struct daemon *d = h->data;
	bool more = false;

	if (s3_sweep(d->store, d->files, &more) < 0)
		log_warn("what no object has stays on disk: %s, ignoring",
		    err_last());
	if (!more)
		uv_idle_stop(h);
}

static void
on_signal(uv_signal_t *h, int sig)
{
	struct daemon *d = h->data;

	log_info("signal %d: stopping", sig);
	uv_stop(&d->loop);
}

static int
listen_http(struct daemon *d)
{
	struct span port = span_of(d->opt.listen);
	ptrdiff_t colon = span_rchr(port, ':');
	uint64_t n;
	int r;

	if (colon < 0 || !span_u64(span_from(port, (size_t)colon + 1), &n) ||
	    n > UINT16_MAX)
		return err_origin(EINVAL, "--listen %s: not ADDRESS:PORT",
		    d->opt.listen);
	r = http_server_new(&d->loop,
	    arena_str(d->arena, span_to(port, (size_t)colon)), (uint16_t)n,
	    api_handler(d->api), &d->http);
	if (r < 0)
		return err_trace(r);
	d->origin = arena_fmt_span(d->arena, "http://%.*s:%u",
	    SPAN_ARG(span_to(port, (size_t)colon)),
	    http_server_port(d->http));
	api_set_origin(d->api, d->origin);
	return 0;
}

/* Readers see a whole file or none. */
static int
write_port(struct daemon *d)
{
	char *tmp;
	FILE *f;

	if (!d->opt.port_file)
		return 0;
	tmp = arena_fmt(d->arena, "%s.new", d->opt.port_file);
	if (!(f = fopen(tmp, "we")))
		return err_origin(errno, "open %s", tmp);
	fprintf(f, "%u\n", http_server_port(d->http));
	if (fclose(f) != 0 || rename(tmp, d->opt.port_file) != 0)
		return err_origin(errno, "write %s", d->opt.port_file);
	return 0;
}

/* The warden is gone: the next one starts the next of us. */
static void
on_warden_lost(void *ctx)
{
	struct daemon *d = ctx;

	log_warn("the warden is gone: stopping");
	uv_stop(&d->loop);
}

/* Public addresses are given out of the pool that the warden holds for us. */
static void
on_pool(void *ctx, int err, struct span why)
{
	struct daemon *d = ctx;

	if (err == 0)
		err = store_set_setting(d->store, "public_pool", why);
	if (err)
		log_error("the pool of public addresses is not known: %.*s",
		    SPAN_ARG(why));
}

static int
start_drivers(struct daemon *d)
{
	struct ctl_env *e = &d->env;
	int r;

	if (d->opt.warden_fd < 0) {
		e->runtime = runtime_fake_new(&d->loop);
		e->net = net_fake_new(&d->loop);
		e->lb = lb_fake_new(&d->loop);
		lb_fake_all_up(e->lb);
		e->images = images_fake_new(&d->loop);
		return 0;
	}
	if ((r = warden_new(&d->loop, d->opt.warden_fd, &d->warden)) < 0)
		return err_trace(r);
	warden_on_lost(d->warden, on_warden_lost, d);
	e->warden = d->warden;
	e->runtime = runtime_embedded_new(&d->loop, d->warden,
	    d->opt.run_dir, span_of(d->opt.instance));
	e->net = net_warden_new(d->warden);
	e->net->ops->pool(e->net, on_pool, d);
	e->lb = lb_warden_new(&d->loop, d->warden, d->opt.run_dir);
	d->layers = layers_warden_new(d->warden, d->store);
	return 0;
}

static int
start_controllers(struct daemon *d)
{
	struct ctl_env *e = &d->env;

	e->loop = &d->loop;
	e->store = d->store;
	e->api = d->api;
	e->run_dir = d->opt.run_dir;
	e->state_dir = d->opt.state_dir;
	e->instance = span_of(d->opt.instance);
	return err_trace(ctl_new(e, controllers, &d->ctl));
}

static int
start_registry(struct daemon *d)
{
	struct registry_config c = {.loop = &d->loop, .store = d->store,
	    .state_dir = d->opt.state_dir, .layers = d->layers};
	int r = registry_new(&c, &d->registry);

	if (r < 0)
		return err_trace(r);
	http_server_route(d->http, "/v2", registry_handler(d->registry));
	if (d->env.images)
		return 0;
	d->client = http_client_new(&d->loop);
	d->env.images = images_new(&(struct images_config){
	    .loop = &d->loop, .registry = d->registry, .store = d->store,
	    .client = d->client, .state_dir = d->opt.state_dir,
	    .own_port = http_server_port(d->http)});
	return 0;
}

static void
dump_registry(void *ctx, struct buf *b)
{
	registry_dump(ctx, b);
}

static void
dump_ctl(void *ctx, struct buf *b)
{
	ctl_dump(ctx, b);
}

static void
dump_http(void *ctx, struct buf *b)
{
	buf_addf(b, "%zu requests wait for their answer",
	    http_server_waiting(ctx));
}

static int
verb_ca(void *ctx, struct arena *a, struct span query UNUSED, struct buf *b)
{
	struct daemon *d = ctx;
	struct ca ca;
	int r = ca_load(d->store, a, &ca);

	if (r == 0)
		buf_add_span(b, ca.certificate);
	return err_trace(r);
}

/* "ID NAME"; a blank in a name would be written as \040. */
static int
verb_import_zone(void *ctx, struct arena *a, struct span query, struct buf *b)
{
	struct daemon *d = ctx;
	size_t blank = (size_t)MAX(span_rchr(query, ' '), 0);
	struct span why;
	int r = zone_import(d->store, a, d->account, span_to(query, blank),
	    span_from(query, blank + 1), &why);

	if (r != ZONE_E_REFUSED)
		return err_trace(r);
	buf_add_span(b, why);
	return ADMIN_E_REFUSED;
}

static int
start_admin(struct daemon *d, const struct root_key *root)
{
	struct admin_config c = {.loop = &d->loop, .store = d->store,
	    .socket = d->opt.admin, .instance = span_of(d->opt.instance),
	    .endpoint = d->origin, .account = root->account,
	    .state_dir = d->opt.state_dir, .run_dir = d->opt.run_dir,
	    .ephemeral = d->opt.ephemeral, .parts = d->parts,
	    .n_parts = ARRAY_SIZE(d->parts), .verbs = d->verbs,
	    .n_verbs = ARRAY_SIZE(d->verbs)};

	if (!d->opt.admin)
		return 0;
	d->account = root->account;
	d->verbs[0] = (struct admin_verb){"GET", "/ca",
	    "application/x-pem-file", verb_ca, d};
	d->verbs[1] = (struct admin_verb){"POST", "/hosted-zone",
	    "text/plain", verb_import_zone, d};
	d->parts[0] = (struct admin_part){"registry", dump_registry,
	    d->registry};
	d->parts[1] = (struct admin_part){"controllers", dump_ctl, d->ctl};
	d->parts[2] = (struct admin_part){"http", dump_http, d->http};
	return err_trace(admin_new(&c, &d->admin));
}

/* "auto" is for the first start: the edge keeps the port that it found. */
static int
set_edge(struct daemon *d, const char *key, const char *port)
{
	struct span v = span_of(port), had;
	int r = store_setting(d->store, d->arena, key, &had);

	if (r < 0 || !v.n || (r == 0 && span_is(v, "auto")))
		return err_trace(MIN(r, 0));
	return err_trace(store_set_setting(d->store, key, v));
}

static int
set_period(struct daemon *d)
{
	struct span v = span_of(d->opt.metric_period);

	return v.n ? err_trace(store_set_setting(d->store, "metric_period",
	    v)) : 0;
}

/* Nothing runs any more. */
static void
on_ended(void *ctx)
{
	struct daemon *d = ctx;

	d->reset = NULL;
	registry_reset(d->registry);
	if (files_clear(d->files) < 0)
		log_error("reset: objects stay on disk: %s, ignoring",
		    err_last());
	keyring_forget(d->keyring);
	api_reset(d->api);
	if (ctl_start(d->ctl) < 0)
		log_error("reset: the controllers do not start: %s, ignoring",
		    err_last());
}

static void
on_reset(void *ctx)
{
	struct daemon *d = ctx;

	ctl_stop(d->ctl);
	d->reset = ctl_reset_new(&d->env, on_ended, d);
}

static int
start(struct daemon *d)
{
	struct api_config c = {.services = services,
	    .credential = keyring_find, .credential_used = keyring_used,
	    .ephemeral = d->opt.ephemeral, .on_reset = on_reset,
	    .on_reset_ctx = d};
	int r;

	r = store_open(d->opt.state_dir, services_kinds(d->arena, NULL),
	    &d->store);
	if (r < 0)
		return err_trace(r);
	if ((r = root_load(d->store, d->arena, &d->opt.root, d->opt.state_dir,
	    &c.root)) < 0)
		return err_trace(r);
	if ((r = files_open(d->opt.state_dir, "s3", &d->files)) < 0)
		return err_trace(r);
	c.store = d->store;
	c.credential_ctx = d->keyring = keyring_new(d->store);
	c.loop = &d->loop;
	c.files = d->files;
	d->api = api_new(&c);
	if ((r = listen_http(d)) < 0 || (r = set_edge(d, "edge_http_port",
	    d->opt.edge_http_port)) < 0 || (r = set_edge(d, "edge_https_port",
	    d->opt.edge_https_port)) < 0 ||
	    (r = set_period(d)) < 0 ||
	    (r = start_drivers(d)) < 0 || (r = start_registry(d)) < 0 ||
	    (r = start_controllers(d)) < 0 ||
	    (r = start_admin(d, &c.root)) < 0)
		return err_trace(r);
	d->turn.data = d->sweep.data = d->term.data = d->intr.data = d;
	AZ(uv_timer_init(&d->loop, &d->soon));
	AZ(uv_idle_init(&d->loop, &d->sweep));
	AZ(uv_idle_start(&d->sweep, on_sweep));
	AZ(uv_prepare_init(&d->loop, &d->turn));
	AZ(uv_prepare_start(&d->turn, on_turn));
	AZ(uv_signal_init(&d->loop, &d->term));
	AZ(uv_signal_start(&d->term, on_signal, SIGTERM));
	AZ(uv_signal_init(&d->loop, &d->intr));
	AZ(uv_signal_start(&d->intr, on_signal, SIGINT));
	return err_trace(write_port(d));
}

static void
stop(struct daemon *d)
{
	if (d->turn.data) {
		uv_close((uv_handle_t *)&d->turn, NULL);
		uv_close((uv_handle_t *)&d->soon, NULL);
		uv_close((uv_handle_t *)&d->sweep, NULL);
		uv_close((uv_handle_t *)&d->term, NULL);
		uv_close((uv_handle_t *)&d->intr, NULL);
	}
	if (d->store)
		store_commit(d->store);
	admin_free(d->admin);
	http_server_free(d->http);
	if (d->api)
		api_drain(d->api);
	ctl_reset_cancel(d->reset);
	ctl_free(d->ctl);
	if (d->env.images)
		d->env.images->ops->free(d->env.images);
	if (d->client)
		http_client_free(d->client);
	registry_free(d->registry);
	layers_warden_free(d->layers);
	if (d->env.runtime)
		d->env.runtime->ops->free(d->env.runtime);
	if (d->env.net)
		d->env.net->ops->free(d->env.net);
	if (d->env.lb)
		d->env.lb->ops->free(d->env.lb);
	warden_free(d->warden);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	api_free(d->api);
	files_free(d->files);
	store_close(d->store);
	/* The last commit's feed is told, too. */
	keyring_free(d->keyring);
	AZ(uv_loop_close(&d->loop));
	arena_free(d->arena);
}

int
main(int argc, char **argv)
{
	const char *level = getenv("NEARGATE_LOG");
	struct daemon d = {0};
	int r;

	log_init("neargated", level && strcmp(level, "debug") == 0 ?
	    LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	parse_options(&d.opt, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	umask(0077);
	d.arena = arena_new();
	AZ(uv_loop_init(&d.loop));
	r = start(&d);
	if (r == 0) {
		log_info("ready on %s, port %u", d.opt.listen,
		    http_server_port(d.http));
		uv_run(&d.loop, UV_RUN_DEFAULT);
	}
	stop(&d);
	return r == 0 ? 0 : 1;
}
