/* field.h: a table of fields describes what an object may hold. One table drives validation, the JSON schema, the
   reference page and the command line's help, so that they cannot disagree. */
#ifndef CRESCENDO_FIELD_H
#define CRESCENDO_FIELD_H

#include <stdint.h>

/* The type decides how a YAML scalar is read (rule 1 of the language: never its looks), and what it becomes in JSON. */
enum field_type {
    FIELD_TEXT,         /* any scalar, as written             → string */
    FIELD_NAME,         /* [a-z][a-z0-9-]*                    → string */
    FIELD_PATH,         /* relative, inside the workspace     → string */
    FIELD_BOOLEAN,      /* true | false                       → boolean */
    FIELD_INTEGER,      /* decimal                            → integer */
    FIELD_NUMBER,       /* decimal with fraction or exponent  → real */
    FIELD_DURATION,     /* 500ms 30s 10m 2h 1d                → integer, milliseconds */
    FIELD_SIZE,         /* 512 64KiB 1GiB 10MB                → integer, bytes */
    FIELD_PERCENT,      /* 5% 99.999%                         → real, percent */
    FIELD_CPU,          /* 500m 2 0.5                         → integer, thousandths of a processor */
    FIELD_BITRATE,      /* 20kbps 100Mbps 1Gbps               → integer, bits per second */
    FIELD_RATE,         /* 60/s 5/m                           → real, per second */
    FIELD_LATENCY,      /* 10ms 0.5ms 200us 1s                → real, milliseconds */
    FIELD_CHOICE,       /* one of .choices                    → string */
    FIELD_CONDITION,    /* a bare boolean expression (if:)    → string */
    FIELD_TEXT_LIST,    /* list of text; one scalar is a list of one → array of strings */
    FIELD_NAME_LIST,    /* list of names                      → array of strings */
    FIELD_PERCENT_LIST, /* [5%, 25%]                          → array of reals, percent */
    FIELD_TEXT_MAP,     /* keys are free, values are text     → object of strings */
    FIELD_OBJECT,       /* .fields says what it may hold      → object */
    FIELD_OBJECT_MAP,   /* keys are names, values have .fields → object of objects */
    FIELD_OBJECT_LIST,  /* items have .fields                 → array of objects */
    FIELD_ANY,          /* anything; scalars become text      → any */
};

enum field_flag {
    FIELD_REQUIRED = 1, /* must be there */
    FIELD_LITERAL = 2,  /* no ${{ }} in it (rule 3) */
    FIELD_SHORT = 4,    /* `type: scalar` is short for `type: { this: scalar }`; at most one a table */
    FIELD_SCRIPT = 8,   /* text for an interpreter: ${{ }} is an error that shows the env way */
    FIELD_LATER = 16,   /* in the language, not in this version: an error that says so */
};

struct field {
    const char *name;
    enum field_type type;
    unsigned flags;
    const char *fallback;       /* default as one would write it; NULL = absent; of an object "{}": its fields' defaults */
    int64_t min, max;           /* inclusive, in the unit of the type's JSON; both 0 = no bounds */
    const char *const *choices; /* NULL-ended */
    const char *const *later;   /* choices of the language that this version lacks; NULL-ended, or NULL */
    const struct field *fields; /* of objects, maps and lists of them; ends with name == NULL */
    const char *help;           /* one sentence, present tense, no full stop needed */
};

#define FIELD_END \
    { \
        .name = 0 \
    }

#endif
