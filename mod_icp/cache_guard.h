/* Keeps mod_cache from answering a bearer of a pass: what it stored before the suspension is not what is there now. */
#ifndef MOD_ICP_CACHE_GUARD_H
#define MOD_ICP_CACHE_GUARD_H

/* pre_config, once all modules are loaded: hooks around mod_cache's, where that is loaded; no cost otherwise. */
void icp_cache_guard_register(void);

#endif
