/*
 * echoserver ADDR PORT - sends back what its clients send, until SIGINT or SIGTERM.
 *
 *     echoserver 10.0.1.1 40000
 *
 * A thread for each client, as in the book: a client that does not read makes its own thread wait
 * and nobody else. 0.0.0.0 listens on all IPv4 addresses, :: on those of both families.
 */
#include "cli.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BACKLOG    128
#define STACK_SIZE (128 * 1024) /* of a client's thread, its buffer included */

static const char help[] =
    "Sends back what its clients send, any number of clients at once, until\n"
    "SIGINT (^C) or SIGTERM; then closes their connections. With --timeout also\n"
    "closes that of a client which sends nothing for S seconds, or does not read.\n"
    "With --freebind ADDR may be one that no host has: it is ours meanwhile.\n";

static struct cli cli;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t client_gone = PTHREAD_COND_INITIALIZER;
static unsigned clients;

static void *echo(void *arg)
{
    int sock = (int)(intptr_t)arg;
    char buf[32768];
    ssize_t n;
    cli_limit(&cli, sock);
    while ((n = nstcp_recv(cli.stack, sock, buf, sizeof buf, 0)) > 0) {
        if (nstcp_send(cli.stack, sock, buf, (size_t)n, 0) < n)
            break; /* the client is gone, or nstcp_stop was called */
    }
    nstcp_close(cli.stack, sock);
    pthread_mutex_lock(&lock);
    clients--;
    pthread_cond_signal(&client_gone);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void start(int sock)
{
    pthread_t thread;
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    pthread_mutex_lock(&lock);
    int err = pthread_create(&thread, &attr, echo, (void *)(intptr_t)sock);
    if (err) {
        fprintf(stderr, "echoserver: start a thread: %s\n", strerror(err));
        nstcp_close(cli.stack, sock);
    } else {
        clients++;
    }
    pthread_mutex_unlock(&lock);
    pthread_attr_destroy(&attr);
}

/* Waits until no more than `most` clients are left. */
static void wait_for_clients(unsigned most)
{
    pthread_mutex_lock(&lock);
    while (clients > most)
        pthread_cond_wait(&client_gone, &lock);
    pthread_mutex_unlock(&lock);
}

/* Until nstcp_stop is called; by cli.c, at a signal. */
static int serve(int listener)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        unsigned before = clients;
        pthread_mutex_unlock(&lock);
        int sock = nstcp_accept(cli.stack, listener, NULL, NULL);
        if (sock >= 0) {
            start(sock);
        } else if (errno == ESHUTDOWN) {
            return 0;
        } else {
            cli_failed(&cli, "accept on");
            if (before == 0)
                return 1;
            wait_for_clients(before - 1); /* want of memory: until some client is gone */
        }
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    int status;
    cli_begin(&cli, "echoserver", "ADDR PORT", help, argv);
    int listener = nstcp_socket(cli.stack, cli.addr.ss_family, SOCK_STREAM, 0);
    if (listener < 0 || cli_listen(&cli, listener, BACKLOG) < 0)
        status = cli_failed(&cli, "bind");
    else
        status = serve(listener);
    wait_for_clients(0);
    return cli_end(&cli, status);
}
