/* main.c: the program crescendo-hook: where it is, how it is set up, and each pushed ref in turn. */
#include "trigger/hook/hook.h"

#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FOLLOW_SECONDS = 60 };

static void set_option(struct hook *hook, const char *name, const char *value)
{
    int64_t seconds = 0;
    if (text_equal(name, "follow") && text_to_integer(value, &seconds) && seconds >= 0 && seconds <= 86400) hook->follow_seconds = seconds;
    if (text_equal(name, "no-follow")) hook->follow_seconds = 0;
    if (text_equal(name, "colour")) hook->colour = text_equal(value, "true");
    if (text_equal(name, "no-colour")) hook->colour = false;
}

/* [crescendo] in the repository's config: read by us, because another git would cost a millisecond. */
static void read_config(struct hook *hook)
{
    FILE *file = fopen("config", "re");
    char line[512];
    bool ours = false;
    while (file && fgets(line, sizeof line, file)) {
        char *at = line + strspn(line, " \t"), *equals = strchr(at, '=');
        at[strcspn(at, "\r\n")] = '\0';
        if (*at == '[') ours = text_starts(at, "[crescendo]");
        if (!ours || !equals || *at == '#' || *at == ';') continue;
        at[strcspn(at, " \t=")] = '\0';
        equals += 1 + strspn(equals + 1, " \t");
        equals[strcspn(equals, " \t#;")] = '\0';
        set_option(hook, at, equals);
    }
    if (file) fclose(file);
}

/* git push -o follow=10, -o no-follow */
static void read_push_options(struct hook *hook)
{
    const char *count_text = getenv("GIT_PUSH_OPTION_COUNT");
    int64_t count = 0;
    if (!count_text || !text_to_integer(count_text, &count)) return;
    for (int64_t i = 0; i < count && i < 64; i++) {
        AUTO(free_text) char *name = mem_format("GIT_PUSH_OPTION_%lld", (long long)i);
        const char *option = getenv(name);
        if (!option) continue;
        size_t size = strcspn(option, "=");
        AUTO(free_text) char *key = mem_copy_bytes(option, size);
        set_option(hook, key, option[size] ? option + size + 1 : "");
    }
}

/* Repositories stand in DATA/repositories, and the socket in DATA. */
static bool find_place(struct hook *hook)
{
    const char *folder = getenv("GIT_DIR");
    char path[PATH_MAX];
    if (folder && !text_equal(folder, ".") && chdir(folder) < 0) return false;
    if (!getcwd(path, sizeof path)) return false;
    const char *slash = strrchr(path, '/');
    if (!slash) return false;
    snprintf(hook->name, sizeof hook->name, "%s", slash + 1);
    if (text_ends(hook->name, ".git")) hook->name[strlen(hook->name) - strlen(".git")] = '\0';
    hook->server = getenv("CRESCENDO_SERVER");
    if (!hook->server || !*hook->server) hook->server = HOOK_SERVER;
    hook->token = getenv("CRESCENDO_TOKEN");
    hook->follow_seconds = FOLLOW_SECONDS;
    const char *no_colour = getenv("NO_COLOR");
    hook->colour = !no_colour || !*no_colour;
    return true;
}

static void take_update(struct hook *hook, const struct update *update)
{
    struct text body = {0};
    if (!make_body(hook, update, &body)) {
        say("Crescendo: git could not read commit %s: this push starts nothing\n", update->new);
        say("  push again, or start it by hand: crescendo run\n");
    } else {
        struct spooled spooled = {.fd = -1};
        if (!spool_write(&spooled, &body, hook->spooled++))
            say("Crescendo: cannot store this push in crescendo-spool: %s\n", strerror(errno));
        hand_over(hook, &body, &spooled);
        spool_forget(&spooled);
    }
    text_release(&body);
}

int main(void)
{
    struct hook hook = {0};
    signal(SIGPIPE, SIG_IGN);
    if (!find_place(&hook)) {
        say("Crescendo: cannot tell which repository this is: %s\n", strerror(errno));
        return 0;
    }
    read_config(&hook);
    read_push_options(&hook);
    char *line = NULL;
    size_t room = 0;
    struct update update;
    while (getline(&line, &room, stdin) > 0) {
        int ref_at = 0;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "%64s %64s %n", update.old, update.new, &ref_at) != 2 || !ref_at) continue;
        update.ref = line + ref_at;
        take_update(&hook, &update);
    }
    free(line);
    child_end(&hook.cat);
    if (hook.follow_seconds > 0) follow(&hook);
    return 0; /* the push itself has succeeded, whatever became of its run */
}
