/* What the config's views:, rules: and keys: became: literals like all others,
 * each beside its place in the file. Only registry*.c look inside; what the
 * check of their SQL needs is registry_each_user() (registry.h). */
#ifndef REGISTRY_USER_H
#define REGISTRY_USER_H

#include "mem.h"
#include "registry.h"

struct registry_user {
	struct arena	 arena;
	struct user_view {
		const struct module	*module;
		struct view		 view;
		const struct node	*node;
	} *views;
	size_t		 nviews;
	struct user_rule {
		const struct module	*module;
		struct rule		 rule;
		const struct node	*node;
	} *rules;
	size_t		 nrules;
	struct user_bind {
		const struct view	*view;	/* NULL: everywhere */
		struct bind		 bind;
	} *binds;
	size_t		 nbinds;
};

/* Key names as in --play: one character, or <Name> whose case is free. */
bool key_same(const char *a, const char *b);

#endif
