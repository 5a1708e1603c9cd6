/* host.c: what the programs in this file's folder do with their process: find their neighbours, listen, say that they are ready, stop. */
#include "server/host.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/server.h"
#include "store/lock.h"

#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int host_exit_code(int code)
{
    if (code == -ERROR_INVALID) return EXIT_USAGE;
    return code == -ERROR_NO_SPACE || code == -ERROR_IO ? EXIT_JOURNAL : EXIT_UNAVAILABLE;
}

int host_journal_failed(const struct error *err)
{
    if (err->code == ERROR_STALE) {
        log_error(err, "stopping: the journal is not this server's any more, so it records and answers nothing");
        return EXIT_UNAVAILABLE;
    }
    log_error(err, "the journal cannot be written; stopping, so that nothing is promised that is not on disk");
    log_line(LOG_LEVEL_ERROR, "running steps go on; free the disk or repair it and start the server again: it takes them up");
    return EXIT_JOURNAL;
}

int host_find_program(const char *name, char **ret, struct error *err)
{
    AUTO(free_text) char *folder = file_program_folder();
    if (!folder) return error_set(err, ERROR_INTERNAL, NOWHERE, "cannot tell where this program stands: /proc is missing");
    AUTO(free_text) char *path = mem_format("%s/%s", folder, name);
    if (access(path, X_OK) < 0) {
        error_set(err, ERROR_NOT_FOUND, NOWHERE, "%s is missing", path);
        return error_hint(err, "the programs of Crescendo stand together in one folder");
    }
    *ret = take(&path);
    return 0;
}

int host_check_alone(const char *data, const char *socket, struct error *err)
{
    AUTO(close_fd) int lock = -1;
    if (http_check_unix(socket, NULL) == 0) return 0;
    int code = lock_take(data, &lock, err);
    return code < 0 ? code : http_check_unix(socket, err);
}

char *host_address(int fd, const char *listen)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    getsockname(fd, (struct sockaddr *)&address, &size);
    char port[NI_MAXSERV] = "0";
    int fault = getnameinfo((struct sockaddr *)&address, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    if (fault) return mem_format("http://%s", listen);
    return mem_format("http://%.*s:%s", (int)(strrchr(listen, ':') - listen), listen, port);
}

void host_tell_ready(int ready_fd)
{
    if (ready_fd < 0) return;
    if (write(ready_fd, "\n", 1) < 0) log_line(LOG_LEVEL_WARNING, "nobody waits at --ready-fd %d", ready_fd);
    close(ready_fd);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    uv_stop(handle->loop);
}

void host_run(uv_loop_t *loop)
{
    uv_signal_t terminate, interrupt;
    uv_signal_init(loop, &terminate);
    uv_signal_init(loop, &interrupt);
    uv_signal_start(&terminate, on_signal, SIGTERM);
    uv_signal_start(&interrupt, on_signal, SIGINT);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&terminate, NULL);
    uv_close((uv_handle_t *)&interrupt, NULL);
    uv_run(loop, UV_RUN_NOWAIT);
}
