/* The version of all of mod_icp: module, core and command line are released together. */
#ifndef ICP_VERSION_H
#define ICP_VERSION_H

#define ICP_VERSION "0.1.0"

#endif
