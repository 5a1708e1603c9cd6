/* test_fence.c: a shim obeys the server of the highest epoch that it ever heard of, and tells one of a lower that it was replaced. */
#include "harness.h"

#include "exec/connection.h"
#include "exec/launch.h"
#include "exec/wire.h"

#include <poll.h>
#include <sys/socket.h>

/* Another server of the same folder, on a loop of its own. */
static void second_open(struct harness *second, const struct harness *first, uint64_t epoch)
{
    *second = (struct harness){.folder = first->folder, .workspace = first->workspace, .epoch = epoch};
    uv_loop_init(&second->loop);
    harness_open(second, false);
}

/* ends: the run with it; else it only lets go. */
static void second_close(struct harness *second, bool ends)
{
    (ends ? supervisor_end : supervisor_detach)(second->supervisor);
    uv_run(&second->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&second->loop), 0);
    for (size_t i = 0; i < second->count; i++) {
        free(second->seen[i].text);
        free(second->seen[i].outputs);
    }
}

static bool is_replaced(struct harness *harness, void *context)
{
    (void)context;
    return harness->replaced_by != 0;
}

static bool is_attached(struct harness *harness, void *context)
{
    (void)context;
    return harness->attached != 0;
}

static struct harness *open_with(uint64_t epoch)
{
    struct harness *harness = harness_new();
    supervisor_detach(harness->supervisor);
    harness->epoch = epoch;
    harness_open(harness, false);
    assert_true(harness_turn(harness, is_attached, NULL));
    harness_sandbox(harness, 1, SANDBOX_NONE);
    return harness;
}

static void a_lower_epoch_is_refused_and_disturbs_nobody(void **state)
{
    (void)state;
    struct harness *harness = open_with(7), stale;
    harness_sh(harness, 1, 1, "true");
    harness_end_of(harness, 1);
    unsigned attached = harness->attached;
    second_open(&stale, harness, 5);
    harness_sh(&stale, 9, 1, "true");
    assert_true(harness_turn(&stale, is_replaced, NULL));
    assert_int_equal(stale.replaced_by, 7);
    assert_int_equal(stale.attached, 0);
    assert_int_equal(stale.lost, 0);
    assert_int_equal(stale.count, 0);                                    /* it is told nothing */
    assert_false(uv_is_active((uv_handle_t *)&stale.supervisor->retry)); /* nor does it say of a shim that answered that it does not */
    harness_sh(harness, 2, 1, "true");
    assert_int_equal(harness_end_of(harness, 2)->report.exit_code, 0);
    assert_int_equal(harness->attached, attached); /* on the connection that it had */
    assert_null(harness_find(harness, SHIM_STARTED, 9));
    second_close(&stale, false);
    harness_free(harness);
}

static void a_higher_epoch_takes_over(void **state)
{
    (void)state;
    struct harness *harness = open_with(5), later;
    harness_sh(harness, 1, 1, "sleep 60");
    harness_wait(harness, SHIM_STARTED, 1);
    second_open(&later, harness, 7);
    harness_wait(&later, SHIM_STARTED, 1); /* what the first one began is told to it */
    assert_true(harness_turn(harness, is_replaced, NULL));
    assert_int_equal(harness->replaced_by, 7);
    assert_int_equal(harness->lost, 0);
    supervisor_cancel(later.supervisor, 1, 1);
    harness_wait(&later, SHIM_EXITED, 1);
    assert_null(harness_find(harness, SHIM_EXITED, 1));
    supervisor_detach(harness->supervisor);
    harness->supervisor = NULL;
    second_close(&later, true);
    harness_free(harness);
}

static void the_next_shim_of_the_folder_knows_it_too(void **state)
{
    (void)state;
    struct harness *harness = open_with(7), stale;
    kill(harness_shim_pid(harness), SIGKILL);
    assert_true(harness_turn(harness, harness_unlocked, NULL));
    struct error err = {0};
    if (launch_shim(harness->folder, harness_shim_path(), &err)) fail_msg("%s", err.message);
    second_open(&stale, harness, 6);
    assert_true(harness_turn(&stale, is_replaced, NULL));
    assert_int_equal(stale.replaced_by, 7);
    second_close(&stale, false);
    supervisor_detach(harness->supervisor);
    harness_open(harness, false); /* and ours is still obeyed */
    harness->attached = 0;
    assert_true(harness_turn(harness, is_attached, NULL));
    harness_free(harness);
}

/* What a server of version 1 sends, which had no epoch. ret_type: of the first frame that comes back; 0: it was hung up on. */
static unsigned attach_as_version_1(const struct harness *harness)
{
    struct wire out = {0};
    unsigned char answer[256];
    unsigned type = 0;
    struct view payload;
    AUTO(close_fd) int fd = launch_connect(harness->folder);
    struct pollfd ready = {fd, POLLIN, 0};
    size_t start = wire_begin(&out, SHIM_ATTACH);
    wire_u32(&out, 1);
    wire_u64(&out, 0);
    wire_finish(&out, start);
    assert_int_equal(send(fd, out.bytes, out.size, MSG_NOSIGNAL), out.size);
    wire_release(&out);
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got > 0) assert_int_equal(frame_peek(answer, (size_t)got, &type, &payload), 1);
    return type;
}

static void one_without_an_epoch_is_heard_until_there_is_one(void **state)
{
    (void)state;
    struct harness *harness = harness_new();
    assert_true(harness_turn(harness, is_attached, NULL)); /* of epoch 0, as all the other tests */
    assert_int_equal(attach_as_version_1(harness), SHIM_HELLO);
    supervisor_detach(harness->supervisor);
    harness->epoch = 3;
    harness->attached = 0;
    harness_open(harness, false);
    assert_true(harness_turn(harness, is_attached, NULL));
    assert_int_equal(attach_as_version_1(harness), SHIM_STALE);
    harness_free(harness);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lower_epoch_is_refused_and_disturbs_nobody),
        cmocka_unit_test(a_higher_epoch_takes_over),
        cmocka_unit_test(the_next_shim_of_the_folder_knows_it_too),
        cmocka_unit_test(one_without_an_epoch_is_heard_until_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
