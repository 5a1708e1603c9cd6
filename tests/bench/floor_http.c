/* floor_http.c: the least that answering a document by its id can cost: libmicrohttpd with its own thread, and one prepared statement.
   floor_http JOURNAL PREFIX COLLECTION: answers GET PREFIX/ID from the journal's documents; prints its port; ends with its standard input.
 */
#include <microhttpd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct floor {
    sqlite3_stmt *find;
    size_t prefix_size;
    const char *collection;
};

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
    const char *bytes, size_t *size, void **request)
{
    (void)method, (void)version, (void)bytes, (void)size;
    struct floor *floor = context;
    static int begun;
    if (!*request) {
        *request = &begun;
        return MHD_YES;
    }
    sqlite3_bind_text(floor->find, 1, floor->collection, -1, SQLITE_STATIC);
    sqlite3_bind_text(floor->find, 2, strlen(url) > floor->prefix_size ? url + floor->prefix_size : "", -1, SQLITE_STATIC);
    int found = sqlite3_step(floor->find) == SQLITE_ROW;
    struct MHD_Response *response = MHD_create_response_from_buffer(found ? (size_t)sqlite3_column_bytes(floor->find, 0) : 0,
        found ? (void *)sqlite3_column_text(floor->find, 0) : "", MHD_RESPMEM_MUST_COPY);
    sqlite3_reset(floor->find);
    MHD_add_response_header(response, "Content-Type", "application/json");
    enum MHD_Result result = MHD_queue_response(connection, found ? 200 : 404, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 4) return 64;
    struct floor floor = {.prefix_size = strlen(argv[2]) + 1, .collection = argv[3]};
    sqlite3 *database;
    char byte;
    if (sqlite3_open_v2(argv[1], &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) return 1;
    const char *sql = "SELECT body FROM documents WHERE collection = ?1 AND id = ?2";
    if (sqlite3_prepare_v2(database, sql, -1, &floor.find, NULL) != SQLITE_OK) return 1;
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer, &floor, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        continue;
    MHD_stop_daemon(daemon);
    sqlite3_finalize(floor.find);
    sqlite3_close(database);
    return 0;
}
