/* Reading a tree of jansson as Envoy fills it: what is missing is a default. */
#ifndef ENVOY_JSON_H
#define ENVOY_JSON_H

#include <jansson.h>

#include "err.h"
#include "mem.h"

/* New; an object, or NULL with ERR_DATA. */
json_t *doc_load(const char *text, size_t n, struct err *err);
/* The list under a key (borrowed; NULL for {}: nothing to say). ERR_DATA when
 * it isn't a list, or other keys are there in its place. */
int doc_list(json_t *doc, const char *key, json_t **list, struct err *err);
/* "a.b.c" (borrowed), or NULL. */
json_t *doc_at(json_t *v, const char *path);
/* Copied text; NULL when it isn't there or no string. */
const char *doc_text(struct arena *a, json_t *v, const char *path);

#endif
