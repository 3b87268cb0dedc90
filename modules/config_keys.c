/* Every key that a config may have, as one table, and the walk that holds a
 * tree against it. Keys of modules that aren't there yet are known too, so
 * that a config needs no edit when they come; what is not in the table is a
 * slip of the finger, and the nearest key is named. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config_keys.h"
#include "text.h"
#include "value.h"

enum key_flag {
	TEXT	= 1 << 0,
	BOOL	= 1 << 1,
	NUMBER	= 1 << 2,
	DUR	= 1 << 3,
	SIZE	= 1 << 4,
	SECRET	= 1 << 5,	/* a text; mostly env:, file: or cmd: */
	COLOUR	= 1 << 6,
	LIST	= 1 << 7,
	MAP	= 1 << 8,
	NEEDED	= 1 << 9,	/* the map above is of no use without it */
	ENTRY	= 1 << 10,	/* a mistake inside skips all of it */
};
/* .* is a name that the user chose, [] an item of a list. */
static const struct key {
	const char	*path;
	unsigned	 flags;		/* enum key_flag */
	const char	*words;		/* the only ones taken */
} keys[] = {
	{"context", TEXT, NULL},
	{"contexts", MAP, NULL},
	{"contexts.*", MAP, NULL},
	{"contexts.*.write", BOOL, NULL},

	{"contexts.*.aws", MAP, NULL},
	{"contexts.*.aws.region", TEXT, NULL},
	{"contexts.*.aws.profile", TEXT, NULL},
	{"contexts.*.aws.endpoint", TEXT, NULL},
	{"contexts.*.aws.endpoints", MAP, NULL},
	{"contexts.*.aws.endpoints.*", TEXT, NULL},

	{"contexts.*.mesh", MAP, NULL},
	{"contexts.*.mesh.every", DUR, NULL},
	{"contexts.*.mesh.envoys", LIST, NULL},
	{"contexts.*.mesh.envoys[]", TEXT | MAP, NULL},
	{"contexts.*.mesh.envoys[].name", TEXT, NULL},
	{"contexts.*.mesh.envoys[].url", TEXT | NEEDED, NULL},
	{"contexts.*.mesh.envoys[].ca", TEXT, NULL},
	{"contexts.*.mesh.envoys[].cert", TEXT, NULL},
	{"contexts.*.mesh.envoys[].key", SECRET, NULL},
	{"contexts.*.mesh.envoys[].headers", MAP, NULL},
	{"contexts.*.mesh.envoys[].headers.*", SECRET, NULL},

	{"contexts.*.lake", MAP, NULL},
	{"contexts.*.lake.budget", NUMBER, NULL},
	{"contexts.*.lake.stores", MAP, NULL},
	{"contexts.*.lake.stores.*", MAP, NULL},
	{"contexts.*.lake.stores.*.type", TEXT | NEEDED, "s3 directory"},
	{"contexts.*.lake.stores.*.path", TEXT, NULL},
	{"contexts.*.lake.stores.*.endpoint", TEXT, NULL},
	{"contexts.*.lake.stores.*.path_style", BOOL, NULL},
	{"contexts.*.lake.stores.*.region", TEXT, NULL},
	{"contexts.*.lake.stores.*.profile", TEXT, NULL},
	{"contexts.*.lake.stores.*.access_key", SECRET, NULL},
	{"contexts.*.lake.stores.*.secret_key", SECRET, NULL},
	{"contexts.*.lake.stores.*.session_token", SECRET, NULL},
	{"contexts.*.lake.stores.*.requester_pays", BOOL, NULL},
	{"contexts.*.lake.stores.*.checksum", TEXT, "crc32 crc64nvme none"},
	{"contexts.*.lake.stores.*.part_size", SIZE, NULL},
	{"contexts.*.lake.stores.*.connections", NUMBER, NULL},
	{"contexts.*.lake.stores.*.price", MAP, NULL},
	{"contexts.*.lake.stores.*.price.get_1000", NUMBER, NULL},
	{"contexts.*.lake.stores.*.price.list_1000", NUMBER, NULL},
	{"contexts.*.lake.stores.*.price.gb_out", NUMBER, NULL},
	{"contexts.*.lake.engines", MAP, NULL},
	{"contexts.*.lake.engines.*", MAP, NULL},
	{"contexts.*.lake.engines.*.type", TEXT | NEEDED,
	    "duckdb trino postgresql"},
	{"contexts.*.lake.engines.*.url", TEXT, NULL},
	{"contexts.*.lake.engines.*.user", TEXT, NULL},
	{"contexts.*.lake.engines.*.catalog", TEXT, NULL},
	{"contexts.*.lake.engines.*.schema", TEXT, NULL},
	{"contexts.*.lake.engines.*.dsn", SECRET, NULL},
	{"contexts.*.lake.engines.*.password", SECRET, NULL},
	{"contexts.*.lake.engines.*.price", MAP, NULL},
	{"contexts.*.lake.engines.*.price.per_tb", NUMBER, NULL},
	{"contexts.*.lake.engines.*.price.minimum", SIZE, NULL},
	{"contexts.*.lake.engines.*.price.currency", TEXT, NULL},

	{"contexts.*.engage", MAP, NULL},
	{"contexts.*.engage.from", TEXT, NULL},
	{"contexts.*.engage.reply_to", TEXT, NULL},
	{"contexts.*.engage.headers", MAP, NULL},
	{"contexts.*.engage.headers.*", TEXT, NULL},
	{"contexts.*.engage.unsubscribe", TEXT, NULL},
	{"contexts.*.engage.verp", TEXT, NULL},
	{"contexts.*.engage.link_key", SECRET, NULL},
	{"contexts.*.engage.dns", TEXT, NULL},
	{"contexts.*.engage.dkim", LIST, NULL},
	{"contexts.*.engage.dkim[]", MAP, NULL},
	{"contexts.*.engage.dkim[].domain", TEXT | NEEDED, NULL},
	{"contexts.*.engage.dkim[].selector", TEXT | NEEDED, NULL},
	{"contexts.*.engage.dkim[].key", SECRET | NEEDED, NULL},
	{"contexts.*.engage.bounces", LIST, NULL},
	{"contexts.*.engage.bounces[]", TEXT, NULL},
	{"contexts.*.engage.pause", MAP, NULL},
	{"contexts.*.engage.pause.hardbounce", NUMBER, NULL},
	{"contexts.*.engage.pause.complaint", NUMBER, NULL},
	{"contexts.*.engage.only", LIST, NULL},
	{"contexts.*.engage.only[]", TEXT, NULL},
	{"contexts.*.engage.channels", MAP, NULL},
	{"contexts.*.engage.channels.*", MAP, NULL},
	{"contexts.*.engage.channels.*.type", TEXT | NEEDED,
	    "smtp maildir webhook stdout"},
	{"contexts.*.engage.channels.*.url", TEXT, NULL},
	{"contexts.*.engage.channels.*.path", TEXT, NULL},
	{"contexts.*.engage.channels.*.tls", TEXT, "none starttls implicit"},
	{"contexts.*.engage.channels.*.user", TEXT, NULL},
	{"contexts.*.engage.channels.*.password", SECRET, NULL},
	{"contexts.*.engage.channels.*.secret", SECRET, NULL},
	{"contexts.*.engage.channels.*.headers", MAP, NULL},
	{"contexts.*.engage.channels.*.headers.*", SECRET, NULL},
	{"contexts.*.engage.channels.*.connections", NUMBER, NULL},
	{"contexts.*.engage.channels.*.window", NUMBER, NULL},
	{"contexts.*.engage.channels.*.messages_per_second", NUMBER, NULL},
	{"contexts.*.engage.channels.*.timeout", DUR, NULL},
	{"contexts.*.engage.channels.*.give_up", DUR, NULL},

	{"views", LIST, NULL},
	{"views[]", MAP | ENTRY, NULL},
	{"views[].module", TEXT | NEEDED, NULL},
	{"views[].name", TEXT | NEEDED, NULL},
	{"views[].help", TEXT, NULL},
	{"views[].sql", TEXT | NEEDED, NULL},
	{"views[].key", LIST, NULL},
	{"views[].key[]", TEXT, NULL},
	{"views[].every_of", TEXT, NULL},
	{"views[].columns", LIST | NEEDED, NULL},
	{"views[].columns[]", MAP, NULL},
	{"views[].columns[].name", TEXT | NEEDED, NULL},
	{"views[].columns[].title", TEXT, NULL},
	{"views[].columns[].type", TEXT, "text number bool time duration "
	    "latency size share list object"},
	{"views[].columns[].width", NUMBER, NULL},
	{"views[].columns[].wide", BOOL, NULL},
	{"views[].keys", MAP, NULL},
	{"views[].keys.*", TEXT, NULL},
	{"rules", LIST, NULL},
	{"rules[]", MAP | ENTRY, NULL},
	{"rules[].id", TEXT | NEEDED, NULL},
	{"rules[].kind", TEXT | NEEDED, NULL},
	{"rules[].severity", TEXT | NEEDED, "doubtful bad"},
	{"rules[].sql", TEXT | NEEDED, NULL},
	{"rules[].reason", TEXT | NEEDED, NULL},
	{"rules[].command", TEXT, NULL},
	{"keys", MAP, NULL},
	{"keys.*", MAP, NULL},
	{"keys.*.*", TEXT, NULL},

	{"theme", MAP, NULL},
	{"theme.bad", COLOUR, NULL},
	{"theme.doubtful", COLOUR, NULL},
	{"theme.old", COLOUR, NULL},
	{"theme.head", COLOUR, NULL},
	{"theme.selection", COLOUR, NULL},
	{"theme.accent", COLOUR, NULL},
	{"theme.ascii", BOOL, NULL},
	{"theme.ambiguous", NUMBER, "1 2"},
	{"theme.mouse", BOOL, NULL},
	{"cache", MAP, NULL},
	{"cache.keep", DUR, NULL},
	{"cache.max", SIZE, NULL},
	{"serve", MAP, NULL},
	{"serve.listen", TEXT, NULL},
};
#define NKEYS (sizeof(keys) / sizeof(*keys))

static const char colours[] = "default black red green yellow blue magenta "
    "cyan white bold dim underline reverse plain";

/* One walk. */
struct walk {
	struct config	*c;
	const char	*file, *context;	/* context NULL: outside of them */
	bool		 whole;		/* a mistake fails all above: nothing
					 * is taken out here */
};
/* Where it is: the table's way of saying it, and the file's. */
struct spot {
	const char	*pattern, *path;
};

static void complain(const struct walk *w, const struct node *n, bool at_key,
    const char *text, const char *remedy)
{
	int line = at_key && n->key_line ? n->key_line : n->line;
	int column = at_key && n->key_line ? n->key_column : n->column;

	config_complain_at(w->c, w->file, line, column, "bad", w->context,
	    text, remedy);
}

/* ---- the table ---------------------------------------------------------- */

/* The last part of a row that stands directly below pattern, else NULL. */
static const char *below(const struct key *k, const char *pattern)
{
	size_t n = strlen(pattern);
	const char *rest = k->path;

	if (n) {
		if (strncmp(rest, pattern, n) || rest[n] != '.')
			return NULL;
		rest += n + 1;
	}
	return strpbrk(rest, ".[") ? NULL : rest;
}

static const struct key *key_below(const char *pattern, const char *name)
{
	const struct key *any = NULL;

	for (size_t i = 0; i < NKEYS; i++) {
		const char *last = below(&keys[i], pattern);
		if (!last)
			continue;
		if (!strcmp(last, "*"))
			any = &keys[i];
		else if (!strcmp(last, name))
			return &keys[i];
	}
	return any;
}

static const struct key *key_at(const char *path)
{
	for (size_t i = 0; i < NKEYS; i++)
		if (!strcmp(keys[i].path, path))
			return &keys[i];
	return NULL;
}

/* "…; the nearest is X", or all that are known: into the arena. */
static const char *suggest(struct config *c, const char *word,
    const char *const *known, const char *what)
{
	const char *near = text_nearest(word, known);
	struct buf b = {0};
	const char *s;

	if (near)
		buf_addf(&b, "the nearest known %s is \"%s\"", what, near);
	else
		for (size_t i = 0; known[i]; i++)
			buf_addf(&b, "%s%s", i ? ", " : "known here: ",
			    known[i]);
	s = arena_strdup(&c->arena, buf_str(&b));
	buf_free(&b);
	return s;
}

static void unknown_key(const struct walk *w, const struct node *n,
    const struct spot *up)
{
	const char *known[NKEYS + 1];
	struct buf b = {0};
	size_t nknown = 0;

	for (size_t i = 0; i < NKEYS; i++)
		if ((known[nknown] = below(&keys[i], up->pattern)))
			nknown++;
	known[nknown] = NULL;
	buf_addf(&b, "unknown key %s", config_quote(w->c, n->key));
	if (*up->path)
		buf_addf(&b, " in %s", up->path);
	complain(w, n, true, buf_str(&b), suggest(w->c, n->key, known, "one"));
	buf_free(&b);
}

/* ---- scalars ------------------------------------------------------------ */

static bool is_number(const char *s)
{
	char *end;
	double d = strtod(s, &end);

	return end != s && !*end && isfinite(d);
}

/* Is s one of the words, which are parted by blanks? */
static bool is_word(const char *words, const char *s)
{
	size_t n = strlen(s);
	const char *p = words;

	if (!n || strchr(s, ' '))
		return false;
	while ((p = strstr(p, s))) {
		if ((p == words || p[-1] == ' ') && (p[n] == ' ' || !p[n]))
			return true;
		p += n;
	}
	return false;
}

/* "red", "bold red": every word of it. */
static bool is_colour(struct config *c, const char *s)
{
	char *copy = arena_strdup(&c->arena, s), *state, *word;
	bool any = false;

	for (word = strtok_r(copy, " ", &state); word;
	     word = strtok_r(NULL, " ", &state)) {
		if (!is_word(colours, word))
			return false;
		any = true;
	}
	return any;
}

static void not_one_of(const struct walk *w, const struct node *n,
    const char *path, const char *words)
{
	char *copy = arena_strdup(&w->c->arena, words), *state, *word;
	const char *known[24];
	size_t nknown = 0;
	char *text;

	for (word = strtok_r(copy, " ", &state); word && nknown < 23;
	     word = strtok_r(NULL, " ", &state))
		known[nknown++] = word;
	known[nknown] = NULL;
	text = xasprintf("%s: %s is not known here", path,
	    config_quote(w->c, n->text));
	complain(w, n, false, text, suggest(w->c, n->text, known, "word"));
	free(text);
}

/* What a scalar should have been; NULL when it is that. */
static const char *scalar_wants(const struct key *k, const struct node *n)
{
	int64_t v;

	if (k->flags & (TEXT | SECRET | COLOUR))
		return NULL;
	if ((k->flags & BOOL) && node_bool(n) < 0)
		return "true or false";
	if ((k->flags & NUMBER) && !is_number(n->text))
		return "a number";
	if ((k->flags & DUR) && value_duration(n->text, &v, NULL))
		return "a duration such as 500ms, 90s or 1h30m";
	if ((k->flags & SIZE) && value_size(n->text, &v, NULL))
		return "a size such as 256MB or 2GiB";
	return NULL;
}

static bool check_scalar(const struct walk *w, const struct node *n,
    const struct key *k, const char *path)
{
	const char *wants = node_is_null(n) ? "a value" : scalar_wants(k, n);
	const char *words = k->flags & COLOUR ? colours : k->words;
	char *text, *remedy;

	if (wants) {
		text = xasprintf("%s: %s is not %s", path,
		    config_quote(w->c, n->text), wants);
		remedy = xasprintf("write %s", wants);
		complain(w, n, false, text, remedy);
		free(text);
		free(remedy);
		return false;
	}
	if (k->flags & COLOUR ? is_colour(w->c, n->text)
			      : !words || is_word(words, n->text))
		return true;
	not_one_of(w, n, path, words);
	return false;
}

/* ---- the walk ----------------------------------------------------------- */

static bool check(const struct walk *w, struct node *n, const struct key *k,
    const struct spot *at);

static const char *shape_name(unsigned flags)
{
	if (flags & LIST)
		return "a list";
	if ((flags & MAP) && (flags & TEXT))
		return "a text or a map";
	if (flags & MAP)
		return "a map";
	return "one value";
}

static bool right_shape(const struct walk *w, const struct node *n,
    const struct key *k, const char *path)
{
	static const char *const is[] = {"one value", "a list", "a map"};
	unsigned scalars = ~(unsigned)(LIST | MAP | NEEDED | ENTRY);
	unsigned may[] = {scalars, LIST, MAP};
	char *text, *remedy;

	if (k->flags & may[n->type])
		return true;
	text = xasprintf("%s is %s where %s belongs", path, is[n->type],
	    shape_name(k->flags));
	remedy = xasprintf("write %s there", shape_name(k->flags));
	complain(w, n, false, text, remedy);
	free(text);
	free(remedy);
	return false;
}

/* A key as a part of a path: quoted only where it needs that. */
static const char *part(struct config *c, const char *key)
{
	size_t n = strspn(key, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && !key[n] && n <= 64 ? key : config_quote(c, key);
}

/* One child of a list or map; whether it may stay. */
static bool check_child(const struct walk *w, struct node *n,
    const struct spot *up, size_t i)
{
	const struct key *k;
	struct spot at;
	char *path, *pattern;
	bool ok;

	if (n->key) {
		k = key_below(up->pattern, n->key);
		if (!k) {
			unknown_key(w, n, up);
			return false;
		}
		if (node_is_null(n))
			return true;	/* as if it weren't there */
		path = xasprintf("%s%s%s", up->path, *up->path ? "." : "",
		    part(w->c, n->key));
	} else {
		pattern = xasprintf("%s[]", up->pattern);
		k = key_at(pattern);
		free(pattern);
		if (!k)
			BUG("no [] row below %s", up->pattern);
		path = xasprintf("%s[%zu]", up->path, i);
	}
	at = (struct spot){.pattern = k->path, .path = path};
	ok = check(w, n, k, &at);
	free(path);
	return ok;
}

/* A map lacks a key that it is of no use without. */
static bool check_needed(const struct walk *w, const struct node *n,
    const struct spot *at)
{
	bool ok = true;

	for (size_t i = 0; i < NKEYS; i++) {
		const char *last = below(&keys[i], at->pattern);
		char *text, *remedy;
		if (!last || !(keys[i].flags & NEEDED) || node_get(n, last))
			continue;
		text = xasprintf("%s has no \"%s\"", at->path, last);
		remedy = xasprintf("add %s:%s%s", last,
		    keys[i].words ? " one of " : "",
		    keys[i].words ? keys[i].words : "");
		complain(w, n, false, text, remedy);
		free(text);
		free(remedy);
		ok = false;
	}
	return ok;
}

static bool check(const struct walk *w, struct node *n, const struct key *k,
    const struct spot *at)
{
	struct walk inner = *w;
	bool ok = true;
	size_t i = 0;

	if (!right_shape(w, n, k, at->path))
		return false;
	if (n->type == NODE_SCALAR)
		return check_scalar(w, n, k, at->path);
	inner.whole = w->whole || (k->flags & ENTRY);
	for (struct node **p = &n->first, *child; (child = *p); i++) {
		bool stays = check_child(&inner, child, at, i);
		ok = ok && stays;
		if (stays || inner.whole)
			p = &child->next;
		else
			*p = child->next;
	}
	if (n->type == NODE_MAP && !check_needed(w, n, at))
		return false;
	return inner.whole ? ok : true;
}

void config_check(struct config *c, struct node *root)
{
	const struct walk w = {.c = c, .file = c->path};
	const struct spot top = {.pattern = "", .path = ""};

	for (struct node **p = &root->first, *child; (child = *p);) {
		if (!strcmp(child->key, "contexts") ||
		    check_child(&w, child, &top, 0))
			p = &child->next;
		else
			*p = child->next;
	}
}

int config_check_context(struct config *c, const char *file,
    struct node *block, const char *name)
{
	const struct walk w = {.c = c, .file = file, .context = name,
	    .whole = true};
	char *path = xasprintf("contexts.%s", name);
	const struct spot at = {.pattern = "contexts.*", .path = path};
	bool ok = check(&w, block, key_at("contexts.*"), &at);

	free(path);
	return ok ? 0 : -1;
}
