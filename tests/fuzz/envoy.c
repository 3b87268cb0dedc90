/* What Envoy answers, fuzzed: the first byte says which answer it is. All
 * parsers have to end, without a crash, a leak or more than a second. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../mesh/mesh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both at once: the names of one are matched by the other. A NUL parts them. */
static void fuzz_poll(char *s, size_t n)
{
	struct envoy_poll p = {0};
	struct err err;
	char *cut = memchr(s, '\0', n);
	size_t first = cut ? (size_t)(cut - s) : n;

	envoy_clusters(&p, s, first, &err);
	if (cut)
		envoy_stats(&p, cut + 1, n - first - 1, &err);
	envoy_poll_release(&p);
}

static void fuzz_config(int which, const char *s, size_t n)
{
	struct envoy_identity id = {0};
	struct envoy_types types = {0};
	struct envoy_listeners listeners = {0};
	struct envoy_routes routes = {0};
	struct envoy_certs certs = {0};
	struct err err;

	switch (which) {
	case 0:
		envoy_identity(&id, s, n, &err);
		break;
	case 1:
		envoy_types(&types, s, n, &err);
		envoy_types_sort(&types);
		envoy_types_find(&types, (struct span){ "a", 1 });
		break;
	case 2:
		envoy_listeners(&listeners, s, n, &err);
		envoy_listeners_dump(&listeners, s, n, &err);
		break;
	case 3:
		envoy_routes(&routes, s, n, &err);
		envoy_routes_number(&routes);
		break;
	default:
		envoy_certs(&certs, s, n, &err);
	}
	envoy_identity_release(&id);
	envoy_types_release(&types);
	envoy_listeners_release(&listeners);
	envoy_routes_release(&routes);
	envoy_certs_release(&certs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy;

	if (size < 1)
		return 0;
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	if (data[0] % 7 < 2)
		fuzz_poll(copy, size - 1);
	else
		fuzz_config(data[0] % 7 - 2, copy, size - 1);
	free(copy);
	return 0;
}
