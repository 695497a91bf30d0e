#include "log.h"

#include <stdarg.h>
#include <stdio.h>

static icp_log_printer_t *the_printer;
static void *the_baton;

void icp_log_install(icp_log_printer_t *printer, void *baton)
{
    the_printer = printer;
    the_baton = baton;
}

void icp_log(icp_log_level_e level, const char *format, ...)
{
    char message[1024];
    va_list args;
    if (!the_printer) return;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    the_printer(level, message, the_baton);
}
