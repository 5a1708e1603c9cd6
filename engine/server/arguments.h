/* arguments.h: the words behind `crescendo-server`, and behind `crescendo-server core`. */
#ifndef CRESCENDO_SERVER_ARGUMENTS_H
#define CRESCENDO_SERVER_ARGUMENTS_H

#include "crescendo/error.h"

#include <stdint.h>

struct arguments { /* borrowed from argv, but for data */
    char *data;    /* owned; the default is filled in */
    const char *listen, *token_file;
    int64_t keep_ms; /* 0: for ever */
    unsigned jobs;   /* 0: the machine's processors */
    bool core;       /* `core`: the orchestration core by itself */
    bool allow_no_sandbox, exit_when_idle;
    int ready_fd; /* -1: none */
};

enum arguments_result { ARGUMENTS_RUN, ARGUMENTS_HELP, ARGUMENTS_VERSION };

/* 0 or more: what to do; -ERROR_INVALID: the words are wrong. */
int arguments_read(int argc, char **argv, struct arguments *ret, struct error *err) MUST_CHECK;
extern const char arguments_help[];

#endif
