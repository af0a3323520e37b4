/*
 * What echoclient and echoserver share, so that they show the calls of nstcp and little else: the
 * command line, the stack, and its end, by itself or by a signal.
 *
 * Exit status: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef CLI_H
#define CLI_H

#include <pthread.h>
#include <stdbool.h>

#include "nstcp.h"

struct cli {
    const char *program;
    struct nstcp *stack;
    struct sockaddr_storage addr; /* ADDR PORT */
    socklen_t addr_len;
    char addr_text[80];  /* "10.0.1.1:40000" */
    pthread_t on_signal; /* calls nstcp_stop at SIGINT, SIGTERM and SIGHUP */
    sigset_t signals;
    int trace_fd;
    struct timeval timeout; /* --timeout; zero: none */
    bool timed_out;         /* cli_failed has said so */
};

/* Reads "PROGRAM [OPTIONS] ADDR PORT" and makes the stack, with --timeout as its user timeout: what
 * was sent and is not acknowledged for so long ends the connection with ETIMEDOUT. Exits at --help
 * and where that fails. From here on a signal stops the stack: every call fails with ESHUTDOWN.
 * Called before any thread is started. */
void cli_begin(struct cli *cli, const char *program, const char *help, char **argv);

/* Gives the socket the limits of --timeout, if there is one: SO_SNDTIMEO and SO_RCVTIMEO. A connect
 * then fails with EINPROGRESS, a send or recv with EAGAIN. */
void cli_limit(const struct cli *cli, int sock);

/* Prints "PROGRAM: WHAT ADDR:PORT: why by errno; what to do about it". Returns 1. */
int cli_failed(struct cli *cli, const char *what);

/* Ends the stack in order, within 5 s; at once when something has timed out. No other thread may
 * use it any more. Returns the exit status: status, or 1 if something had to be reset. */
int cli_end(struct cli *cli, int status);

#endif
