/* The check of a config's tree against the keys that are known; between
 * config.c and config_keys.c only. */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config.h"

/* Checks all but the contexts, and takes what is wrong out of the tree: what
 * reads it later finds the entry absent. */
void config_check(struct config *c, struct node *root);
/* Checks one context's block. Takes nothing out; -1 when it complained. file
 * is where the block stands. */
int config_check_context(struct config *c, const char *file,
    struct node *block, const char *name);
/* config_complain() by place. */
void config_complain_at(struct config *c, const char *file, int line,
    int column, const char *severity, const char *context, const char *text,
    const char *remedy);

#endif
