/*
 * echoclient ADDR PORT - sends its input to an echo server and prints what comes back.
 *
 *     echo hello | echoclient 10.0.1.1 40000
 *
 * Two directions, two threads: a server that echoes stops reading when nobody reads its echo, so a
 * client that sends all before it reads would wait for ever. At the end of the input the client
 * closes its half of the connection, prints the rest, and ends when the server has closed the
 * other.
 */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "Sends standard input to the TCP server at ADDR and PORT and prints what\n"
    "comes back, until the server has closed the connection. With --timeout also\n"
    "gives up when all is sent and for S seconds nothing more comes back; as long\n"
    "as the input goes on it may be silent.\n";

static struct cli cli;
static int sock;
static int over[2]; /* a pipe: its end tells send_input to end */

/* 0: all is sent, 1: it could not be read or sent, -1: neither yet */
static _Atomic int input_status = -1;

static void *send_input(void *arg)
{
    char buf[65536];
    ssize_t n;
    while ((n = cli_read(STDIN_FILENO, over[0], buf, sizeof buf)) > 0) {
        if (!cli_send(&cli, sock, buf, (size_t)n)) {
            if (errno == EPIPE || errno == EBADF || errno == ESHUTDOWN)
                return arg; /* the connection is over: main learns why */
            input_status = cli_failed(&cli, "send to");
            nstcp_shutdown(cli.stack, sock, SHUT_RD); /* ends main's recv */
            return arg;
        }
    }
    if (n < 0 && errno == ECANCELED)
        return arg;
    if (n < 0)
        fprintf(stderr, "echoclient: read standard input: %s\n", strerror(errno));
    input_status = n < 0;
    nstcp_shutdown(cli.stack, sock, SHUT_WR);
    return arg;
}

static bool print(const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, buf, len);
        if (n < 0 && errno == EAGAIN) { /* somebody has made it non-blocking */
            poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
            continue;
        }
        if (n < 0) {
            fprintf(stderr, "echoclient: write standard output: %s\n", strerror(errno));
            return false;
        }
        buf += n;
        len -= (size_t)n;
    }
    return true;
}

/* Until the server has closed the connection. 0, or 1 when something went wrong. */
static int print_answers(void)
{
    char buf[65536];
    for (;;) {
        bool all_sent = input_status == 0;
        ssize_t n = nstcp_recv(cli.stack, sock, buf, sizeof buf, 0);
        if (n == 0)
            return 0;
        if (n < 0 && (errno != EAGAIN || all_sent))
            return cli_failed(&cli, "receive from");
        if (n > 0 && !print(buf, (size_t)n))
            return 1;
    }
}

static int talk(void)
{
    pthread_t sender;
    if (pipe(over) < 0)
        return cli_failed(&cli, "open a pipe for");
    errno = pthread_create(&sender, NULL, send_input, NULL);
    if (errno)
        return cli_failed(&cli, "start a thread for");
    int status = print_answers();
    int input = input_status;     /* now: until it has ended, send_input may meet the end */
    nstcp_close(cli.stack, sock); /* ends a send that waits */
    close(over[1]);               /* ends a read that waits */
    pthread_join(sender, NULL);
    if (status == 0 && input < 0)
        fprintf(stderr, "echoclient: %s closed the connection before the end of the input\n",
                cli.addr_text);
    return status || input ? 1 : 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    cli_begin(&cli, "echoclient", "ADDR PORT", help, argv);
    sock = nstcp_socket(cli.stack, cli.addr.ss_family, SOCK_STREAM, 0);
    int status;
    if (sock >= 0)
        cli_limit(&cli, sock);
    if (sock < 0 || nstcp_connect(cli.stack, sock, (struct sockaddr *)&cli.addr, cli.addr_len) < 0)
        status = cli_failed(&cli, "connect to");
    else
        status = talk();
    return cli_end(&cli, status);
}
