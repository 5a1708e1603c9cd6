/* test_graph.c: the needs of a file's stages: those that do not exist, those that go round, and who waits for whom. */
#include "base/mem.h"
#include "spec/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STAGES_MAX = 130 }; /* more than two words of bits */

/* A file of stages s0, s1, ...; nothing else of it is read. */
struct graph {
    struct arena *arena;
    struct diagnostics list;
    struct pipeline pipeline;
    struct file file;
};

/* needs: by stage, the names; each list ends with NULL. */
static void graph_init(struct graph *graph, const char *const needs[][4], size_t count)
{
    *graph = (struct graph){.arena = arena_new()};
    struct pipeline_stage *stages = arena_alloc_array(graph->arena, count, sizeof *stages);
    names_init(&graph->file.stage_names, graph->arena, count);
    for (uint32_t i = 0; i < count; i++) {
        struct need *list = arena_alloc_array(graph->arena, 4, sizeof *list);
        stages[i].id = arena_format(graph->arena, "s%u", i);
        stages[i].needs = list;
        for (; needs[i][stages[i].need_count]; stages[i].need_count++)
            list[stages[i].need_count] = (struct need){needs[i][stages[i].need_count], {"f", i + 1, 1}};
        assert_true(names_add(&graph->file.stage_names, stages[i].id, i));
    }
    graph->pipeline = (struct pipeline){.stages = stages, .stage_count = count};
    graph->file.pipeline = &graph->pipeline;
    graph->file.stages = stages;
    graph->file.reader = (struct reader){.arena = graph->arena, .list = &graph->list};
    check_graph(&graph->file);
}

static void graph_release(struct graph *graph)
{
    diagnostics_release(&graph->list);
    arena_free(&graph->arena);
}

static void waiting_is_transitive(void **state)
{
    (void)state;
    static const char *const needs[][4] = {{NULL}, {"s0", NULL}, {"s1", "s0", NULL}, {NULL}, {"s2", "s3", NULL}};
    struct graph graph;
    struct reach reach = {0};
    graph_init(&graph, needs, COUNT_OF(needs));
    assert_int_equal(graph.list.count, 0);
    reach_make(&graph.file, &reach);
    static const char *const expected[] = {"00000", "10000", "11000", "00000", "11110"};
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t j = 0; j < 5; j++)
            if (reach_has(&reach, i, j) != (expected[i][j] == '1')) fail_msg("s%u waits for s%u", i, j);
    reach_release(&reach);
    graph_release(&graph);
}

static void a_long_chain_reaches_its_end(void **state)
{
    (void)state;
    char names[STAGES_MAX][16];
    const char *needs[STAGES_MAX][4] = {{NULL}};
    for (int i = 1; i < STAGES_MAX; i++) { /* the first in the file is the last of the chain */
        snprintf(names[i], sizeof names[i], "s%d", i);
        needs[i - 1][0] = names[i];
    }
    struct graph graph;
    struct reach reach = {0};
    graph_init(&graph, needs, STAGES_MAX);
    assert_int_equal(graph.list.count, 0);
    assert_int_equal(graph.file.order[0], STAGES_MAX - 1);
    reach_make(&graph.file, &reach);
    assert_true(reach_has(&reach, 0, STAGES_MAX - 1));
    assert_true(reach_has(&reach, 64, 65));
    assert_false(reach_has(&reach, STAGES_MAX - 1, 0));
    assert_false(reach_has(&reach, 64, 64));
    reach_release(&reach);
    graph_release(&graph);
}

static void broken_graphs(void **state)
{
    (void)state;
    static const struct {
        const char *needs[3][4], *message;
        unsigned line;
    } cases[] = {{{{"s0", NULL}, {NULL}, {NULL}}, "the needs go round: s0 -> s0", 1},
        {{{"s2", NULL}, {"s0", NULL}, {"s1", NULL}}, "the needs go round: s0 -> s2 -> s1 -> s0", 2},
        {{{NULL}, {"s0", "s2", NULL}, {"s1", NULL}}, "the needs go round: s1 -> s2 -> s1", 3},
        {{{NULL}, {"nothing", NULL}, {"s1", NULL}}, "there is no stage \"nothing\"", 2}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct graph graph;
        struct reach reach = {0};
        graph_init(&graph, cases[i].needs, 3);
        assert_int_equal(graph.list.count, 1);
        assert_string_equal(graph.list.items[0].message, cases[i].message);
        assert_int_equal(graph.list.items[0].at.line, cases[i].line);
        assert_true(graph.file.graph_is_broken);
        reach_make(&graph.file, &reach);
        assert_null(reach.bits);
        graph_release(&graph);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_is_transitive), cmocka_unit_test(a_long_chain_reaches_its_end), cmocka_unit_test(broken_graphs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
