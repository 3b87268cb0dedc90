/* YAML to a tree of nodes that know their place; the only file that knows
 * libyaml. It takes the part of YAML that a config needs: one document, maps
 * with text keys, lists, scalars. What lets a small file grow large or mean
 * two things (aliases, merge keys through them, tags, a key given twice) is
 * refused by name. */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "config.h"

#define DEPTH_MAX 64

/* Maps and lists that are still open; the innermost is the last. */
struct level {
	struct node	*node, *last;	/* its last child */
	const char	*key;		/* read, its value is to come */
	int		 line, column;	/* of that key */
	size_t		 n;		/* children */
};
struct building {
	struct arena	*arena;
	struct node	*root;
	struct level	 open[DEPTH_MAX];
	int		 depth;
	bool		 done;		/* the first document ended */
};

static int refuse(struct err *err, int line, int column, const char *why)
{
	return err_set(err, ERR_USAGE, "%d:%d: %s", line, column, why);
}

static int refuse_at(struct err *err, yaml_mark_t at, const char *why)
{
	return refuse(err, (int)at.line + 1, (int)at.column + 1, why);
}

/* libyaml counts only bytes where the text isn't UTF-8. */
static int bad_bytes(const char *text, size_t n, size_t offset,
    const char *problem, struct err *err)
{
	int line = 1, column = 1;

	for (size_t i = 0; i < n && i < offset; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	return refuse(err, line, column, problem);
}

static int bad_yaml(const yaml_parser_t *p, const char *text, size_t n,
    struct err *err)
{
	const char *problem = p->problem ? p->problem : "this is not YAML";

	if (p->error == YAML_MEMORY_ERROR)
		die("out of memory");
	if (p->error == YAML_READER_ERROR)
		return bad_bytes(text, n, p->problem_offset, problem, err);
	if (strstr(problem, "cannot start any token"))
		problem = "a character that can't stand here (a tab in place "
			  "of blanks?)";
	return refuse_at(err, p->problem_mark, problem);
}

/* Hangs a new node below the open one, or makes it the root. */
static struct node *add(struct building *b, enum node_type type,
    const yaml_event_t *e)
{
	struct node *n = arena_alloc(b->arena, sizeof(*n));
	struct level *up = b->depth ? &b->open[b->depth - 1] : NULL;

	n->type = type;
	n->line = (int)e->start_mark.line + 1;
	n->column = (int)e->start_mark.column + 1;
	if (!up) {
		b->root = n;
		return n;
	}
	if (up->node->type == NODE_MAP) {
		n->key = up->key;
		n->key_line = up->line;
		n->key_column = up->column;
		up->key = NULL;
	}
	if (up->last)
		up->last->next = n;
	else
		up->node->first = n;
	up->last = n;
	up->n++;
	return n;
}

static bool is_text_tag(const yaml_char_t *tag)
{
	return !tag || !strcmp((const char *)tag, YAML_STR_TAG) ||
	    !strcmp((const char *)tag, "!");
}

static int on_scalar(struct building *b, const yaml_event_t *e, struct err *err)
{
	const char *s = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;
	struct level *up = b->depth ? &b->open[b->depth - 1] : NULL;
	struct node *node;

	if (!is_text_tag(e->data.scalar.tag))
		return refuse_at(err, e->start_mark,
		    "tags (!…) are not taken here: write the value plainly");
	if (memchr(s, 0, n))
		return refuse_at(err, e->start_mark,
		    "a text with a NUL in it is not taken");
	if (up && up->node->type == NODE_MAP && !up->key) {
		up->key = arena_strndup(b->arena, s, n);
		up->line = (int)e->start_mark.line + 1;
		up->column = (int)e->start_mark.column + 1;
		return 0;
	}
	node = add(b, NODE_SCALAR, e);
	node->text = arena_strndup(b->arena, s, n);
	node->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
	    e->data.scalar.tag;
	return 0;
}

static int on_open(struct building *b, enum node_type type,
    const yaml_event_t *e, struct err *err)
{
	const struct level *up = b->depth ? &b->open[b->depth - 1] : NULL;
	const yaml_char_t *tag = type == NODE_MAP ? e->data.mapping_start.tag
						  : e->data.sequence_start.tag;

	if (tag)
		return refuse_at(err, e->start_mark,
		    "tags (!…) are not taken here: write the value plainly");
	if (up && up->node->type == NODE_MAP && !up->key)
		return refuse_at(err, e->start_mark,
		    "a list or map can't be a key");
	if (b->depth == DEPTH_MAX)
		return refuse_at(err, e->start_mark,
		    "nested deeper than 64 levels");
	b->open[b->depth] = (struct level){.node = add(b, type, e)};
	b->depth++;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(const struct node *const *)a;
	const struct node *y = *(const struct node *const *)b;
	int c = strcmp(x->key, y->key);

	if (c)
		return c;
	return x->key_line != y->key_line ? x->key_line - y->key_line
					  : x->key_column - y->key_column;
}

/* YAML leaves open which of two equal keys holds; so neither does. */
static int on_map_end(const struct level *l, struct err *err)
{
	const struct node **all, *twice = NULL;
	size_t n = 0;

	if (l->n < 2)
		return 0;
	all = xcalloc(l->n, sizeof(*all));
	for (const struct node *c = l->node->first; c; c = c->next)
		all[n++] = c;
	qsort(all, n, sizeof(*all), by_key);
	for (size_t i = 1; i < n && !twice; i++)
		if (!strcmp(all[i - 1]->key, all[i]->key))
			twice = all[i];
	free(all);
	return twice ? refuse(err, twice->key_line, twice->key_column,
	    "this key was given before in the same map") : 0;
}

static int on_event(struct building *b, const yaml_event_t *e, struct err *err)
{
	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return refuse_at(err, e->start_mark,
		    "aliases (*name) are not taken: write the value again");
	case YAML_DOCUMENT_START_EVENT:
		if (b->done)
			return refuse_at(err, e->start_mark,
			    "a second document (---): one is taken");
		return 0;
	case YAML_DOCUMENT_END_EVENT:
		b->done = true;
		return 0;
	case YAML_SCALAR_EVENT:
		return on_scalar(b, e, err);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(b, NODE_LIST, e, err);
	case YAML_MAPPING_START_EVENT:
		return on_open(b, NODE_MAP, e, err);
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return on_map_end(&b->open[b->depth], err);
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

int yaml_parse(struct arena *a, const char *text, size_t n,
    const struct node **root, struct err *err)
{
	struct building b = {.arena = a};
	yaml_parser_t parser;
	yaml_event_t e;
	bool end = false;
	int rc = 0;

	*root = NULL;
	if (!yaml_parser_initialize(&parser))
		die("out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	while (!rc && !end) {
		if (!yaml_parser_parse(&parser, &e)) {
			rc = bad_yaml(&parser, text, n, err);
			break;
		}
		end = e.type == YAML_STREAM_END_EVENT;
		rc = on_event(&b, &e, err);
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&parser);
	if (!rc)
		*root = b.root;
	return rc;
}
