/* The module: what a fleet of Envoys is doing, and the lists above it. */
#include "mesh.h"

const struct module mesh_module = {
	.name = "mesh",
	.help = "the service mesh: services, proxies, routes, certificates",
	.kinds = (const struct kind *const[]){ &proxy_kind, &listener_kind,
	    &route_kind, &cluster_kind, &endpoint_kind, &cert_kind, NULL },
	.sources = (const struct source *const[]){ &envoy_source, NULL },
	.views = (const struct view *const[]){ &services_view, &proxies_view,
	    &listeners_view, &routes_view, &clusters_view, &endpoints_view,
	    &certs_view, NULL },
	.rules = mesh_rules,
	.commands = (const struct command *const[]){ &log_level_command,
	    NULL },
	.home = "services",
	.home_columns = "service,rps,success,p99,healthy,hosts,spark",
	.lab = &mesh_lab,
};
