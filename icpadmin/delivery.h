/* How an attempt to deliver a message ended. */
#ifndef ICP_DELIVERY_H
#define ICP_DELIVERY_H

#include "error.h"

typedef enum icp_delivery_e {
    ICP_DELIVERED,
    ICP_LATER,   /* this message is to be tried again */
    ICP_NEVER,   /* and this one not: trying again is of no use */
    ICP_NOTHING  /* nothing can leave this way now: no other is to be tried */
} icp_delivery_e;

typedef struct icp_delivery_t {
    icp_delivery_e end;
    const char *answer; /* what the other side said, or what went wrong; one line */
} icp_delivery_t;

#endif
