/* cgroup.c: folders of the control group trees, below our own group. */
#include "cgroup.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void cgroup_write(const char *folder, const char *file, const char *text)
{
    int fd = cgroup_open(folder, file);
    if (fd < 0) return;
    ssize_t ignored = write(fd, text, strlen(text));
    (void)ignored;
    close(fd);
}

int cgroup_open(const char *folder, const char *file)
{
    char path[PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return open(path, O_WRONLY | O_CLOEXEC);
}

bool cgroup_read(const char *folder, const char *file, char *text, size_t room)
{
    char path[PATH_BYTES + 64];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t got = read(fd, text, room - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got >= 0;
}

/* Is word one of the comma-separated list? */
static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += size)
        if ((at == list || at[-1] == ',') && (at[size] == ',' || at[size] == '\0')) return true;
    return false;
}

/* /proc/self/cgroup: "4:memory:/path", "0::/path" for v2. */
static bool own_path(const char *controller, char *ret_path, size_t room)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[PATH_BYTES];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        char *names = strchr(line, ':');
        char *path = names ? strchr(names + 1, ':') : NULL;
        if (!path) continue;
        *path++ = '\0';
        found = controller ? has_word(names + 1, controller) : names[1] == '\0';
        if (found) snprintf(ret_path, room, "%s", path);
    }
    if (file) fclose(file);
    return found;
}

/* /proc/self/mountinfo: "36 35 0:30 ROOT PLACE options - cgroup source super-options". */
static bool mount_place(const char *controller, char *ret_place, char *ret_root, size_t room)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[2 * PATH_BYTES], root[PATH_BYTES / 4], place[PATH_BYTES / 4], type[32], options[PATH_BYTES / 2];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *end = strstr(line, " - ");
        if (!end || sscanf(line, "%*s %*s %*s %1023s %1023s", root, place) != 2) continue;
        if (sscanf(end + 3, "%31s %*s %2047s", type, options) != 2) continue;
        found = controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller) : strcmp(type, "cgroup2") == 0;
    }
    if (file) fclose(file);
    if (found) {
        snprintf(ret_place, room, "%s", place);
        snprintf(ret_root, room, "%s", root);
    }
    return found;
}

static bool own_folder(const char *controller, char ret_folder[PATH_BYTES / 2])
{
    char path[PATH_BYTES / 4], place[PATH_BYTES / 4], root[PATH_BYTES / 4];
    if (!own_path(controller, path, sizeof path) || !mount_place(controller, place, root, sizeof place)) return false;
    const char *below = path;
    if (strcmp(root, "/") != 0 && strncmp(path, root, strlen(root)) == 0) below = path + strlen(root); /* only a part is mounted here */
    snprintf(ret_folder, PATH_BYTES / 2, "%s%s", place, strcmp(below, "/") == 0 ? "" : below);
    return true;
}

enum { NOTES_BYTES = 16 * 1024 };

/* A keeper makes the same few again and again, for years. */
static bool is_noted(int fd, const char *folder)
{
    char text[NOTES_BYTES], line[PATH_BYTES + 2];
    ssize_t got = pread(fd, text, sizeof text, 0);
    int size = snprintf(line, sizeof line, "%s\n", folder);
    return got > 0 && memmem(text, (size_t)got, line, (size_t)size);
}

static bool make_noted(struct shim *shim, const char *folder)
{
    if (mkdir(folder, 0755) < 0) return errno == EEXIST;
    int fd = openat(shim->folder_fd, "cgroups", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return true;
    if (!is_noted(fd, folder)) dprintf(fd, "%s\n", folder);
    close(fd);
    return true;
}

bool cgroup_make(struct shim *shim, const char *controller, const char *leaf, char ret_folder[PATH_BYTES])
{
    char own[PATH_BYTES / 2], run[PATH_BYTES / 2 + 64];
    if (!own_folder(controller, own)) return false;
    snprintf(run, sizeof run, "%s/crescendo-%016llx", own, (unsigned long long)text_hash(TEXT_HASH_SEED, shim->folder));
    if (!make_noted(shim, run)) return false;
    if (!controller) cgroup_write(run, "cgroup.subtree_control", "+memory +cpu +pids");
    snprintf(ret_folder, PATH_BYTES, "%s/%s", run, leaf);
    return make_noted(shim, ret_folder);
}

bool cgroup_has_controllers(bool memory, bool cpu, bool pids)
{
    char own[PATH_BYTES / 2], text[512];
    if (!own_folder(NULL, own)) return false;
    cgroup_write(own, "cgroup.subtree_control", "+memory +cpu +pids");
    if (!cgroup_read(own, "cgroup.subtree_control", text, sizeof text)) return false;
    for (char *at = text; *at; at++)
        if (*at == ' ' || *at == '\n') *at = ',';
    return (!memory || has_word(text, "memory")) && (!cpu || has_word(text, "cpu")) && (!pids || has_word(text, "pids"));
}

/* Removes what was made, the innermost first; what still holds a process stays for supervisor_sweep. */
void run_cgroup_close(struct shim *shim)
{
    char text[NOTES_BYTES];
    int fd = openat(shim->folder_fd, "cgroups", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    bool all = true;
    for (char *line; text[0]; *line = '\0') {
        size_t size = strlen(text);
        if (text[size - 1] == '\n') text[size - 1] = '\0';
        char *before = strrchr(text, '\n');
        line = before ? before + 1 : text;
        if (*line && rmdir(line) < 0 && errno != ENOENT) all = false;
    }
    if (all) unlinkat(shim->folder_fd, "cgroups", 0);
}
