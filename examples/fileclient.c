/*
 * fileclient ADDR PORT FILE - sends FILE, or with "-" its standard input, to a file server.
 *
 *     fileclient 10.0.1.1 40000 picture.jpg
 *
 * A FIN says that this was all of it, and the server's FIN that it has got and stored it. What ends
 * too early must not look like that: SO_LINGER is set, with no time to linger, until the server has
 * closed the connection. So a signal or a read that fails resets it.
 */
#include "cli.h"
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

static const char help[] =
    "Sends FILE (-: standard input) to a server that stores it: fileserver, or\n"
    "nc -l ADDR PORT >COPY. Ends well when the server has closed the connection,\n"
    "which fileserver does when the file is stored. With --timeout also fails when\n"
    "the server does not do so within S seconds.\n";

static struct cli cli;
static struct progress progress;

static int input_failed(const char *what)
{
    if (errno == ECANCELED)
        return cli_failed(&cli, "send to"); /* interrupted */
    fprintf(stderr, "fileclient: %s %s: %s\n", what,
            strcmp(cli.file, "-") == 0 ? "standard input" : cli.file, strerror(errno));
    return 1;
}

static int send_failed(void)
{
    progress_clear(&progress);
    return cli_failed(&cli, "send to");
}

/* All of the file, read to where it is sent from, and the FIN. 0, or 1. */
static int send_file(int sock, int file)
{
    ssize_t n;
    do {
        void *buf;
        ssize_t room = nstcp_reserve(cli.stack, sock, &buf, BUFFER, 0);
        if (room < 0)
            return send_failed();
        n = cli_read(file, cli.stop_fd, buf, (size_t)room);
        if (n < 0) {
            progress_clear(&progress);
            return input_failed("read");
        }
        if (nstcp_commit(cli.stack, sock, (size_t)n, 0) < 0)
            return send_failed();
        progress_add(&progress, (size_t)n);
    } while (n > 0);
    nstcp_shutdown(cli.stack, sock, SHUT_WR);
    return 0;
}

/* Until the server has closed its half, too. 0, or 1. */
static int wait_for_end(int sock)
{
    char answer[1024]; /* not expected, and nobody's */
    ssize_t n;
    while ((n = nstcp_recv(cli.stack, sock, answer, sizeof answer, 0)) > 0)
        ;
    if (n < 0) {
        progress_clear(&progress);
        return cli_failed(&cli, "store at");
    }
    cli_reset_at_close(&cli, sock, false);
    progress_result(&progress, "sent");
    return 0;
}

/* -1 with errno. *size: octets, or -1 for what is not a regular file. Does not wait for the writer
 * of a FIFO: cli_read does, until a signal. */
static int open_file(int64_t *size)
{
    struct stat st;
    int file = STDIN_FILENO;
    if (strcmp(cli.file, "-") != 0)
        file = open(cli.file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &st) < 0)
        return -1;
    *size = S_ISREG(st.st_mode) ? st.st_size : -1;
    errno = EISDIR;
    return S_ISDIR(st.st_mode) ? -1 : file;
}

static int transfer(int sock, int file, int64_t size)
{
    cli_reset_at_close(&cli, sock, true);
    cli_limit(&cli, sock);
    if (nstcp_connect(cli.stack, sock, (struct sockaddr *)&cli.addr, cli.addr_len) < 0)
        return cli_failed(&cli, "connect to");
    progress_begin(&progress, size);
    int status = send_file(sock, file);
    if (status == 0)
        status = wait_for_end(sock);
    nstcp_close(cli.stack, sock);
    return status;
}

int main(int argc, char **argv)
{
    (void)argc;
    int status;
    cli_begin(&cli, "fileclient", "ADDR PORT FILE", help, argv);
    int64_t size;
    int file = open_file(&size);
    int sock = file < 0 ? -1 : nstcp_socket(cli.stack, cli.addr.ss_family, SOCK_STREAM, 0);
    if (file < 0)
        status = input_failed("read");
    else if (sock < 0)
        status = cli_failed(&cli, "open a socket for");
    else
        status = transfer(sock, file, size);
    return cli_end(&cli, status);
}
