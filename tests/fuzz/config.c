/* A config of any bytes: parsed, held against the known keys, and its views,
 * rules and keys read into literals. What comes out must be one whole answer
 * or one sentence; never a crash, a leak, or a second. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_keys.h"
#include "registry.h"

static const struct kind fuzz_kind = {
	.name = "mesh_proxy", .help = "an Envoy", .object = "proxy",
	.fields = (const struct field[]){
		{.name = "proxy", .role = ROLE_KEY}, {0},
	},
};
static const struct view fuzz_view = {
	.name = "proxies", .help = "the Envoys", .sql = "SELECT 1",
	.kind = "mesh_proxy",
	.columns = (const struct column[]){{.name = "proxy"}, {0}},
};
static const struct module fuzz_module = {
	.name = "mesh", .help = "the mesh",
	.kinds = (const struct kind *const[]){&fuzz_kind, NULL},
	.views = (const struct view *const[]){&fuzz_view, NULL},
};
static const struct module *const modules[] = {&fuzz_module, NULL};

/* As config_load() does, less the folders. */
static void check(struct config *c, struct node *root)
{
	const struct node *contexts = node_get(root, "contexts");

	config_check(c, root);
	c->root = root;
	if (!contexts || contexts->type != NODE_MAP)
		return;
	for (struct node *n = contexts->first; n; n = n->next)
		config_check_context(c, "config.yaml", n, n->key);
}

static int look(void *arg, const struct module *m, const struct view *v)
{
	size_t n;

	(void)arg;
	free(view_sql_name(m, v));
	free(view_columns(v, &n));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct config c = {.path = "/etc/config.yaml"};
	struct registry r = {.modules = modules};
	const struct node *root;
	struct err err = {0};

	if (yaml_parse(&c.arena, (const char *)data, n, &root, &err)) {
		if (strpbrk(err.text, "\r\n") || err.code != ERR_USAGE)
			abort();
	} else if (root && root->type == NODE_MAP) {
		check(&c, (struct node *)root);
		registry_add_user(&r, &c);
		registry_each_view(&r, look, NULL);
	}
	for (size_t i = 0; i < c.ncomplaints; i++)
		if (strpbrk(c.complaints[i].text, "\r\n\033") ||
		    strpbrk(c.complaints[i].remedy, "\r\n\033"))
			abort();
	registry_release(&r);
	free(c.complaints);
	arena_free(&c.arena);
	return 0;
}
