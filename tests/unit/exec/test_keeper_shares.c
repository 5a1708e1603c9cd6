/* test_keeper_shares.c: who gets which requests, what that costs (nothing), leases, and the records of all of it. */
#include "domain.h"

/* But for what was in flight, one a client. */
static void assert_no_more(struct load *load, char letter)
{
    unsigned long before = load->letters[(unsigned char)letter];
    load_more(load, 300);
    assert_true(load->letters[(unsigned char)letter] <= before + COUNT_OF(load->threads));
    before = load->letters[(unsigned char)letter];
    load_more(load, 300);
    assert_int_equal(load->letters[(unsigned char)letter], before);
}

static void shares_are_exact(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    struct load *load = load_start(domain->port);
    start_service(domain, "2.1", "b", "");
    load_more(load, 300);
    assert_int_equal(load->letters['b'], 0); /* its share is 0 */
    assert_answer(domain, "ok previous=0", "share key=1 service=2.1 share=2500");
    load_more(load, 100); /* what was in flight */
    unsigned long a = load->letters['a'], b = load->letters['b'];
    load_more(load, 4000);
    a = load->letters['a'] - a;
    b = load->letters['b'] - b;
    long long deviation = (long long)b * 4 - (long long)(a + b); /* of b from a quarter, times four */
    /* Five standard deviations of a binomial: 4 * 5 * sqrt(n * 1/4 * 3/4); squared: 75 n. */
    if (deviation * deviation > 75LL * (long long)(a + b)) fail_msg("%lu of %lu requests went to a share of 2500", b, a + b);
    assert_answer(domain, "ok previous=2500", "share key=2 service=2.1 share=10000");
    assert_no_more(load, 'a');
    assert_answer(domain, "ok previous=10000", "share key=3 service=2.1 share=0");
    assert_no_more(load, 'b');
    load_end(load);
    assert_int_equal(load->failed, 0);
    free(load);
    domain_free(domain);
}

static void nothing_fails_when_replicas_and_services_go(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    struct load *load = load_start(domain->port);
    assert_answer(domain, "ok previous=1", "replicas key=r1 service=1.1 replicas=4");
    wait_until(domain, "service service=1.1", "ready", 4);
    load_more(load, 200);
    assert_answer(domain, "ok previous=4", "replicas key=r2 service=1.1 replicas=1");
    wait_until(domain, "instance service=1.1 number=2", "port", -1);
    wait_until(domain, "instance service=1.1 number=4", "port", -1);
    load_more(load, 200);
    start_service(domain, "2.1", "b", "");
    for (int i = 0; i < 20; i++) {
        AUTO(free_text) char *answer = ask(domain, "share key=s%d service=2.1 share=%d", i, i % 2 ? 9000 : 1000);
        assert_non_null(strstr(answer, "ok previous="));
        load_more(load, 20);
    }
    assert_answer(domain, "ok\n", "stop key=x service=1.1");
    wait_until(domain, "service service=1.1", "replicas", -1);
    load_more(load, 200);
    assert_int_equal(number_of(domain, "service service=2.1", "share"), 10000);
    load_end(load);
    assert_int_equal(load->failed, 0);
    free(load);
    domain_free(domain);
}

static void a_share_that_is_lent_goes_back(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "error code=conflict", "lease service=2.1 lease_ms=1000");
    assert_answer(domain, "ok previous=0", "share key=1 service=2.1 share=1000 lease_ms=60000");
    assert_answer(domain, "ok deadline_ms=", "lease service=2.1 lease_ms=60000");
    assert_answer(domain, "ok previous=1000", "share key=2 service=2.1 share=5000 lease_ms=200");
    wait_until(domain, "service service=2.1", "lost", 1);                   /* nobody renews */
    assert_int_equal(number_of(domain, "service service=2.1", "share"), 0); /* as before the first lent share */
    assert_int_equal(number_of(domain, "service service=1.1", "share"), 10000);
    assert_answer(domain, "its lease was lost", "status service=2.1");
    assert_answer(domain, "error code=conflict", "lease service=2.1 lease_ms=1000");
    assert_answer(domain, "error code=conflict", "share key=3 service=2.1 share=1000");
    assert_answer(domain, "ok previous=0", "share key=4 service=2.1 share=0");
    assert_answer(domain, "ok previous=0", "share key=5 service=2.1 share=1000 lease_ms=60000");
    assert_answer(domain, "ok previous=1000", "share key=6 service=2.1 share=10000");
    assert_int_equal(number_of(domain, "service service=2.1", "lease_ms"), 0); /* all of it is not lent */
    domain_free(domain);
}

/* The deadline is the clock's, not the keeper's: one that comes after it finds the lease lost. */
static void a_lease_outlives_its_keeper(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "ok previous=0", "share key=1 service=2.1 share=5000 lease_ms=300");
    kill_all(domain);
    sleep_ms(350);
    ensure(domain);
    wait_until(domain, "service service=2.1", "lost", 1);
    assert_int_equal(number_of(domain, "service service=1.1", "share"), 10000);
    domain_free(domain);
}

static void without_a_healthy_instance_no_share(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    assert_answer(domain,
        "ok address=", "start key=s service=2.1 family=hello version=2 folder=%s command=sleep command=60 port=http=8080 share=5000",
        domain->package);
    assert_int_equal(number_of(domain, "service service=2.1", "share"), 0);
    assert_int_equal(number_of(domain, "service service=1.1", "share"), 10000);
    assert_answer(domain, "error code=unavailable", "share key=1 service=2.1 share=5000");
    assert_answer(domain, "no healthy instance", "share key=1 service=2.1 share=5000");
    assert_answer(domain, "ok previous=0", "share key=2 service=2.1 share=0");
    domain_free(domain);
}

/* One that was well and is not any more can lose its share, in steps, and gets no more of it. */
static void requests_may_always_go_away(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "ok previous=0", "share key=1 service=2.1 share=5000");
    assert_answer(domain, "ok previous=1", "replicas key=2 service=2.1 replicas=0");
    wait_until(domain, "service service=2.1", "ready", 0);
    assert_answer(domain, "error code=unavailable", "share key=3 service=2.1 share=5001");
    assert_answer(domain, "ok previous=5000", "share key=3 service=2.1 share=2500");
    domain_free(domain);
}

/* --- records --- */
static char *read_telemetry(const struct domain *domain, const char *name, size_t *ret_size)
{
    AUTO(free_text) char *path = mem_format("%s/telemetry/%s", domain->folder, name);
    char *bytes = NULL;
    struct error err = {0};
    if (file_read(path, 64 * 1024 * 1024, &bytes, ret_size, &err) < 0) fail_msg("%s", err.message);
    return bytes;
}

/* Each record of the first segment, which holds so many and none else; counted by arm. */
static void check_segment(struct domain *domain, long long requests, size_t seen[3])
{
    size_t size, at = TELEMETRY_HEADER_BYTES;
    AUTO(free_text) char *bytes = read_telemetry(domain, "00000001.seg", &size);
    assert_memory_equal(bytes, TELEMETRY_MAGIC, 8);
    assert_int_equal(((const struct telemetry_header *)(const void *)bytes)->number, 1);
    assert_string_equal(((const struct telemetry_header *)(const void *)bytes)->domain, "edge");
    int64_t now = clock_now_ms() * 1000;
    for (; at + sizeof(struct telemetry_record) <= size; at += sizeof(struct telemetry_record)) {
        struct telemetry_record record;
        memcpy(&record, bytes + at, sizeof record);
        assert_true(record.arm <= 2);
        seen[record.arm]++;
        assert_true(record.time_us <= now && record.time_us > now - 600 * 1000000LL);
        if (!record.arm) continue;
        assert_int_equal(record.status, 200);
        assert_int_equal(record.instance, 1);
        assert_true(record.duration_us > 0 && record.duration_us < 60 * 1000000U && record.bytes > 40);
    }
    assert_int_equal(at, size);
    assert_int_equal((long long)((size - TELEMETRY_HEADER_BYTES) / sizeof(struct telemetry_record)), requests);
}

static void check_index(struct domain *domain)
{
    size_t index_size, arms_size;
    AUTO(free_text) char *index = read_telemetry(domain, "00000001.idx", &index_size);
    assert_int_equal(index_size, sizeof(struct telemetry_index));
    struct telemetry_index entry;
    memcpy(&entry, index, sizeof entry);
    assert_int_equal(entry.count, TELEMETRY_BLOCK);
    assert_int_equal(entry.arms & 6U, 6U);
    assert_true(entry.first_us < entry.last_us);
    AUTO(free_text) char *arms = read_telemetry(domain, "arms", &arms_size);
    assert_string_equal(arms, "1 1.1 hello a\n2 2.1 hello b\n");
}

static void every_request_is_recorded(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    start_service(domain, "2.1", "b", "");
    assert_answer(domain, "ok previous=0", "share key=1 service=2.1 share=5000");
    struct load *load = load_start(domain->port);
    load_more(load, TELEMETRY_BLOCK + 1000);
    load_end(load);
    int fd = dial_port(domain->port); /* and what is no HTTP */
    assert_true(send(fd, "nonsense\r\n\r\n", 12, 0) == 12);
    char piece[512];
    assert_true(recv(fd, piece, sizeof piece, 0) > 0);
    close(fd);
    close(dial_port(domain->port)); /* a look whether somebody listens is no request */
    long long requests = number_of(domain, "domain", "requests");
    wait_until(domain, "domain", "records", requests);
    assert_int_equal(number_of(domain, "domain", "dropped"), 0);
    assert_true(requests >= (long long)load->good && requests <= (long long)load->good + 1);

    size_t seen[3] = {0};
    check_segment(domain, requests, seen);
    assert_int_equal(seen[1], load->letters['a']);
    assert_int_equal(seen[2], load->letters['b']);
    check_index(domain);
    free(load);
    domain_free(domain);
}

static void records_go_on_in_the_same_segment(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    for (int life = 1; life <= 2; life++) {
        char letter = 0;
        AUTO(close_fd) int fd = dial_port(domain->port);
        assert_int_equal(get_on(fd, "/", &letter), 200);
        wait_until(domain, "domain", "records", 1); /* since its start */
        size_t size;
        AUTO(free_text) char *bytes = read_telemetry(domain, "00000001.seg", &size);
        assert_int_equal(size, TELEMETRY_HEADER_BYTES + (size_t)life * sizeof(struct telemetry_record));
        kill_all(domain);
        ensure(domain);
    }
    domain_free(domain);
}

/* HAProxy closes such a connection without a line in its log; it is missed by the counters, and a gap says so. */
static void what_haproxy_does_not_log_is_counted(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    static const char post[] = "POST /die HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n";
    struct domain *domain = domain_new(true);
    start_service(domain, "1.1", "a", "");
    char letter = 0, piece[512];
    AUTO(close_fd) int fd = dial_port(domain->port);
    assert_int_equal(get_on(fd, "/", &letter), 200);
    assert_int_equal(send(fd, post, sizeof post - 1, MSG_NOSIGNAL), sizeof post - 1);
    assert_int_equal(recv(fd, piece, sizeof piece, 0), 0); /* not repeated: the client is to decide */
    wait_until(domain, "domain", "dropped", 1);
    assert_int_equal(number_of(domain, "domain", "requests"), 2);
    assert_int_equal(number_of(domain, "domain", "records"), 1);
    wait_words(domain, "exited with code 9");
    wait_until(domain, "instance service=1.1", "restarts", 1); /* once */
    size_t size;
    AUTO(free_text) char *bytes = read_telemetry(domain, "00000001.seg", &size);
    struct telemetry_record gap;
    memcpy(&gap, bytes + size - sizeof gap, sizeof gap);
    assert_int_equal(gap.flags, TELEMETRY_GAP);
    assert_int_equal(gap.bytes, 1);
    domain_free(domain);
}

static void fill(const char *path)
{
    static const char block[4096];
    AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    size_t size = sizeof block;
    while (size) {
        ssize_t put = write(fd, block, size);
        if (put <= 0) size /= 2;
    }
}

static void get_some(const struct domain *domain, int count)
{
    char letter = 0;
    AUTO(close_fd) int fd = dial_port(domain->port);
    for (int i = 0; i < count; i++)
        assert_int_equal(get_on(fd, "/", &letter), 200);
}

/* The last record but those of get_some(1) is a gap that says how many are missing. */
static void a_full_disk_leaves_a_gap(void **state)
{
    (void)state;
    if (!has_haproxy()) skip();
    struct domain *domain = domain_make(true, true);
    if (!domain) skip();
    start_service(domain, "1.1", "a", "");
    get_some(domain, 3);
    wait_until(domain, "domain", "records", 3);
    AUTO(free_text) char *filler = mem_format("%s/filler", domain->folder);
    fill(filler);
    get_some(domain, 200); /* more than the rest of a page */
    wait_until(domain, "domain", "requests", 203);
    long long dropped = number_of(domain, "domain", "dropped"), records = number_of(domain, "domain", "records");
    assert_true(dropped > 0 && dropped + records == 203);
    assert_answer(domain, "error code=no_space", "replicas key=r service=1.1 replicas=2");
    assert_answer(domain, "replicas=1 ready=1", "status");
    assert_int_equal(unlink(filler), 0);
    get_some(domain, 1);
    wait_until(domain, "domain", "records", records + 1);
    assert_int_equal(number_of(domain, "domain", "dropped"), dropped);
    assert_answer(domain, "ok previous=1", "replicas key=r service=1.1 replicas=2");
    size_t size;
    AUTO(free_text) char *bytes = read_telemetry(domain, "00000001.seg", &size);
    struct telemetry_record gap;
    assert_int_equal((size - TELEMETRY_HEADER_BYTES) % sizeof gap, 0);
    memcpy(&gap, bytes + size - 2 * sizeof gap, sizeof gap);
    assert_int_equal(gap.flags, TELEMETRY_GAP);
    assert_int_equal((long long)gap.bytes, dropped);
    domain_free(domain);
}

int main(int argc, char **argv)
{
    SERVE_IF_ASKED(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_exact),
        cmocka_unit_test(nothing_fails_when_replicas_and_services_go),
        cmocka_unit_test(a_share_that_is_lent_goes_back),
        cmocka_unit_test(a_lease_outlives_its_keeper),
        cmocka_unit_test(without_a_healthy_instance_no_share),
        cmocka_unit_test(requests_may_always_go_away),
        cmocka_unit_test(every_request_is_recorded),
        cmocka_unit_test(records_go_on_in_the_same_segment),
        cmocka_unit_test(what_haproxy_does_not_log_is_counted),
        cmocka_unit_test(a_full_disk_leaves_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
