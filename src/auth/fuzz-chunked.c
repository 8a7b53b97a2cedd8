/* Fuzzes the aws-chunked decoder: the first byte chooses form and step. */
#include "auth/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
sink(void *ctx, struct span piece)
{
	uint64_t *total = ctx;

	*total += piece.n;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct span payloads[] = {
	    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 34},
	    {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", 42},
	    {"STREAMING-UNSIGNED-PAYLOAD-TRAILER", 34},
	};
	uint64_t total = 0;
	struct sigv4 sig = {.scope = SPAN("20130524/r/s3/aws4_request"),
	    .amz_date = SPAN("20130524T000000Z"), .signature = SPAN("00")};
	struct chunked_config config = {.sig = &sig, .secret = SPAN("x"),
	    .decoded_length = -1, .sink = sink, .ctx = &total};
	struct span in = span_make((const char *)data, size);
	struct chunked *c;
	size_t step;

	if (size < 1)
		return 0;
	sig.payload = payloads[data[0] % 3];
	if (data[0] & 0x40)
		config.trailer = SPAN("x-amz-checksum-crc64nvme");
	step = (size_t)(data[0] >> 2 & 15) + 1;
	in = span_from(in, 1);
	c = chunked_new(&config);
	while (in.n) {
		chunked_feed(c, span_to(in, step));
		in = span_from(in, step);
	}
	chunked_end(c);
	AN(total <= size);
	chunked_free(c);
	return 0;
}
