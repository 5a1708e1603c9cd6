/* names.h: the collections and states of TM Forum's APIs that we speak about, by numbers instead of by one peer's spelling. */
#ifndef CRESCENDO_NET_TMF_NAMES_H
#define CRESCENDO_NET_TMF_NAMES_H

#include <stdbool.h>

enum tmf_collection {
    TMF_SERVICE_SPECIFICATION, /* 633 */
    TMF_SERVICE_CANDIDATE,     /* 633 */
    TMF_PRODUCT_SPECIFICATION, /* 620 */
    TMF_PRODUCT_OFFERING,      /* 620 */
    TMF_SERVICE_ORDER,         /* 641 */
    TMF_CANCEL_SERVICE_ORDER,  /* 641 */
    TMF_SERVICE,               /* 638 */
    TMF_COLLECTION_COUNT
};

/* Of orders and of their items. */
enum tmf_order_state {
    TMF_ORDER_UNKNOWN,
    TMF_ORDER_ACKNOWLEDGED,
    TMF_ORDER_REJECTED,
    TMF_ORDER_PENDING,
    TMF_ORDER_HELD,
    TMF_ORDER_IN_PROGRESS,
    TMF_ORDER_CANCELLED,
    TMF_ORDER_COMPLETED,
    TMF_ORDER_FAILED,
    TMF_ORDER_PARTIAL,
    TMF_ORDER_ASSESSING_CANCELLATION,
    TMF_ORDER_PENDING_CANCELLATION,
    TMF_ORDER_STATE_COUNT
};

enum tmf_service_state {
    TMF_SERVICE_UNKNOWN,
    TMF_SERVICE_FEASIBILITY_CHECKED,
    TMF_SERVICE_DESIGNED,
    TMF_SERVICE_RESERVED,
    TMF_SERVICE_INACTIVE,
    TMF_SERVICE_ACTIVE,
    TMF_SERVICE_TERMINATED,
    TMF_SERVICE_STATE_COUNT
};

/* From any peer's spelling: inProgress, INPROGRESS, IN_PROGRESS. NULL and others are UNKNOWN. */
enum tmf_order_state tmf_order_state_read(const char *text);
enum tmf_service_state tmf_service_state_read(const char *text);

/* Does nothing come after it? */
bool tmf_order_is_at_rest(enum tmf_order_state state);

#endif
