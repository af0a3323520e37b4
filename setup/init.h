/* init.h - process 1 of a private lab. */
#ifndef NETNS_INIT_H
#define NETNS_INIT_H

#include <signal.h>

struct init {
    char **argv;             /* the command */
    int orders;              /* numbers of signals to pass on, a byte each; at its end, we end */
    int tty;                 /* the terminal to hand to the command as a group of its own, or -1 */
    const sigset_t *watched; /* blocked, like SIGCHLD */
    const sigset_t *mask;    /* the command's signal mask */
};

/* Builds the lab and runs the command. Never returns; exits with what private_run is to return. */
_Noreturn void init_run(const struct init *init);

#endif
