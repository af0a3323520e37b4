/* init.h - process 1 of a private lab. */
#ifndef NETNS_INIT_H
#define NETNS_INIT_H

#include <signal.h>

/* Builds the lab, runs argv with signal mask `mask`, and passes on the signals whose numbers it
 * reads, a byte each, from descriptor `orders`; at its end of file the lab ends. `watched` and
 * SIGCHLD are blocked. Never returns; exits with what private_run is to return. */
_Noreturn void init_run(char **argv, int orders, const sigset_t *watched, const sigset_t *mask);

#endif
