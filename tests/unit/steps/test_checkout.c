/* test_checkout.c: workspaces from real repositories, from folders, from other stages; and from trees made to break out. */
#include "support.h"

#include "../../../steps/perform.h"
#include "../../../steps/registry.h"

static const char identity[] =
    "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org "
    "GIT_AUTHOR_DATE='@1700000000 +0000' GIT_COMMITTER_DATE='@1700000000 +0000' GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1\n";

static bool git_script(const char *folder, const char *script)
{
    AUTO(free_text) char *whole = mem_format("%s%s", identity, script);
    return shell(folder, whole);
}

static int make_workspace(void **state)
{
    if (make_folder(state) < 0) return -1;
    AUTO(free_text) char *workspace = mem_format("%s/ws", (char *)*state);
    return file_make_folders(workspace, 0755, NULL);
}

#define SKIP_WITHOUT_GIT() \
    do { \
        if (!shell("/", "git --version >/dev/null 2>&1")) skip(); \
    } while (0)

/* Checks out folder/SOURCE at folder/commit (a file) into folder/ws; with is taken over; *ret_types: what was said. */
static int checkout_with(const char *folder, const char *source, bool work_tree, json_t *with, char **ret_types, struct error *err)
{
    AUTO(free_text) char *workspace = mem_format("%s/ws", folder), *from = source ? mem_format("%s/%s", folder, source) : NULL;
    AUTO(free_text) char *commit = get_file(folder, "commit");
    if (commit && strchr(commit, '\n')) *strchr(commit, '\n') = '\0';
    json_t *facts = json_object();
    json_put_text(facts, "source", from);
    json_put_text(facts, "commit", commit);
    json_put_text(facts, "workspace", workspace);
    json_put_flag(facts, "work_tree", work_tree);
    struct peer peer = peer_begin(&checkout_step_type, json_pack("{s:o, s:o}", "with", with, "facts", facts), "");
    int failed = checkout_perform(peer.step, err);
    peer_end(&peer);
    *ret_types = peer_types(&peer);
    peer_release(&peer);
    return failed;
}

static int checkout(const char *folder, const char *source, bool work_tree, json_t *inputs, char **ret_types, struct error *err)
{
    json_t *with = json_object();
    json_put(with, "inputs", inputs);
    return checkout_with(folder, source, work_tree, with, ret_types, err);
}

/* The common case: no inputs; fails the test unless the result is this one. */
static void expect_checkout(const char *folder, const char *source, bool work_tree, int wanted, const char *types)
{
    struct error err = {0};
    AUTO(free_text) char *said = NULL;
    int result = checkout(folder, source, work_tree, NULL, &said, &err);
    if (result != wanted || strcmp(said, types) != 0) fail_msg("result %d (%s; %s), said \"%s\"", result, err.message, err.hint, said);
}

static void from_commit(void **state)
{
    const char *folder = *state;
    struct stat status;
    SKIP_WITHOUT_GIT();
    assert_true(git_script(folder,
        "git init -q work; cd work; mkdir -p sub/deep; echo one >a; echo two >sub/deep/b; chmod +x sub/deep/b;"
        "ln -s sub/deep/b link; ln -s ../../a sub/deep/up; printf 'x\\r\\n' >crlf; echo '* text=auto eol=lf' >.gitattributes; git add -A;"
        "git commit -qm one; git rev-parse HEAD >../commit; echo later >a; git commit -qam two; git clone -q --bare . ../bare.git"));
    assert_true(shell(folder, "echo old >ws/stale; mkdir ws/olddir; echo x >ws/olddir/f; chmod 500 ws/olddir"));
    expect_checkout(folder, "bare.git", false, 0, "progress");
    AUTO(free_text) char *a = get_file(folder, "ws/a"), *b = get_file(folder, "ws/link"), *up = get_file(folder, "ws/sub/deep/up");
    assert_string_equal(a, "one\n");
    assert_string_equal(b, "two\n");
    assert_string_equal(up, "one\n");
    assert_false(has_file(folder, "ws/.git"));
    assert_false(has_file(folder, "ws/stale"));
    assert_false(has_file(folder, "ws/olddir"));
    AUTO(free_text) char *path = mem_format("%s/ws/sub/deep/b", folder), *deep = mem_format("%s/ws/sub/deep", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0755);
    assert_int_equal(status.st_mtime, 1700000000);
    assert_int_equal(stat(deep, &status), 0);
    assert_int_equal(status.st_mtime, 1700000000);
}

static void unknown_commit(void **state)
{
    SKIP_WITHOUT_GIT();
    assert_true(git_script(*state, "git init -q --bare bare.git; echo 0123456789012345678901234567890123456789 >commit"));
    expect_checkout(*state, "bare.git", false, -ERROR_IO, "");
    put_file(*state, "commit", "not-hex", 0644);
    expect_checkout(*state, "bare.git", false, -ERROR_INVALID, "");
    expect_checkout(*state, "none.git", false, -ERROR_NOT_FOUND, "");
}

static void submodule_is_told(void **state)
{
    SKIP_WITHOUT_GIT();
    assert_true(git_script(*state,
        "git init -q --bare bare.git; cd bare.git; echo a >../a; A=$(git hash-object -w ../a);"
        "T=$(printf '100644 blob %s\\ta\\n160000 commit 0123456789012345678901234567890123456789\\tmodule\\n' $A | git mktree --missing);"
        "git commit-tree -m x $T >../commit"));
    expect_checkout(*state, "bare.git", false, 0, "annotate progress");
    assert_true(has_file(*state, "ws/a"));
    assert_false(has_file(*state, "ws/module"));
}

/* Trees that git itself would not make are written as raw objects. Each ends with a refusal and leaves nothing outside. */
static void hostile_trees(void **state)
{
    static const struct {
        int result;
        const char *name, *make; /* $A: a blob's id, $U: a link's ("../outside"); prints the tree's id */
    } cases[] = {
        {-ERROR_DENIED, "absolute link", "printf '120000 blob %s\\tl\\n' $(printf /etc/passwd | git hash-object -w --stdin) | git mktree"},
        {-ERROR_DENIED, "link out", "printf '120000 blob %s\\tl\\n' $U | git mktree"},
        {-ERROR_DENIED, "link out from below",
            "S=$(printf '120000 blob %s\\tl\\n' $(printf ../../outside | git hash-object -w --stdin) "
            "| git mktree);"
            "printf '040000 tree %s\\ts\\n' $S | git mktree"},
        {-ERROR_DENIED, "link through a link",
            "S=$(printf '120000 blob %s\\tl\\n' $(printf .. | git hash-object -w --stdin) | git mktree);"
            "printf '120000 blob %s\\tm\\n040000 tree %s\\ts\\n' $(printf s/l/../outside | git hash-object -w --stdin) $S | git mktree"},
        {-ERROR_DENIED, "empty link", "printf '120000 blob %s\\tl\\n' $(printf '' | git hash-object -w --stdin) | git mktree"},
        {-ERROR_DENIED, "parent as a folder", "S=$(printf '100644 blob %s\\toutside\\n' $A | git mktree); raw 40000 .. $S"},
        {-ERROR_DENIED, "dot as a folder", "S=$(printf '100644 blob %s\\tx\\n' $A | git mktree); raw 40000 . $S"},
        {-ERROR_DENIED, "git folder", "S=$(printf '100644 blob %s\\tconfig\\n' $A | git mktree); raw 40000 .git $S"},
        {-ERROR_DENIED, "git folder, large", "S=$(printf '100644 blob %s\\tconfig\\n' $A | git mktree); raw 40000 .GIT $S"},
        {-ERROR_DENIED, "slash in a name", "raw 100644 ../outside $A"},
        {-ERROR_IO, "link, then a folder of its name",
            "S=$(printf '100644 blob %s\\toutside\\n' $A | git mktree); { item 120000 d $(printf sub | git hash-object -w --stdin); "
            "item 40000 d $S; }"
            " | git hash-object -w -t tree --literally --stdin"},
    };
    SKIP_WITHOUT_GIT();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(free_text)
        char *script = mem_format(
            "rm -rf bare.git ws; mkdir ws; git init -q --bare bare.git; cd bare.git;"
            "item() { printf '%%s %%s\\0' $1 $2; printf \"$(echo $3 | sed 's/../\\\\x&/g')\"; };"
            "raw() { item $1 $2 $3 | git hash-object -w -t tree --literally --stdin; };"
            "A=$(echo evil | git hash-object -w --stdin); U=$(printf ../outside | git hash-object -w --stdin); T=$({ %s; });"
            "{ echo tree $T; echo 'author a <a@example.org> 1700000000 +0000'; echo 'committer a <a@example.org> 1700000000 +0000'; "
            "echo; echo x; }"
            " | git hash-object -w -t commit --literally --stdin >../commit",
            cases[i].make);
        setenv("SCRIPT", script, 1);
        if (!git_script(*state, "exec bash -ec \"$SCRIPT\"")) fail_msg("%s: cannot be made", cases[i].name);
        struct error err = {0};
        AUTO(free_text) char *said = NULL;
        int result = checkout(*state, "bare.git", false, NULL, &said, &err);
        if (result != cases[i].result) fail_msg("%s: %d (%s)", cases[i].name, result, err.message);
        if (!err.message[0]) fail_msg("%s: no message", cases[i].name);
        if (has_file(*state, "outside")) fail_msg("%s: broke out", cases[i].name);
        assert_false(has_file(*state, "ws/.git"));
    }
}

static void deep_tree(void **state)
{
    SKIP_WITHOUT_GIT();
    assert_true(git_script(*state,
        "git init -q --bare bare.git; cd bare.git; T=$(printf '100644 blob %s\\ta\\n' $(echo a | git "
        "hash-object -w --stdin)"
        " | git mktree); i=0; while [ $i -lt 210 ]; do T=$(printf '040000 tree %s\\td\\n' $T | git mktree); i=$((i+1)); done;"
        "git commit-tree -m x $T >../commit"));
    expect_checkout(*state, "bare.git", false, -ERROR_LIMIT, "");
}

static void from_folder(void **state)
{
    const char *folder = *state;
    SKIP_WITHOUT_GIT();
    assert_true(git_script(folder,
        "git init -q src; cd src; printf 'out/\\n*.o\\nkept/\\n' >.gitignore; mkdir out kept sub; echo x "
        ">out/x; echo x >a.o;"
        "echo x >sub/b.o; echo t >tracked.o; echo k >kept/k; git add -A; git add -f tracked.o kept/k; git commit -qm x; echo new "
        ">untracked;"
        "echo i >kept/ignored; chmod 700 untracked; ln -s untracked link; ln -s /etc/passwd evil; mkfifo pipe; touch -d @1600000000 "
        "untracked"));
    expect_checkout(folder, "src", true, 0, "annotate annotate progress");
    assert_true(has_file(folder, "ws/untracked"));
    assert_true(has_file(folder, "ws/link"));
    assert_true(has_file(folder, "ws/tracked.o"));
    assert_true(has_file(folder, "ws/kept/k"));
    assert_false(has_file(folder, "ws/kept/ignored"));
    assert_false(has_file(folder, "ws/out"));
    assert_false(has_file(folder, "ws/a.o"));
    assert_false(has_file(folder, "ws/sub/b.o"));
    assert_false(has_file(folder, "ws/.git"));
    assert_false(has_file(folder, "ws/evil"));
    assert_false(has_file(folder, "ws/pipe"));
    AUTO(free_text) char *path = mem_format("%s/ws/untracked", folder);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mtime, 1600000000);
    assert_int_equal(status.st_mode & 07777, 0755);
}

static void from_plain_folder(void **state)
{
    put_file(*state, "src/a/b", "x", 0644);
    put_file(*state, "src/.gitignore", "a", 0644); /* without a repository it is a file like others */
    expect_checkout(*state, "src", true, 0, "progress");
    assert_true(has_file(*state, "ws/a/b"));
}

static void into_itself(void **state)
{
    put_file(*state, "a", "precious", 0644);
    expect_checkout(*state, ".", true, -ERROR_CONFLICT, "");
    put_file(*state, "ws/src/a", "precious", 0644);
    expect_checkout(*state, "ws/src", true, -ERROR_CONFLICT, "");
    expect_checkout(*state, "ws", true, -ERROR_CONFLICT, "");
    AUTO(free_text) char *kept = get_file(*state, "ws/src/a");
    assert_string_equal(kept, "precious");
}

static json_t *one_input(const char *folder, const char *globs)
{
    AUTO(free_text) char *from = mem_format("%s/from", folder);
    return json_pack("[{s:s, s:o, s:s}]", "stage", "build", "globs", parse(globs), "from", from);
}

static void inputs(void **state)
{
    const char *folder = *state;
    AUTO(free_text) char *said = NULL;
    struct error err = {0};
    put_file(folder, "src/README", "source", 0644);
    put_file(folder, "src/out/tool", "older", 0644);
    put_file(folder, "from/out/tool", "built", 0755);
    put_file(folder, "from/out/deep/x", "x", 0644);
    put_file(folder, "from/report.xml", "r", 0644);
    put_file(folder, "from/other", "o", 0644);
    if (checkout(folder, "src", true, one_input(folder, "[\"out/\", \"out/tool\", \"*.xml\"]"), &said, &err)) fail_msg("%s", err.message);
    AUTO(free_text) char *tool = get_file(folder, "ws/out/tool");
    assert_string_equal(tool, "built");
    assert_true(has_file(folder, "ws/README"));
    assert_true(has_file(folder, "ws/out/deep/x"));
    assert_true(has_file(folder, "ws/report.xml"));
    assert_false(has_file(folder, "ws/other"));
}

/* `checkout: none` beside `inputs`: the source stays away, and so does what an attempt before left. */
static void inputs_alone(void **state)
{
    const char *folder = *state;
    AUTO(free_text) char *said = NULL;
    struct error err = {0};
    put_file(folder, "src/README", "source", 0644);
    put_file(folder, "ws/stale", "old", 0644);
    put_file(folder, "from/out/tool", "built", 0755);
    json_t *with = json_pack("{s:o, s:b}", "inputs", one_input(folder, "[\"out/**\"]"), "source", 0);
    if (checkout_with(folder, "src", true, with, &said, &err)) fail_msg("%s", err.message);
    assert_true(has_file(folder, "ws/out/tool"));
    assert_false(has_file(folder, "ws/README"));
    assert_false(has_file(folder, "ws/stale"));
}

static void input_that_matches_nothing(void **state)
{
    AUTO(free_text) char *said = NULL;
    struct error err = {0};
    put_file(*state, "from/a", "a", 0644);
    assert_int_equal(checkout(*state, NULL, false, one_input(*state, "[\"a\", \"b/*\"]"), &said, &err), -ERROR_NOT_FOUND);
    assert_non_null(strstr(err.message, "b/*"));
    assert_non_null(strstr(err.message, "build"));
}

/* The other stage's programs left links that lead out, and the commit has a link where an input wants a folder. */
static void hostile_inputs(void **state)
{
    AUTO(free_text) char *said = NULL, *again = NULL;
    struct error err = {0};
    put_file(*state, "from/a", "a", 0644);
    put_file(*state, "from/d/outside", "a", 0644);
    assert_true(shell(*state, "cd from; ln -s / root; ln -s /etc/passwd passwd; cd ..; mkdir src elsewhere; ln -s ../elsewhere src/keep;"
                              " ln -s . src/d"));
    assert_int_equal(checkout(*state, NULL, false, one_input(*state, "[\"a\", \"passwd\", \"root\"]"), &said, &err), 0);
    assert_string_equal(said, "annotate annotate progress");
    assert_false(has_file(*state, "ws/passwd"));
    assert_false(has_file(*state, "ws/root"));
    assert_true(checkout(*state, "src", true, one_input(*state, "[\"d/outside\"]"), &again, &err) < 0);
    assert_false(has_file(*state, "ws/outside"));
}

/* The weak symbol of the table is the function, once that is linked. */
static void table_names_its_performer(void **state)
{
    (void)state;
    assert_ptr_equal(checkout_step_type.perform, checkout_perform);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_workspace, remove_folder)
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_names_its_performer), TEST(from_commit), TEST(unknown_commit),
        TEST(submodule_is_told), TEST(hostile_trees), TEST(deep_tree), TEST(from_folder), TEST(from_plain_folder), TEST(into_itself),
        TEST(inputs), TEST(inputs_alone), TEST(input_that_matches_nothing), TEST(hostile_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
