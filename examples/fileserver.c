/*
 * fileserver ADDR PORT FILE - stores in FILE what the first client sends.
 *
 *     fileserver 10.0.1.1 40000 copy
 *
 * The client's FIN is the end of the file. Whoever has not got that far, by a reset or a signal,
 * leaves no FILE; and the client learns what became of it, since all but success ends the
 * connection with a RST. For that SO_LINGER is set, with no time to linger, until FILE is there.
 */
#include "cli.h"
#include "progress.h"
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUFFER (256 * 1024)

static const char help[] =
    "Waits for a client and stores in FILE what it sends. FILE appears when all of\n"
    "it is there, in place of an older one: never a part. Then closes the\n"
    "connection, by which fileclient knows; resets it when anything fails. With\n"
    "nc as client: nc -N ADDR PORT <FILE. With --timeout also fails when a client\n"
    "sends nothing for S seconds. With --freebind ADDR may be one that no host has:\n"
    "it is ours meanwhile.\n";

static struct cli cli;
static struct store store;
static struct progress progress;

static int store_failed(const char *what)
{
    progress_clear(&progress);
    fprintf(stderr, "fileserver: %s %s: %s\n", what, cli.file, strerror(errno));
    return 1;
}

/* 0 when the file is stored, else 1. */
static int receive(int sock)
{
    const void *text; /* where it has arrived */
    ssize_t n;
    progress_begin(&progress, -1);
    while ((n = nstcp_borrow(cli.stack, sock, &text, BUFFER, 0)) > 0) {
        if (!store_write(&store, text, (size_t)n))
            return store_failed("write");
        nstcp_release(cli.stack, sock);
        progress_add(&progress, (size_t)n);
    }
    if (n < 0) {
        progress_clear(&progress);
        return cli_failed(&cli, "receive on");
    }
    if (!store_finish(&store))
        return store_failed("store");
    cli_reset_at_close(&cli, sock, false);
    progress_result(&progress, "stored");
    return 0;
}

static int serve(int listener)
{
    if (cli_listen(&cli, listener, 1) < 0)
        return cli_failed(&cli, "bind");
    int sock = nstcp_accept(cli.stack, listener, NULL, NULL);
    if (sock < 0)
        return cli_failed(&cli, "accept on");
    cli_reset_at_close(&cli, sock, true);
    cli_limit(&cli, sock);
    nstcp_close(cli.stack, listener); /* whoever comes later is refused */
    int status = receive(sock);
    nstcp_close(cli.stack, sock);
    return status;
}

int main(int argc, char **argv)
{
    (void)argc;
    int status;
    cli_begin(&cli, "fileserver", "ADDR PORT FILE", help, argv);
    int listener = nstcp_socket(cli.stack, cli.addr.ss_family, SOCK_STREAM, 0);
    if (listener < 0)
        status = cli_failed(&cli, "open a socket for");
    else if (!store_begin(&store, cli.file))
        status = store_failed("write");
    else
        status = serve(listener);
    store_end(&store);
    return cli_end(&cli, status);
}
