/* commands_runs.c: options and examples of the rows that follow runs, tell why, and decide. */
#include "cli/commands_tables.h"

const struct option_spec runs_options[] = {
    {"repository", 'r', "NAME", "only of this repository"},
    {"pipeline", 'p', "NAME", "only of this pipeline"},
    {"state", 's', "STATE", "only in this state: running, waiting, failed, ..."},
    {"limit", 'n', "N", "this many; the default is 20"},
    {"before", 0, "RUN", "only older ones than this"},
    JSON_OPTION,
    OPTION_END,
};
const struct example runs_examples[] = {
    {"crescendo runs --repository hello --state failed", "what went wrong there"},
    {"crescendo runs --json --limit 1", "the newest, for a program"},
    {0},
};

const struct option_spec show_options[] = {JSON_OPTION, OPTION_END};
const struct example show_examples[] = {
    {"crescendo show", "the newest run"},
    {"crescendo show 12", "run 12: steps, failures with their last lines, approvals"},
    {0},
};

const struct option_spec watch_options[] = {
    {"no-wait", 0, NULL, "stop with exit code 3 when it waits for approval"},
    {"plain", 0, NULL, "lines instead of a live picture"},
    OPTION_END,
};
const struct example watch_examples[] = {
    {"crescendo watch", "the newest run"},
    {"crescendo watch 12 && ./announce", "go on only when it succeeded"},
    {0},
};

const struct option_spec logs_options[] = {
    {"step", 's', "PATH", "only this step: build/test"},
    {"attempt", 0, "N", "only this attempt"},
    {"follow", 'f', NULL, "go on until the run ends"},
    {"raw", 0, NULL, "the bytes as they were printed, whatever they do to a terminal"},
    OPTION_END,
};
const struct example logs_examples[] = {
    {"crescendo logs 12 --step build/test", "one step"},
    {"crescendo logs --follow", "the newest run, as it comes"},
    {0},
};

const char explain_about[] =
    "Tells a run (the newest) as one chain of causes: who began it, what it did outside, what was decided, what that led to; and what it\n"
    "waits for now, and what to do about it. With STEP, or a stage: only what concerns that, and what it needed.";
const struct option_spec explain_options[] = {JSON_OPTION, OPTION_END};
const struct example explain_examples[] = {
    {"crescendo explain", "the newest run"},
    {"crescendo explain 12 release/judge", "why this step of run 12 ended as it did, or has not begun"},
    {0},
};

const char resolve_about[] =
    "A run that `needs a person` has an effect of which nobody can tell whether it happened: look at the peer, then say what you saw, and\n"
    "the run goes on. One that `could not be rolled back`: undo by hand what is left, then say so, and the run goes on undoing what came\n"
    "before. STEP may be left out where only one waits; `crescendo explain RUN` names it. Who said what stands in the run's record.";
const struct option_spec resolve_options[] = {
    {"done", 0, "ID", "the effect happened: the peer has it as order ID, which the step adopts"},
    {"not-done", 0, NULL, "it did not happen, and nothing of it will any more: it may be sent again"},
    {"undone", 0, NULL, "what could not be undone was undone by hand"},
    {"effect", 0, "NAME", "which effect, where several of the step are unknown"},
    {"comment", 'm', "TEXT", "why; kept in the run's record"},
    JSON_OPTION,
    OPTION_END,
};
const struct example resolve_examples[] = {
    {"crescendo resolve 12 indoor/order --done 4711 -m \"it is there, active\"", "the run goes on with order 4711"},
    {"crescendo resolve 12 indoor/order --not-done", "the order is placed again"},
    {"crescendo resolve 12 indoor/order --undone", "the run ends rolled back, and others may go on in its groups"},
    {0},
};

const char evidence_about[] = "Shows what the canaries of a run (the newest) were judged by: the verdict, each KPI with its samples, "
                              "effect and evidence, the shares, and\n"
                              "how the evidence grew from tick to tick. E is the evidence against \"no harm\", and against \"harm\"; each "
                              "decides at its bar, and may be\n"
                              "looked at as often as one likes. A run that is still judging shows what there is so far.";
const struct option_spec evidence_options[] = {
    {"stage", 0, "PATH", "only of this stage, or of this step"},
    {"svg", 0, "FILE", "draw one canary into FILE; -: print it"},
    {"replay", 0, NULL, "compute it again from the recorded statistics and compare every bit; exit code 1 where it differs"},
    JSON_OPTION,
    OPTION_END,
};
const struct example evidence_examples[] = {
    {"crescendo evidence 12", "tables and a chart"},
    {"crescendo evidence 12 --stage indoor --svg canary.svg", "a picture of the canary of the stage indoor"},
    {"crescendo evidence 12 --replay", "was it decided as it is told?"},
    {0},
};

const struct option_spec vote_options[] = {
    {"comment", 'm', "TEXT", "why; kept with the decision"},
    JSON_OPTION,
    OPTION_END,
};
const struct example approve_examples[] = {
    {"crescendo approve", "the only one that waits"},
    {"crescendo approve 12 sign-off --comment \"looked at the canary\"", "a stage of run 12"},
    {0},
};
const struct example reject_examples[] = {
    {"crescendo reject 12 --comment \"not before the weekend\"", "run 12 ends"},
    {0},
};
const struct example cancel_examples[] = {
    {"crescendo cancel 12", "ends its live steps, then the run"},
    {0},
};
