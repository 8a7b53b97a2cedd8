/* The document readers: JSON, CBOR, XML and forms.  The first byte picks one;
 * JSON and CBOR that were read are written as JSON and read again. */
#include "doc/cbor.h"
#include "doc/doc.h"
#include "doc/form.h"
#include "doc/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
again(struct arena *a, const struct doc *d)
{
	struct doc *twice;
	struct span text = doc_json(a, d);

	if (doc_parse_json(a, text, &twice) == 0)
		AN(doc_len(twice) == doc_len(d) || doc_type(d) == DOC_STR ||
		    doc_type(d) == DOC_OBJ);
	AN(doc_eq(d, doc_copy(a, d)) || doc_type(d) == DOC_REAL ||
	    doc_type(d) == DOC_ARR || doc_type(d) == DOC_OBJ);
}

static void
walk(const struct xml_node *n, int depth)
{
	AN(depth <= XML_MAX_DEPTH);
	for (; n; n = n->next)
		walk(n->first, depth + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	_cleanup_arena_ struct arena *a = arena_new();
	_cleanup_free_ char *copy = xmalloc(n ? n : 1);
	struct form_node root = {0};
	struct xml_node *x;
	struct doc *d;
	struct span s;

	if (n < 1)
		return 0;
	memcpy(copy, p + 1, n - 1);
	s = span_make(copy, n - 1);
	switch (p[0] & 3) {
	case 0:
		if (doc_parse_json(a, s, &d) == 0)
			again(a, d);
		break;
	case 1:
		if (doc_parse_cbor(a, s, &d) == 0)
			again(a, d);
		break;
	case 2:
		if (xml_parse(a, s, &x) == 0)
			walk(x, 0);
		break;
	case 3:
		form_tree(a, s, &root);
		break;
	}
	return 0;
}
