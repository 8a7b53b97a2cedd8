/*
 * ensure(): from a reference to an image that can be mounted.
 *
 *	1. whose registry is it?  Ours: look it up.  Another: pull it first.
 *	2. an index: take the manifest for the platform.
 *	3. read the configuration, check the platform.
 *	4. wait for every layer.
 */
#include "drv/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "drv/image/internal.h"
#include "drv/image/user.h"
#include "registry/layer.h"
#include "registry/registry.h"

#define ENSURE_MAGIC 0x454e5355
#define PREFIX "CannotPullContainerError: "

struct ensure {
	unsigned magic;
	struct list node;  /* in ensures */
	struct list ready; /* in done */
	struct real_images *im;
	struct arena *a;
	struct span text;  /* the reference, as given */
	struct ref ref;
	struct span arch;
	struct repo_key key;
	struct image img;
	size_t waiting;	   /* layers that are being unpacked */
	bool settled;
	int err;
	struct span why;
	image_cb cb;
	void *ctx;
};

static void
settle(struct ensure *e)
{
	CHECK_OBJ(e, ENSURE_MAGIC);
	if (e->settled)
		return;
	e->settled = true;
	list_add(&e->im->done, &e->ready);
	uv_async_send(&e->im->wake);
}

static void fail(struct ensure *e, int err, const char *fmt, ...)
    PRINTF(3, 4);

static void
fail(struct ensure *e, int err, const char *fmt, ...)
{
	va_list ap;

	if (e->settled)
		return;
	va_start(ap, fmt);
	e->why = arena_fmt_span(e->a, PREFIX "%s",
	    arena_vfmt(e->a, fmt, ap));
	va_end(ap);
	e->err = err < 0 ? err : -EIO;
	settle(e);
}

static void
fail_not_found(struct ensure *e)
{
	fail(e, -ENOENT, "pull image manifest has been retried 1 time(s): "
	    "failed to resolve ref %.*s: %.*s: not found", SPAN_ARG(e->text),
	    SPAN_ARG(e->text));
}

static void
fail_platform(struct ensure *e)
{
	fail(e, -ENOEXEC, "pull image manifest has been retried 1 time(s): "
	    "image Manifest does not contain descriptor matching platform "
	    "'linux/%.*s'", SPAN_ARG(e->arch));
}

static void
ensure_free(struct ensure *e)
{
	CHECK_OBJ(e, ENSURE_MAGIC);
	list_del(&e->node);
	list_del(&e->ready);
	if (e->waiting)
		layer_cancel(e->im->config.registry, e);
	arena_free(e->a);
	FREE_OBJ(e);
}

static void
on_wake(uv_async_t *h)
{
	struct real_images *im;

	CAST_OBJ(im, h->data, IMAGES_MAGIC);
	while (!list_empty(&im->done)) {
		struct ensure *e = list_entry(im->done.next, struct ensure,
		    ready);

		list_del(&e->ready);
		e->cb(e->ctx, e->err, e->why, e->err ? NULL : &e->img);
		ensure_free(e);
	}
}

/* 4. Layers */

static void
on_layer(void *ctx, int err, struct span why)
{
	struct ensure *e;

	CAST_OBJ(e, ctx, ENSURE_MAGIC);
	e->waiting--;
	if (err)
		fail(e, err, "failed to register layer: %.*s", SPAN_ARG(why));
	else if (e->waiting == 0)
		settle(e);
}

/* A layer may come several times, as the empty one of many builders does;
 * overlayfs takes none twice.  The topmost decides: it hides what it hid
 * further down, and brings again what it brought there. */
static void
stack_layers(struct ensure *e, const struct manifest *m)
{
	struct span *v = arena_array(e->a, struct span, m->n_layers + 1);
	size_t n = 0, j;

	for (size_t i = 0; i < m->n_layers; i++) {
		for (j = i + 1; j < m->n_layers; j++)
			if (span_eq(m->layers[i].digest, m->layers[j].digest))
				break;
		if (j == m->n_layers)
			v[n++] = arena_span(e->a, m->layers[i].digest);
	}
	e->img.layers = v;
	e->img.n_layers = n;
}

static void
want_layers(struct ensure *e, const struct manifest *m,
    const struct image_config *c)
{
	int r;

	if (c->n_diff_ids != m->n_layers) {
		fail(e, -EBADMSG, "ref pull has been retried 1 time(s): number "
		    "of layers and diffIDs don't match: %zu != %zu",
		    m->n_layers, c->n_diff_ids);
		return;
	}
	for (size_t i = 0; i < m->n_layers && !e->settled; i++) {
		r = layer_ensure(e->im->config.registry, m->layers[i].digest,
		    c->diff_ids[i], m->layers[i].media_type, on_layer, e);
		if (r == LAYER_WAIT)
			e->waiting++;
		else if (r == LAYER_E_BAD)
			fail(e, -EBADMSG, "failed to register layer: wrong diff "
			    "id of layer %.*s", SPAN_ARG(m->layers[i].digest));
		else if (r)
			fail(e, r, "failed to register layer: %s", err_last());
	}
	stack_layers(e, m);
	if (e->waiting == 0)
		settle(e);
}

/* 3. Configuration */

static void
copy_strings(struct ensure *e, const struct doc *arr,
    const struct span **ret, size_t *ret_n)
{
	struct span *v = arena_array(e->a, struct span, doc_len(arr) + 1);
	size_t n = 0;

	doc_each(s, arr)
		v[n++] = doc_span(s);
	*ret = v;
	*ret_n = n;
}

static void
fill(struct ensure *e, const struct manifest *m, const struct image_config *c)
{
	struct image *i = &e->img;

	copy_strings(e, doc_get(c->run, "Entrypoint"), &i->entrypoint,
	    &i->n_entrypoint);
	copy_strings(e, doc_get(c->run, "Cmd"), &i->cmd, &i->n_cmd);
	copy_strings(e, doc_get(c->run, "Env"), &i->env, &i->n_env);
	i->user = doc_get_str(c->run, "User");
	i->cwd = doc_get_str(c->run, "WorkingDir");
	i->stop_signal = doc_get_str(c->run, "StopSignal");
	i->healthcheck = doc_get(c->run, "Healthcheck");
	i->size = m->size;
}

static void
read_config(struct ensure *e, const struct manifest *m)
{
	const struct blobs *blobs = registry_blobs(e->im->config.registry);
	struct image_config c;
	struct span bytes;
	int r;

	if (!manifest_is_image(m)) {
		fail(e, -EBADMSG, "failed to unpack image: %.*s is not a "
		    "container image (its configuration is %.*s)",
		    SPAN_ARG(e->text), SPAN_ARG(m->config.media_type));
		return;
	}
	r = blob_read(blobs, e->a, m->config.digest, CONFIG_MAX, &bytes);
	if (r || !image_config_parse(e->a, bytes, &c)) {
		fail(e, -EBADMSG, "the configuration of %.*s cannot be read",
		    SPAN_ARG(e->text));
		return;
	}
	if (!span_is(c.os, "linux") || !span_eq(c.arch, e->arch)) {
		fail_platform(e);
		return;
	}
	fill(e, m, &c);
	want_layers(e, m, &c);
}

/* 2. Manifest */

static bool
load(struct ensure *e, struct span ref, struct res **ret, struct manifest *m)
{
	const char *why;
	int r = repo_image(&e->key, e->a, ref, ret);

	if (r > 0)
		fail_not_found(e);
	else if (r)
		fail(e, r, "%s", err_last());
	else if (manifest_parse(e->a, doc_get_str((*ret)->spec, "manifest"),
	    doc_get_str((*ret)->spec, "mediaType"), m, &why))
		fail(e, -EBADMSG, "%s", why);
	else if ((r = repo_note_pull(&e->key, e->a, *ret)) != 0)
		fail(e, r, "%s", err_last());
	else
		return true;
	return false;
}

static void
resolve(struct ensure *e, struct span ref)
{
	struct res *image;
	struct manifest m;
	struct span child = SPAN_NULL;

	if (!load(e, ref, &image, &m))
		return;
	e->img.pinned = image->id;
	if (m.index) {
		child = manifest_for(&m, e->arch);
		if (!child.n) {
			fail_platform(e);
			return;
		}
		if (!load(e, child, &image, &m))
			return;
		if (m.index) {
			fail(e, -EBADMSG, "an index lists an index");
			return;
		}
	}
	e->img.digest = image->id;
	read_config(e, &m);
}

/* 1. Whose */

struct repo_key
upstream_key(struct real_images *im, struct arena *a, const struct ref *ref)
{
	struct scope scope = {SPAN(UPSTREAM), SPAN_NULL};

	return (struct repo_key){im->config.store, scope,
	    arena_fmt_span(a, "%.*s/%.*s", SPAN_ARG(ref->host),
		SPAN_ARG(ref->repo))};
}

static bool
is_own(struct ensure *e, struct scope *scope)
{
	struct span account, region, port;
	ptrdiff_t colon = span_rchr(e->ref.host, ':');
	uint64_t n;

	if (ref_ecr_host(e->ref.host, &account, &region)) {
		*scope = (struct scope){account, region};
		return true;
	}
	port = span_from(e->ref.host, (size_t)(colon + 1));
	return colon > 0 && ref_loopback(e->ref.host) && span_u64(port, &n) &&
	    n == e->im->config.own_port;
}

static void
on_pulled(void *ctx, int err, struct span why, struct span digest)
{
	struct ensure *e;

	CAST_OBJ(e, ctx, ENSURE_MAGIC);
	if (err == -ENOENT)
		fail_not_found(e);
	else if (err)
		fail(e, err, "%.*s", SPAN_ARG(why));
	else
		resolve(e, arena_span(e->a, digest));
}

/* What a digest names never changes: what is here need not be asked for. */
static bool
is_here(struct ensure *e)
{
	struct res *image;
	struct manifest m;
	struct span child;
	const char *why;

	if (!e->ref.digest.n ||
	    repo_image(&e->key, e->a, e->ref.digest, &image) ||
	    manifest_parse(e->a, doc_get_str(image->spec, "manifest"),
		doc_get_str(image->spec, "mediaType"), &m, &why))
		return false;
	if (!m.index)
		return true;
	child = manifest_for(&m, e->arch);
	return child.n && repo_image(&e->key, e->a, child, &image) == 0;
}

static void
start(struct ensure *e, struct scope scope)
{
	struct scope own = scope;

	if (!ref_parse(e->a, e->text, &e->ref)) {
		fail(e, -EINVAL, "invalid reference format: %.*s",
		    SPAN_ARG(e->text));
	} else if (is_own(e, &own)) {
		/* Another account's images need its policy's word: later. */
		if (!span_eq(own.account, scope.account)) {
			fail(e, -EACCES, "pull access denied for %.*s: the "
			    "registry with id '%.*s' is not yours",
			    SPAN_ARG(e->text), SPAN_ARG(own.account));
			return;
		}
		e->key = (struct repo_key){e->im->config.store, own,
		    e->ref.repo};
		resolve(e, e->ref.digest.n ? e->ref.digest : e->ref.tag);
	} else if (!e->im->puller) {
		fail(e, -ENOTSUP, "images of other registries cannot be pulled "
		    "here: %.*s", SPAN_ARG(e->text));
	} else {
		e->key = upstream_key(e->im, e->a, &e->ref);
		if (is_here(e))
			resolve(e, e->ref.digest);
		else
			pull_start(e->im->puller, &e->ref, e->arch, on_pulled,
			    e);
	}
}

static void
real_ensure(struct images *pub, struct span account, struct span region,
    struct span ref, struct span arch, image_cb cb, void *ctx)
{
	struct real_images *im = container_of(pub, struct real_images, pub);
	struct ensure *e;
	struct scope scope;

	CHECK_OBJ(im, IMAGES_MAGIC);
	ALLOC_OBJ(e, ENSURE_MAGIC);
	e->im = im;
	e->a = arena_new();
	e->text = arena_span(e->a, ref);
	e->arch = arena_span(e->a, arch);
	e->cb = cb;
	e->ctx = ctx;
	list_init(&e->ready);
	list_add(&im->ensures, &e->node);
	scope = (struct scope){arena_span(e->a, account),
	    arena_span(e->a, region)};
	start(e, scope);
}

/* Users */

static int
real_user(struct images *pub, const struct image *img, struct span user,
    struct arena *a, uint32_t *ret_uid, uint32_t *ret_gid,
    uint32_t **ret_groups, size_t *ret_n)
{
	struct real_images *im = container_of(pub, struct real_images, pub);
	_cleanup_free_ char *path = NULL;

	CHECK_OBJ(im, IMAGES_MAGIC);
	if (im->layers_fd < 0) {
		path = xasprintf("%s/layers", im->state_dir);
		im->layers_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (im->layers_fd < 0)
		return err_origin(errno, "there are no unpacked layers");
	return image_user(im->layers_fd, img, user, a, ret_uid, ret_gid,
	    ret_groups, ret_n);
}

static void
on_closed(uv_handle_t *h)
{
	struct real_images *im;

	CAST_OBJ(im, h->data, IMAGES_MAGIC);
	FREE_OBJ(im);
}

static void
real_free(struct images *pub)
{
	struct real_images *im = container_of(pub, struct real_images, pub);

	CHECK_OBJ(im, IMAGES_MAGIC);
	list_each_safe(n, &im->ensures) {
		struct ensure *e = list_entry(n, struct ensure, node);

		fail(e, -ECANCELED, "shutting down");
	}
	on_wake(&im->wake);
	puller_free(im->puller);
	close_p(&im->layers_fd);
	free(im->state_dir);
	uv_close((uv_handle_t *)&im->wake, on_closed);
}

static const struct image_ops ops = {real_ensure, real_user, real_free};

struct images *
images_new(const struct images_config *c)
{
	struct real_images *im;

	ALLOC_OBJ(im, IMAGES_MAGIC);
	im->pub.ops = &ops;
	im->config = *c;
	im->state_dir = xstrdup(c->state_dir);
	im->config.state_dir = im->state_dir;
	im->layers_fd = -1;
	list_init(&im->ensures);
	list_init(&im->done);
	AZ(uv_async_init(c->loop, &im->wake, on_wake));
	im->wake.data = im;
	im->puller = c->client ? puller_new(im) : NULL;
	return &im->pub;
}
