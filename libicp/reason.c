#include "reason.h"

#include <string.h>

const char *const icp_reason_names[ICP_REASON_COUNT] = {"missing",    "incorrect", "invalid", "hidden",
                                                        "unlicensed", "cancelled", "order"};

int icp_reason_index(const char *name)
{
    for (int i = 0; i < ICP_REASON_COUNT; i++) {
        if (!strcmp(icp_reason_names[i], name)) return i;
    }
    return -1;
}
