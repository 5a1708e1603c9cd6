/* resource.h: one engine for every TM Forum resource. A const table says what a resource is; the engine answers its list, get, create,
   patch and delete from the journal's documents, and asks the table's hooks where a resource has a life of its own. A document is JSON with
   `id`, `href` and `@type`, kept as canonical text in the collection of the resource's name. One loop thread. */
#ifndef CRESCENDO_TMF_RESOURCE_H
#define CRESCENDO_TMF_RESOURCE_H

#include "http/server.h"
#include "store/journal.h"

struct tmf_api;  /* all resources of a core */
struct tmf_call; /* one request, from its arrival until it is answered */

enum tmf_type {
    TMF_TEXT,
    TMF_TIME,  /* RFC 3339 */
    TMF_CLOCK, /* the same, and as the standard's own samples write it, without seconds or zone: nothing is computed from it */
    TMF_BOOLEAN,
    TMF_INTEGER,
    TMF_NUMBER,
    TMF_OBJECT,    /* .fields */
    TMF_LIST,      /* of objects with .fields */
    TMF_TEXT_LIST, /* of text */
    TMF_ANY,       /* any JSON, null too */
};
enum tmf_flag {
    TMF_REQUIRED = 1, /* in a create, and not to be removed by a patch; within an object: whenever the object is there */
    TMF_FIXED = 2,    /* cannot be changed by a patch */
    TMF_SERVER = 4,   /* the server makes it: dropped from a create, and fixed */
};
/* A member that a document may have; others are kept as they come. null is as if it was not there, but for TMF_ANY. */
struct tmf_field {
    const char *name;
    enum tmf_type type;
    unsigned flags;
    const struct tmf_field *fields;
    const char *const *choices; /* of text: NULL-ended; NULL = any text */
    const char *refers;         /* of an object, or a list of them: the collection that must have what its `id` names; NULL = none */
};
#define TMF_END \
    { \
        .name = 0 \
    }

/* A hook's word on a change. */
enum tmf_verdict {
    TMF_GO_ON,   /* it is written and answered */
    TMF_REFUSED, /* the hook has filled *err, and it is answered with that */
    TMF_TAKEN,   /* the hook answers, at once or later, by tmf_answer or tmf_refuse, and writes what is to be written */
};
struct tmf_change {
    struct tmf_call *call;
    const json_t *stored; /* the document as it is; NULL in a create */
    json_t *document;     /* as it will be, the hook may change it, or keep it by json_incref; NULL in a delete. Of a create: with id,
                             href, @type and defaults */
    char *id;             /* of a create: may be replaced (malloc'd; href follows) */
    char *key;            /* of a create: the document's key, when the hook sets one (malloc'd) */
};
typedef enum tmf_verdict tmf_hook(struct tmf_change *change, struct error *err);

enum tmf_verb { TMF_READ = 1, TMF_CREATE = 2, TMF_PATCH = 4, TMF_DELETE = 8, TMF_EVERY_VERB = 15 };

struct tmf_resource {
    const char *base;                           /* "/tmf-api/serviceCatalogManagement/v4" */
    const char *name;                           /* "serviceSpecification": the path's last part and the collection */
    const char *type;                           /* @type where a document names none: "ServiceSpecification" */
    unsigned verbs;                             /* enum tmf_verb; others are 405 */
    const struct tmf_field *fields;             /* id, href, @type and lastUpdate need not be in it */
    const char *state, *first;                  /* "lifecycleStatus" is "In study" where a create does not say; NULL = none */
    const char *updated;                        /* "lastUpdate": a time that each write sets; NULL = none */
    tmf_hook *on_create, *on_patch, *on_delete; /* NULL = TMF_GO_ON */
};

/* context is what tmf_context gives to hooks: the core. resources: NULL-ended, borrowed. A journal is borrowed, too. */
struct tmf_api *tmf_api_new(struct journal *journal, const struct tmf_resource *const *resources, void *context);
void tmf_api_free(struct tmf_api **api);
/* One for each resource and one for each base, ended by routes == NULL; valid for the api's life. What was not answered when it ends
   is answered 503. */
const struct http_mount *tmf_api_mounts(const struct tmf_api *api);

/* --- for hooks --- */
void *tmf_context(const struct tmf_call *call);
struct request *tmf_request(const struct tmf_call *call); /* its user, its query */
struct journal *tmf_journal(const struct tmf_call *call);
const struct tmf_resource *tmf_resource_of(const struct tmf_call *call);

/* Exactly one of these for a call that was taken, at once or later; both free it. */
/* status 201 has a Location of the body's href. Steals body; NULL = no body (204). */
void tmf_answer(struct tmf_call *call, int status, json_t *body);
void tmf_refuse(struct tmf_call *call, const struct error *err); /* error_code_http */
/* Writes documents and answers when they are on disk: the simple end of a hook that writes more than its own document. Steals body. */
void tmf_write_and_answer(struct tmf_call *call, const struct document *documents, size_t count, int status, json_t *body);

/* --- documents --- */
/* Parsed; caller owns. Sees what is queued. -ERROR_NOT_FOUND: "there is no serviceOrder 17". */
int tmf_read(struct journal *journal, const char *collection, const char *id, json_t **ret, struct error *err) MUST_CHECK;
/* Parsed documents, oldest first, that are committed and whose text holds `holds` (NULL: all); borrowed for the call; non-zero ends. */
int tmf_list_documents(struct journal *journal, const char *collection, const char *holds,
    int (*each)(void *context, const json_t *document), void *context, struct error *err) MUST_CHECK;
/* Sets id and href, and @type where there is none. */
void tmf_put_identity(const struct tmf_resource *resource, json_t *document, const char *id);
/* For a batch or tmf_write_and_answer: document's canonical text as *ret, which points into *ret_text (caller frees) and borrows id. */
void tmf_document(const struct tmf_resource *resource, const char *id, const json_t *document, struct document *ret, char **ret_text);
char *tmf_href(const struct tmf_resource *resource, const char *id); /* caller frees */
char *tmf_new_id(void);                                              /* a random UUID; caller frees */
void tmf_put_time(json_t *document, const char *name, int64_t ms);   /* 2026-01-31T08:00:00.000Z */

/* {code, reason, message, status, referenceError, @type: "Error"}; for http_mount.error_body. */
json_t *tmf_error_body(const struct error *err, int status);

#endif
