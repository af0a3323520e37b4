/*
 * What echoclient and echoserver share, so that they show the calls of nstcp and little else: the
 * command line, the stack, and its end, by itself or by a signal.
 *
 * Exit status: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef CLI_H
#define CLI_H

#include <pthread.h>

#include "nstcp.h"

struct cli {
    const char *program;
    struct nstcp *stack;
    struct sockaddr_storage addr; /* ADDR PORT */
    socklen_t addr_len;
    char addr_text[80];  /* "10.0.1.1:40000" */
    int freebind;        /* --freebind: ADDR need not be this host's */
    pthread_t on_signal; /* calls nstcp_stop at SIGINT, SIGTERM and SIGHUP */
    sigset_t signals;
    int trace_fd;
};

/* Reads "PROGRAM [--trace[=FILE]] [--help] ADDR PORT" and makes the stack. Exits at --help and
 * where that fails. From here on a signal stops the stack: every call fails with ESHUTDOWN. Called
 * before any thread is started. */
void cli_begin(struct cli *cli, const char *program, const char *help, char **argv);

/* Prints "PROGRAM: WHAT ADDR:PORT: why by errno; what to do about it". Returns 1. */
int cli_failed(const struct cli *cli, const char *what);

/* Ends the stack in order, within 5 s. No other thread may use it any more. Returns the exit
 * status: status, or 1 if something had to be reset. */
int cli_end(struct cli *cli, int status);

#endif
