/* See cli.h. */
#include "cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr6.h"

#define END_MS      5000
#define TIMEOUT_MAX 4000000.0 /* seconds; 46 days */

static const char options_help[] =
    "\n"
    "  --trace[=FILE]  write every segment, state change, retransmission and event\n"
    "                  to FILE, or to standard error, a line each\n"
    "  --pcap FILE     write every packet to FILE, for tshark or Wireshark\n"
    "  --timeout S     give up after S seconds (such as 8 or 0.5) without progress:\n"
    "                  without an answer to the connect or an acknowledgement of\n"
    "                  what was sent, or without room to send more\n"
    "  --help          print this and end\n"
    "\n"
    "Needs root, or a private lab: ./setup/netns.sh run. Exit status: 0 done, 1 failed,\n"
    "2 wrong usage.\n";

static const struct {
    int error;
    const char *advice;
} advices[] = {
    {EACCES, "ports below 1024 need root"},
    {EADDRINUSE, "another program has this port: end it, or choose another port"},
    {EADDRNOTAVAIL, "bind to an address of this host; connect to one of another host"},
    {ECONNREFUSED, "nobody listens there: start the server first"},
    {ECONNRESET, "the other program has given up: see what it says, and try again"},
    {EHOSTUNREACH, "see `ip link` and `ip route`"},
    {ENETUNREACH, "see `ip link` and `ip route`"},
    {EPERM, "run it as root, or inside ./setup/netns.sh run"},
    {ETIMEDOUT, "is the other host up, and the way to it?"},
    {EAGAIN, "the other program does not go on, or the way to it is cut"},
};

static const char *advice_for(int error)
{
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++) {
        if (advices[i].error == error)
            return advices[i].advice;
    }
    return NULL;
}

int cli_failed(struct cli *cli, const char *what)
{
    int error = errno == EINPROGRESS ? ETIMEDOUT : errno; /* of a connect that blocks */
    if (error == ESHUTDOWN || error == ECANCELED) {
        fprintf(stderr, "%s: interrupted\n", cli->program);
        return 1;
    }
    const char *advice = advice_for(error);
    bool timed_out = error == ETIMEDOUT || error == EAGAIN;
    cli->timed_out |= timed_out;
    fprintf(stderr, "%s: %s %s: %s%s%s\n", cli->program, what, cli->addr_text,
            timed_out ? "timed out" : strerror(error), advice ? "; " : "", advice ? advice : "");
    return 1;
}

__attribute__((noreturn)) static void wrong_usage(const struct cli *cli, const char *what,
                                                  const char *value)
{
    fprintf(stderr, "%s: %s%s; see %s --help\n", cli->program, what, value, cli->program);
    exit(2);
}

static void read_address(struct cli *cli, const char *addr, const char *port_text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char *end;
    long port = strtol(port_text, &end, 10);
    if (end == port_text || *end || port < 1 || port > 65535)
        wrong_usage(cli, "not a port from 1 to 65535: ", port_text);
    in.sin_port = in6.sin6_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, addr, &in.sin_addr) == 1) {
        cli->addr_len = sizeof in;
        memcpy(&cli->addr, &in, sizeof in);
        snprintf(cli->addr_text, sizeof cli->addr_text, "%s:%ld", addr, port);
    } else if (addr6_read(addr, &in6.sin6_addr, &in6.sin6_scope_id)) {
        cli->addr_len = sizeof in6;
        memcpy(&cli->addr, &in6, sizeof in6);
        snprintf(cli->addr_text, sizeof cli->addr_text, "[%s]:%ld", addr, port);
    } else {
        wrong_usage(cli, "not an IPv4 or IPv6 address: ", addr);
    }
}

/* A file that is written anew. */
static int open_record(const struct cli *cli, const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        fprintf(stderr, "%s: open %s: %s\n", cli->program, file, strerror(errno));
        exit(1);
    }
    return fd;
}

/* Of the option at *argv, which is --NAME VALUE or --NAME=VALUE: the value, and *argv at its last
 * word. NULL: it is another option. */
static const char *read_value(const struct cli *cli, const char *name, char ***argv)
{
    size_t len = strlen(name);
    const char *word = **argv;
    if (strncmp(word, name, len) != 0 || (word[len] && word[len] != '='))
        return NULL;
    if (word[len])
        return word + len + 1;
    if (!(*argv)[1])
        wrong_usage(cli, "a value is missing after ", name);
    return *++*argv;
}

static void read_timeout(struct cli *cli, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds > 0 && seconds <= TIMEOUT_MAX))
        wrong_usage(cli, "not a number of seconds above 0: ", text);
    cli->timeout.tv_sec = (time_t)seconds;
    cli->timeout.tv_usec = (suseconds_t)((seconds - (double)cli->timeout.tv_sec) * 1e6);
    if (seconds < 0.001)
        cli->timeout.tv_usec = 1000; /* what the stack can count */
}

static void read_arguments(struct cli *cli, const char *arguments, const char *help, char **argv)
{
    const char *words[3], *value;
    int n = 0, wanted = strstr(arguments, " FILE") ? 3 : 2;
    for (argv++; *argv; argv++) {
        if (strcmp(*argv, "--help") == 0) {
            printf("usage: %s [OPTIONS] %s\n\n%s%s", cli->program, arguments, help, options_help);
            exit(fflush(stdout) ? 1 : 0);
        }
        if (strcmp(*argv, "--trace") == 0)
            cli->trace_fd = STDERR_FILENO;
        else if (strncmp(*argv, "--trace=", 8) == 0)
            cli->trace_fd = open_record(cli, *argv + 8);
        else if ((value = read_value(cli, "--pcap", &argv)) != NULL)
            cli->pcap_fd = open_record(cli, value);
        else if ((value = read_value(cli, "--timeout", &argv)) != NULL)
            read_timeout(cli, value);
        else if (strcmp(*argv, "--freebind") == 0 && strstr(help, "--freebind"))
            cli->freebind = 1;
        else if (**argv == '-' && (*argv)[1])
            wrong_usage(cli, "no such option: ", *argv);
        else if (n == wanted)
            wrong_usage(cli, "one argument too many: ", *argv);
        else
            words[n++] = *argv;
    }
    if (n < wanted)
        wrong_usage(cli, "not given: ", arguments + (n > 0 ? 5 : 0) + (n > 1 ? 5 : 0));
    read_address(cli, words[0], words[1]);
    if (wanted > 2)
        cli->file = words[2];
}

static void *stop_on_signal(void *arg)
{
    struct cli *cli = arg;
    int which;
    sigwait(&cli->signals, &which);
    nstcp_stop(cli->stack);
    close(cli->stopper_fd);
    return NULL;
}

/* A standard descriptor that came closed would be the number of the next thing opened: a socket of
 * the stack, read as input or written to as output. In its place one that fails as a closed one. */
static void fill_standard(const struct cli *cli)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) {
            fprintf(stderr, "%s: open /dev/null: %s\n", cli->program, strerror(errno));
            exit(1);
        }
    }
}

void cli_begin(struct cli *cli, const char *program, const char *arguments, const char *help,
               char **argv)
{
    *cli = (struct cli){.program = program};
    fill_standard(cli);
    read_arguments(cli, arguments, help, argv);
    signal(SIGPIPE, SIG_IGN); /* write(2) says EPIPE, and the connection is closed in order */
    signal(SIGXFSZ, SIG_IGN); /* the same for EFBIG */
    sigemptyset(&cli->signals);
    sigaddset(&cli->signals, SIGINT);
    sigaddset(&cli->signals, SIGTERM);
    sigaddset(&cli->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &cli->signals, NULL);
    const struct nstcp_options options = {
        .trace_fd = cli->trace_fd,
        .pcap_fd = cli->pcap_fd,
        .user_timeout_ms =
            (unsigned)(cli->timeout.tv_sec * 1000 + (cli->timeout.tv_usec + 999) / 1000),
    };
    char why[NSTCP_WHY_MAX];
    if (nstcp_create(&cli->stack, &options, why) < 0) {
        fprintf(stderr, "%s: %s%s\n", cli->program, why,
                errno == EPERM ? "; run it as root, or inside ./setup/netns.sh run" : "");
        exit(1);
    }
    int stop[2];
    int err = pipe2(stop, O_CLOEXEC) < 0 ? errno : 0;
    if (!err) {
        cli->stop_fd = stop[0];
        cli->stopper_fd = stop[1];
        err = pthread_create(&cli->on_signal, NULL, stop_on_signal, cli);
    }
    if (err) {
        fprintf(stderr, "%s: start a thread: %s\n", cli->program, strerror(err));
        exit(1);
    }
}

int cli_listen(const struct cli *cli, int sock, int backlog)
{
    const int freebind = cli->freebind, on = 1;
    if (nstcp_setsockopt(cli->stack, sock, IPPROTO_IP, IP_FREEBIND, &freebind, sizeof freebind) <
            0 ||
        nstcp_setsockopt(cli->stack, sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0 ||
        nstcp_bind(cli->stack, sock, (const struct sockaddr *)&cli->addr, cli->addr_len) < 0 ||
        nstcp_listen(cli->stack, sock, backlog) < 0)
        return -1;
    printf("listening on %s\n", cli->addr_text);
    fflush(stdout);
    return 0;
}

void cli_limit(const struct cli *cli, int sock)
{
    const struct timeval *limit = &cli->timeout; /* zero, as it is from the start: no limit */
    nstcp_setsockopt(cli->stack, sock, SOL_SOCKET, SO_SNDTIMEO, limit, sizeof *limit);
    nstcp_setsockopt(cli->stack, sock, SOL_SOCKET, SO_RCVTIMEO, limit, sizeof *limit);
}

void cli_reset_at_close(const struct cli *cli, int sock, bool on)
{
    const struct linger linger = {.l_onoff = on, .l_linger = 0};
    nstcp_setsockopt(cli->stack, sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

bool cli_send(const struct cli *cli, int sock, const void *buf, size_t len)
{
    for (const char *at = buf; len > 0;) {
        ssize_t n = nstcp_send(cli->stack, sock, at, len, 0);
        if (n < 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

ssize_t cli_read(int fd, int stop_fd, void *buf, size_t len)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd}};
    ssize_t n;
    do {
        if (poll(fds, 2, -1) < 0)
            return -1;
        if (fds[1].revents) {
            errno = ECANCELED;
            return -1;
        }
        n = read(fd, buf, len);
    } while (n < 0 && errno == EAGAIN); /* non-blocking, and another reader was faster */
    return n;
}

int cli_end(struct cli *cli, int status)
{
    pthread_kill(cli->on_signal, SIGTERM); /* it waits for this, or has had one already */
    pthread_join(cli->on_signal, NULL);
    pthread_sigmask(SIG_UNBLOCK, &cli->signals, NULL); /* a second ^C ends it at once */
    if (nstcp_destroy(cli->stack, cli->timed_out ? 0 : END_MS) < 0 && !cli->timed_out) {
        fprintf(stderr, "%s: connections without an answer for %d s were reset\n", cli->program,
                END_MS / 1000);
        return 1;
    }
    return status;
}
