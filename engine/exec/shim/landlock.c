/* landlock.c: which files a sandboxed step may touch, as a ruleset that its process is bound to: the second wall in namespaces, the first
   one where there are none. Only what the kernel's version of Landlock knows is asked for. */
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From the kernel's uapi (linux/landlock.h), with the versions that brought them; the build machine's headers may be older. */
struct ruleset_attr {
    uint64_t handled_files, handled_network, scoped;
};
struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
enum { RULE_PATH = 1, VERSION_FLAG = 1 };
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_FOLDER = 1 << 3,
    REMOVE_FOLDER = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_FOLDER = 1 << 7,
    MAKE_FILE = 1 << 8,
    MAKE_SOCKET = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_LINK = 1 << 12,
    REFER = 1 << 13 /* 2 */,
    TRUNCATE = 1 << 14 /* 3 */,
    IOCTL = 1 << 15 /* 5 */
};
enum { TCP_BIND = 1, TCP_CONNECT = 2 /* 4 */, SCOPE_ABSTRACT = 1, SCOPE_SIGNAL = 2 /* 6 */ };
enum {
    READING = EXECUTE | READ_FILE | READ_FOLDER,
    FILES_ONLY = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL, /* what a rule on something that is no folder may hold */
    ALL_1 = (1 << 13) - 1
};

int landlock_version(void)
{
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
}

static uint64_t known_rights(int version)
{
    uint64_t rights = ALL_1;
    if (version >= 2) rights |= REFER;
    if (version >= 3) rights |= TRUNCATE;
    if (version >= 5) rights |= IOCTL;
    return rights;
}

struct ruleset {
    int fd;
    uint64_t known;
    int failed;
};

/* A path that is not there needs no rule. */
static void allow(struct ruleset *rules, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) < 0) {
        if (fd >= 0) close(fd);
        return;
    }
    if (!S_ISDIR(facts.st_mode)) rights &= FILES_ONLY;
    struct path_rule rule = {rights & rules->known, fd};
    if (syscall(SYS_landlock_add_rule, rules->fd, RULE_PATH, &rule, 0) < 0 && !rules->failed) rules->failed = -errno;
    close(fd);
}

static void allow_each(struct ruleset *rules, const char *const *paths, uint64_t rights)
{
    for (; *paths; paths++)
        allow(rules, *paths, rights);
}

static const char *const system_folders[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", NULL};
static const char *const device_files[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", NULL};

/* Without a mount tree of our own, and perhaps as root, /etc is shown without its secrets. */
static void allow_etc(struct ruleset *rules)
{
    static const char *const secret[] = {"shadow", "shadow-", "gshadow", "gshadow-", "sudoers", "sudoers.d", "ssh", "ssl", ".", "..", NULL};
    allow(rules, "/etc", READ_FOLDER);
    allow(rules, "/etc/ssl/certs", READING);
    allow(rules, "/etc/ssl/openssl.cnf", READING);
    DIR *folder = opendir("/etc");
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        unsigned i = 0;
        while (secret[i] && strcmp(secret[i], entry->d_name) != 0)
            i++;
        char path[300];
        snprintf(path, sizeof path, "/etc/%s", entry->d_name);
        if (!secret[i]) allow(rules, path, READING);
    }
    closedir(folder);
}

/* On the machine's own tree. */
static void allow_outside(struct ruleset *rules, const char *run_folder)
{
    char outputs[PATH_BYTES + 16];
    snprintf(outputs, sizeof outputs, "%s/outputs", run_folder);
    allow_etc(rules);
    allow(rules, "/proc", READ_FILE | READ_FOLDER);
    allow(rules, outputs, READ_FILE | WRITE_FILE | TRUNCATE);
    allow(rules, "/tmp", rules->known);
    allow(rules, "/dev/shm", rules->known);
}

/* Inside the stage's tree all may be read: it holds nothing else, and each step's own /proc, which is mounted later, lies below. */
static void allow_inside(struct ruleset *rules)
{
    static const char *const ours[] = {"/tmp", "/var/tmp", "/dev/shm", "/home/build", "/run/crescendo", "/dev/pts", NULL};
    allow(rules, "/", READING);
    allow_each(rules, ours, rules->known);
}

int landlock_make(const struct stage *stage, const char *run_folder)
{
    int version = landlock_version();
    if (version < 1) return -ENOSYS;
    struct ruleset rules = {.known = known_rights(version)};
    struct ruleset_attr attr = {.handled_files = rules.known};
    bool closed = run_folder && !stage->network_host;
    if (version >= 4 && closed) attr.handled_network = TCP_BIND | TCP_CONNECT;
    if (version >= 6) attr.scoped = SCOPE_SIGNAL | (stage->network_host ? 0 : SCOPE_ABSTRACT);
    size_t size = version >= 6 ? sizeof attr : version >= 4 ? 16 : 8;
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (rules.fd < 0) return -errno;
    if (run_folder) allow_each(&rules, system_folders, READING);
    allow_each(&rules, device_files, READ_FILE | WRITE_FILE | IOCTL);
    for (char **path = stage->read_only; *path; path++)
        allow(&rules, *path, READING);
    for (char **path = stage->read_write; *path; path++)
        allow(&rules, *path, rules.known);
    allow(&rules, stage->workspace, rules.known);
    if (run_folder)
        allow_outside(&rules, run_folder);
    else
        allow_inside(&rules);
    if (!rules.failed) return rules.fd;
    close(rules.fd);
    return rules.failed;
}
