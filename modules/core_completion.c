/* `completion`: scripts for three shells. None of them knows a word of kiban:
 * they ask `kiban completion words`, which knows all of them, so that what is
 * offered is what is there. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* bash breaks words at = and : too; kiban is given the line as it stands, and
 * of each word that comes back bash wants what follows its last break. */
static const char bash[] =
    "# kiban's completion for bash: eval \"$(kiban completion bash)\"\n"
    "_kiban() {\n"
    "\tlocal line=${COMP_LINE:0:COMP_POINT} cur word rest break open\n"
    "\tcur=${COMP_WORDS[COMP_CWORD]}\n"
    "\tcase $cur in \\\"*|\\'*) open=1 ;; esac\n"
    "\tCOMPREPLY=()\n"
    "\twhile IFS=$'\\t' read -r word rest; do\n"
    "\t\t[[ $word == *[=,] ]] && compopt -o nospace\n"
    "\t\tbreak=\n"
    "\t\t[[ $cur == [=:] || ${COMP_WORDS[COMP_CWORD-1]} == [=:] ]] &&\n"
    "\t\t\tbreak=${word%\"${word##*[=:]}\"}\n"
    "\t\tword=${word#\"$break\"}\n"
    "\t\t[[ $open || $word != *[!A-Za-z0-9_@%+=:,./-]* ]] ||\n"
    "\t\t\tprintf -v word %q \"$word\"\n"
    "\t\tCOMPREPLY+=(\"$word\")\n"
    "\tdone < <(\"$1\" completion words --line \"$line\" 2>/dev/null)\n"
    "}\n"
    "complete -F _kiban kiban\n";

static const char zsh[] =
    "#compdef kiban\n"
    "# kiban's completion for zsh: a file _kiban in $fpath, or\n"
    "# source <(kiban completion zsh)\n"
    "_kiban() {\n"
    "\tlocal word help\n"
    "\tlocal -a found shown\n"
    "\twhile IFS=$'\\t' read -r word help; do\n"
    "\t\tfound+=(\"$word\")\n"
    "\t\tshown+=(\"$word${help:+  -- $help}\")\n"
    "\tdone < <(\"${words[1]}\" completion words -- "
    "\"${(@Q)words[2,CURRENT]}\" 2>/dev/null)\n"
    "\tcompadd -l -d shown -a found\n"
    "}\n"
    "if [[ ${funcstack[1]} == _kiban ]]; then\n"
    "\t_kiban \"$@\"\n"
    "else\n"
    "\tcompdef _kiban kiban\n"
    "fi\n";

static const char fish[] =
    "# kiban's completion for fish: kiban completion fish | source\n"
    "function __kiban_words\n"
    "\tset -l words (commandline -opc) (commandline -ct)\n"
    "\tcommand kiban completion words -- $words[2..-1] 2>/dev/null\n"
    "end\n"
    "complete -c kiban -f -a '(__kiban_words)'\n";

/* ---- words ------------------------------------------------------------------------ */

/* A candidate a line, its help behind a tab. One that would break the line is
 * none. */
static void add_word(void *arg, const char *word, const char *help)
{
	struct buf *out = arg;

	for (const char *p = word; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return;
	buf_adds(out, word);
	if (help)
		buf_addf(out, "\t%s", help);
	buf_addc(out, '\n');
}

static int give_words(struct run *r, int argc, const char *const *argv,
    struct err *err)
{
	const struct session *s = r->session;
	struct buf out = {0};
	int rc = 0;

	line_complete(&s->registry, &s->config, r->cache, argc, argv, add_word,
	    &out);
	rc = run_text(r, buf_str(&out), err);
	buf_free(&out);
	return rc;
}

/* A line as it stands before the cursor: its last word may be open. */
static int split_open(struct arena *a, const char *text, const char ***argv,
    int *argc, struct err *err)
{
	static const char *const closings[] = {"", "'", "\"", "\\", NULL};
	size_t n = strlen(text);

	for (size_t i = 0; closings[i]; i++) {
		char *closed = xasprintf("%.*s%s", (int)(n -
		    (i == 3 && n ? 1 : 0)), text, i == 3 ? "" : closings[i]);
		int rc = line_split(a, closed, argv, argc, err);

		free(closed);
		if (rc == 0)
			return 0;
	}
	return -1;
}

static int give_line(struct run *r, const char *text, struct err *err)
{
	size_t n = strlen(text);
	const char **argv, **words;
	int argc;

	if (split_open(&r->line->arena, text, &argv, &argc, err) < 0)
		return -1;
	/* Behind a blank a new word begins. The first word is kiban. */
	words = arena_alloc(&r->line->arena,
	    ((size_t)argc + 2) * sizeof(*words));
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	if (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		words[argc++] = "";
	return argc < 2 ? run_text(r, "", err) :
	    give_words(r, argc - 1, words + 1, err);
}

static int completion_run(struct run *r, struct err *err)
{
	const struct line *l = r->line;
	const char *line = line_own(l, "--line");

	if (!strcmp(l->args[0], "words"))
		return line ? give_line(r, line, err) :
		    give_words(r, (int)l->nargs - 1, l->args + 1, err);
	if (l->nargs == 1 && !strcmp(l->args[0], "bash"))
		return run_text(r, bash, err);
	if (l->nargs == 1 && !strcmp(l->args[0], "zsh"))
		return run_text(r, zsh, err);
	if (l->nargs == 1 && !strcmp(l->args[0], "fish"))
		return run_text(r, fish, err);
	return err_set(err, ERR_USAGE, "completion takes one of bash, zsh, "
	    "fish");
}

static int completion_complete(struct run *r, int n, struct err *err)
{
	static const char *const shells[] = {"bash", "zsh", "fish", NULL};

	for (size_t i = 0; n == 0 && shells[i]; i++) {
		const struct cell c = run_s(shells[i]);
		if (run_row(r, &c, err) < 0)
			return -1;
	}
	return 0;
}

const struct command completion_command = {
	.name = "completion",
	.args = "bash|zsh|fish [WORD…]",
	.help = "a script that completes kiban's words in your shell",
	.flags_own = (const struct flag[]){
		{"--line", "TEXT", "what the scripts ask by: a line to its end"},
		{0},
	},
	.flags = COMMAND_BROKEN,
	.run = completion_run,
	.complete = completion_complete,
};
