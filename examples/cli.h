/*
 * What the examples share, so that they show the calls of nstcp and little else: the command line,
 * the stack, and its end, by itself or by a signal.
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
    const char *file;    /* FILE */
    int freebind;        /* --freebind: ADDR need not be this host's */
    pthread_t on_signal; /* calls nstcp_stop at SIGINT, SIGTERM and SIGHUP */
    int stop_fd;         /* can be read from then on */
    int stopper_fd;      /* the pipe's other end */
    sigset_t signals;
    int trace_fd, pcap_fd;  /* 0: none */
    struct timeval timeout; /* --timeout; zero: none */
    bool timed_out;         /* cli_failed has said so */
};

/* Reads "PROGRAM [OPTIONS] ARGUMENTS", these being "ADDR PORT" or "ADDR PORT FILE", with --freebind
 * among the options of a program whose help names it, and makes the stack, with --timeout as its
 * user timeout: what was sent and is not acknowledged for so long ends the connection with
 * ETIMEDOUT. Exits at --help and where that fails. From here on a signal stops the stack: every
 * call fails with ESHUTDOWN. Called before any thread is started. */
void cli_begin(struct cli *cli, const char *program, const char *arguments, const char *help,
               char **argv);

/* Binds the server's socket to ADDR PORT, listens, and says so. Clients that vanish are noticed, by
 * keep-alives. -1 with errno. */
int cli_listen(const struct cli *cli, int sock, int backlog);

/* Gives the socket the limits of --timeout, if there is one: SO_SNDTIMEO and SO_RCVTIMEO. A connect
 * then fails with EINPROGRESS, a send or recv with EAGAIN. */
void cli_limit(const struct cli *cli, int sock);

/* Whether nstcp_close is to reset the connection from now on, so that the peer does not take what
 * it has got for all: SO_LINGER. */
void cli_reset_at_close(const struct cli *cli, int sock, bool on);

/* nstcp_send of all. A send that takes a part only has met an error, which the next one tells, or
 * has timed out; and then there was progress. False with errno. */
bool cli_send(const struct cli *cli, int sock, const void *buf, size_t len);

/* read(2), which waits also where fd does not; -1 with ECANCELED when stop_fd can be read. */
ssize_t cli_read(int fd, int stop_fd, void *buf, size_t len);

/* Prints "PROGRAM: WHAT ADDR:PORT: why by errno; what to do about it". Returns 1. */
int cli_failed(struct cli *cli, const char *what);

/* Ends the stack in order, within 5 s; at once when something has timed out. No other thread may
 * use it any more. Returns the exit status: status, or 1 if something had to be reset. */
int cli_end(struct cli *cli, int status);

#endif
