/* Literals for the tests of registry and line: a core and a mesh, small, with
 * one of each thing that the grammar tells apart. */
#ifndef SHOP_H
#define SHOP_H

#include "registry.h"

static const struct kind shop_finding = {
	.name = "finding", .help = "what a rule found", .object = "object",
	.fields = (const struct field[]){
		{.name = "rule", .role = ROLE_KEY, .help = "id"},
		{.name = "object", .role = ROLE_KEY, .help = "what"},
		{0},
	},
};
static const struct view shop_findings = {
	.name = "findings", .help = "what is wrong", .kind = "finding",
	.sql = "SELECT * FROM finding",
	.columns = (const struct column[]){
		{.name = "rule"}, {.name = "object"}, {.name = "text"}, {0},
	},
	.flags = VIEW_NO_STATUS,
};
static const struct view shop_changed = {
	.name = "changed", .help = "what changed", .sql = "SELECT 1",
	.columns = (const struct column[]){
		{.name = "t", .type = TYPE_TIME},
		{.name = "kind"}, {.name = "key", .type = TYPE_OBJECT}, {0},
	},
	.flags = VIEW_SINCE | VIEW_NO_STATUS,
};
static const struct view shop_journal = {
	.name = "journal", .help = "what was done", .sql = "SELECT 1",
	.columns = (const struct column[]){
		{.name = "id", .type = TYPE_NUMBER}, {.name = "command"}, {0},
	},
	.key = (const char *const[]){"id", NULL},
	.flags = VIEW_SINCE | VIEW_NO_STATUS,
};
static const struct view shop_tasks = {
	.name = "tasks", .help = "what runs", .sql = "SELECT 1",
	.columns = (const struct column[]){
		{.name = "id", .type = TYPE_NUMBER}, {0},
	},
	.key = (const char *const[]){"id", NULL},
	.flags = VIEW_NO_PAST | VIEW_NO_STATUS,
};
static const struct command shop_findings_list = {
	.name = "findings", .help = "what is wrong, also what is muted",
	.flags_own = (const struct flag[]){
		{"--muted", NULL, "also those"}, {0},
	},
	.flags = COMMAND_ROWS | COMMAND_AT,
};
static const struct command shop_mute = {
	.name = "findings mute", .args = "RULE [OBJECT]", .help = "quiet it",
	.flags_own = (const struct flag[]){
		{"--for", "DUR", "how long"},
		{"--because", "TEXT", "why"}, {0},
	},
	.flags = COMMAND_OWN,
};
static const struct command shop_context_list = {
	.name = "context list", .help = "all platforms",
	.columns = (const struct column[]){{.name = "name"}, {0}},
	.flags = COMMAND_ROWS,
};
static const struct command shop_context_use = {
	.name = "context use", .args = "NAME", .help = "from now on",
	.flags = COMMAND_OWN,
};
static const struct command shop_sql = {
	.name = "sql", .args = "SELECT|-", .help = "ask",
	.flags = COMMAND_ROWS | COMMAND_AT,
};
static const struct command shop_quit = {
	.name = "quit", .help = "leave", .flags = COMMAND_SCREEN,
};

static const struct kind shop_proxy = {
	.name = "mesh_proxy", .help = "an Envoy", .object = "proxy",
	.fields = (const struct field[]){
		{.name = "proxy", .role = ROLE_KEY, .help = "its name"},
		{.name = "version", .role = ROLE_FACT, .help = "of Envoy"},
		{0},
	},
};
static const struct kind shop_endpoint = {
	.name = "mesh_endpoint", .help = "a host", .object = "cluster",
	.fields = (const struct field[]){
		{.name = "proxy", .role = ROLE_KEY, .help = "who sends"},
		{.name = "cluster", .role = ROLE_KEY, .help = "to which"},
		{.name = "address", .role = ROLE_KEY, .help = "where"},
		{.name = "weight", .role = ROLE_METRIC, .help = "share"},
		{0},
	},
};
static const struct view shop_proxies = {
	.name = "proxies", .help = "the Envoys of this platform",
	.kind = "mesh_proxy", .sql = "SELECT * FROM mesh_proxy",
	.columns = (const struct column[]){
		{.name = "proxy", .help = "its name"},
		{.name = "version", .help = "of Envoy"}, {0},
	},
	.keys = (const struct bind[]){
		{"<Enter>", "mesh endpoints --where \"proxy = {proxy}\"",
		    "endpoints"},
		{"l", "mesh log-level {proxy} ", "log level"}, {0},
	},
};
static const struct view shop_endpoints = {
	.name = "endpoints", .help = "hosts", .kind = "mesh_endpoint",
	.sql = "SELECT * FROM mesh_endpoint",
	.columns = (const struct column[]){
		{.name = "proxy"}, {.name = "cluster"}, {.name = "address"},
		{.name = "weight", .type = TYPE_NUMBER}, {0},
	},
};
static const struct view shop_services = {
	.name = "services", .help = "who is called", .kind = "mesh_service",
	.sql = "SELECT 1",
	.key = (const char *const[]){"service", NULL},
	.every_of = "mesh_endpoint",
	.columns = (const struct column[]){
		{.name = "service"},
		{.name = "p99", .title = "p99 ms", .type = TYPE_LATENCY,
		    .unit = "ms", .help = "slowest of a hundred"}, {0},
	},
};
static const struct rule shop_rule = {
	.id = "mesh.no_healthy_host", .kind = "mesh_service",
	.severity = SEVERITY_BAD, .sql = "SELECT 1", .reason = "none",
};
static const struct source shop_source = {
	.name = "envoy",
	.kinds = (const char *const[]){"mesh_proxy", "mesh_endpoint", NULL},
};
static const struct command shop_log_level = {
	.name = "log-level", .args = "PROXY [LOGGER] LEVEL",
	.help = "how much a proxy tells", .flags = COMMAND_WRITES,
};
static const struct command shop_pick = {
	.name = "pick", .args = "NAME…", .help = "choose",
	.flags_own = (const struct flag[]){
		{"--where", "EXPR", "of its own"},
		{"-r", NULL, "all below"}, {0},
	},
};

static const struct module shop_core = {
	.name = "", .help = "the ground",
	.kinds = (const struct kind *const[]){&shop_finding, NULL},
	.views = (const struct view *const[]){&shop_findings, &shop_changed,
	    &shop_journal, &shop_tasks, NULL},
	.commands = (const struct command *const[]){&shop_findings_list,
	    &shop_mute, &shop_context_list, &shop_context_use, &shop_sql,
	    &shop_quit, NULL},
};
static const struct module shop_mesh = {
	.name = "mesh", .help = "services and the proxies between them",
	.kinds = (const struct kind *const[]){&shop_proxy, &shop_endpoint,
	    NULL},
	.sources = (const struct source *const[]){&shop_source, NULL},
	.views = (const struct view *const[]){&shop_services, &shop_proxies,
	    &shop_endpoints, NULL},
	.rules = (const struct rule *const[]){&shop_rule, NULL},
	.commands = (const struct command *const[]){&shop_log_level,
	    &shop_pick, NULL},
};
static const struct module *const shop_modules[] = {
	&shop_core, &shop_mesh, NULL,
};

#endif
