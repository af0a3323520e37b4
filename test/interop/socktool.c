/*
 * Sockets by remote control, of the kernel's TCP or ours:
 *
 *     socktool kernel|nstcp [trace] [msl=MS] [user_timeout=MS]
 *
 * Reads commands, "TAG COMMAND ARGS...", each of which runs in a thread of its own, and answers
 * each with "TAG RESULT ERROR TEXT...": what the call returned, the name of errno or OK, and what
 * else there is. So a call that waits does not keep the others. SOCK is what `socket` and `accept`
 * return.
 *
 *     socket 4|6                          bind SOCK ADDR PORT        connect SOCK ADDR PORT
 *     listen SOCK BACKLOG                 accept SOCK                close SOCK
 *     shutdown SOCK wr|rd|rdwr            name SOCK                  peer SOCK
 *     linger SOCK on|off SECONDS          set SOCK LEVEL NAME VALUE  get SOCK LEVEL NAME
 *     nonblock SOCK 0|1                   poll SOCK EVENTS MS        (as poll(2) has them, added
 * up) send SOCK N SEED [MAX]              recv SOCK N SEED [MAX [PAUSE_US]] quit MS exit
 *
 * send and recv go on until N octets or a failure; RESULT is how many there were. The octets are
 * those of SEED at the place in the stream that this socket has reached; recv says END at the end
 * of the stream and DIFFERENT at an octet that is another one. MAX: each call with a random size
 * up to that, by SEED; PAUSE_US: between two calls. quit destroys the stack first; exit, or the end
 * of the input, does not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <nstcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls.h"

#define SOCKS_MAX   4096
#define CALL_MAX    ((size_t)256 * 1024)
#define WORDS_MAX   8
#define MAX_ADDRESS (INET6_ADDRSTRLEN + IF_NAMESIZE)

struct job {
    char line[256];
    char *word[WORDS_MAX]; /* tag, command, arguments */
    int n_words;
    long result;
    const char *error; /* NULL: by errno */
    char text[MAX_ADDRESS + 16];
};

static const struct calls *c;
static struct nstcp *stack;

/* Held while a call is answered, and taken before the next one begins: what was answered before a
 * command was read has happened before it, which the thread sanitizer would not know otherwise. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

/* How far each socket's two streams have got. */
static struct stream {
    _Atomic uint64_t sent, received;
} streams[SOCKS_MAX];

static uint64_t mix(uint64_t x) /* splitmix64 */
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The octets of a stream from `at` on. */
static void fill(uint8_t *buf, size_t len, uint64_t seed, uint64_t at)
{
    seed = mix(seed);
    size_t i = 0;
    while (i < len) {
        uint64_t word = mix(seed ^ (at + i) / 8);
        for (unsigned shift = (unsigned)((at + i) % 8) * 8; shift < 64 && i < len; shift += 8)
            buf[i++] = (uint8_t)(word >> shift);
    }
}

static long number(const struct job *j, int word, long otherwise)
{
    return word < j->n_words ? strtol(j->word[word], NULL, 0) : otherwise;
}

static int sock_of(const struct job *j)
{
    return (int)number(j, 2, -1);
}

/* The length of the next call: as much as there is room for, or random, small ones as often as
 * large ones. */
static size_t next_size(uint64_t *random, size_t max, uint64_t left)
{
    size_t n = max ? max : CALL_MAX;
    if (max) {
        *random = mix(*random);
        unsigned bits = 0;
        while (max >> bits)
            bits++;
        n = 1 + (*random >> 8) % ((uint64_t)1 << *random % (bits + 1));
        n = n < max ? n : max;
    }
    return n < left ? n : (size_t)left;
}

static _Atomic uint64_t *reached(int sock, bool sending)
{
    struct stream *s = &streams[sock];
    return sending ? &s->sent : &s->received;
}

static ssize_t send_some(int sock, uint8_t *buf, size_t len, uint64_t seed, uint64_t at)
{
    fill(buf, len, seed, at);
    return c->send(stack, sock, buf, len, 0);
}

static ssize_t recv_some(struct job *j, int sock, uint8_t *buf, size_t len, uint64_t at)
{
    uint8_t *expected = buf + CALL_MAX;
    ssize_t n = c->recv(stack, sock, buf, len, 0);
    if (n == 0)
        j->error = "END";
    if (n > 0)
        fill(expected, (size_t)n, (uint64_t)number(j, 4, 0), at);
    if (n > 0 && memcmp(buf, expected, (size_t)n) != 0)
        j->error = "DIFFERENT";
    return j->error ? 0 : n;
}

static void transfer(struct job *j, bool sending)
{
    int sock = sock_of(j);
    uint64_t total = (uint64_t)number(j, 3, 0), done = 0;
    uint64_t seed = (uint64_t)number(j, 4, 0), random = seed;
    size_t max = (size_t)number(j, 5, 0);
    unsigned pause_us = (unsigned)number(j, 6, 0);
    uint8_t *buf = malloc(2 * CALL_MAX);
    if (!buf || sock < 0 || sock >= SOCKS_MAX || max > CALL_MAX)
        abort();
    uint64_t at = *reached(sock, sending);
    ssize_t n = 1;
    while (done < total && n > 0) {
        size_t len = next_size(&random, max, total - done);
        n = sending ? send_some(sock, buf, len, seed, at + done)
                    : recv_some(j, sock, buf, len, at + done);
        done += n > 0 ? (uint64_t)n : 0;
        if (pause_us && done < total)
            usleep(pause_us);
    }
    if (n < 0)
        j->error = strerrorname_np(errno);
    *reached(sock, sending) = at + done;
    free(buf);
    j->result = (long)done;
}

static void do_send(struct job *j)
{
    transfer(j, true);
}

static void do_recv(struct job *j)
{
    transfer(j, false);
}

/* ADDR PORT from word 3 on; ADDR may be fe80::1%DEVICE. */
static socklen_t address(const struct job *j, struct sockaddr_storage *to)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    in_port_t port = htons((uint16_t)number(j, 4, 0));
    *to = (struct sockaddr_storage){0};
    if (j->n_words > 3 && inet_pton(AF_INET, j->word[3], &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        return sizeof *v4;
    }
    char *device = j->n_words > 3 ? strchr(j->word[3], '%') : NULL;
    if (device) {
        *device = '\0';
        v6->sin6_scope_id = if_nametoindex(device + 1);
    }
    if (j->n_words <= 3 || inet_pton(AF_INET6, j->word[3], &v6->sin6_addr) != 1)
        abort();
    v6->sin6_family = AF_INET6;
    v6->sin6_port = port;
    return sizeof *v6;
}

static void tell_address(struct job *j, const struct sockaddr_storage *addr)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)addr;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)addr;
    bool is_v4 = addr->ss_family == AF_INET;
    char text[MAX_ADDRESS], device[IF_NAMESIZE];
    inet_ntop(addr->ss_family, is_v4 ? (const void *)&v4->sin_addr : &v6->sin6_addr, text,
              sizeof text);
    if (!is_v4 && if_indextoname(v6->sin6_scope_id, device))
        strcat(strcat(text, "%"), device);
    snprintf(j->text, sizeof j->text, "%s %u", text, ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
}

static void forget(int sock)
{
    if (sock >= SOCKS_MAX)
        abort();
    if (sock >= 0)
        streams[sock].sent = streams[sock].received = 0;
}

static void do_socket(struct job *j)
{
    j->result = c->socket(stack, number(j, 2, 4) == 6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    forget((int)j->result);
}

static void do_bind(struct job *j)
{
    struct sockaddr_storage addr;
    socklen_t len = address(j, &addr);
    j->result = c->bind(stack, sock_of(j), (struct sockaddr *)&addr, len);
}

static void do_connect(struct job *j)
{
    struct sockaddr_storage addr;
    socklen_t len = address(j, &addr);
    j->result = c->connect(stack, sock_of(j), (struct sockaddr *)&addr, len);
}

static void do_listen(struct job *j)
{
    j->result = c->listen(stack, sock_of(j), (int)number(j, 3, 1));
}

static void do_accept(struct job *j)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    j->result = c->accept4(stack, sock_of(j), (struct sockaddr *)&addr, &len, 0);
    if (j->result < 0)
        return;
    forget((int)j->result);
    tell_address(j, &addr);
}

static void do_close(struct job *j)
{
    j->result = c->close(stack, sock_of(j));
}

static void do_shutdown(struct job *j)
{
    const char *how = j->n_words > 3 ? j->word[3] : "";
    j->result = c->shutdown(stack, sock_of(j),
                            strcmp(how, "wr") == 0   ? SHUT_WR
                            : strcmp(how, "rd") == 0 ? SHUT_RD
                                                     : SHUT_RDWR);
}

static void do_name(struct job *j)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    j->result = c->getsockname(stack, sock_of(j), (struct sockaddr *)&addr, &len);
    if (j->result == 0)
        tell_address(j, &addr);
}

static void do_peer(struct job *j)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    j->result = c->getpeername(stack, sock_of(j), (struct sockaddr *)&addr, &len);
    if (j->result == 0)
        tell_address(j, &addr);
}

static void do_linger(struct job *j)
{
    const struct linger linger = {j->n_words > 3 && strcmp(j->word[3], "on") == 0,
                                  (int)number(j, 4, 0)};
    j->result = c->setsockopt(stack, sock_of(j), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static void do_set(struct job *j)
{
    int value = (int)number(j, 5, 0);
    j->result = c->setsockopt(stack, sock_of(j), (int)number(j, 3, 0), (int)number(j, 4, 0), &value,
                              sizeof value);
}

static void do_get(struct job *j)
{
    int value = 0;
    socklen_t len = sizeof value;
    j->result =
        c->getsockopt(stack, sock_of(j), (int)number(j, 3, 0), (int)number(j, 4, 0), &value, &len);
    if (j->result == 0)
        snprintf(j->text, sizeof j->text, "%d", value);
}

static void do_nonblock(struct job *j)
{
    j->result = c->fcntl(stack, sock_of(j), F_SETFL, number(j, 3, 1) ? O_NONBLOCK : 0);
}

static void do_poll(struct job *j)
{
    struct pollfd fd = {.fd = sock_of(j), .events = (short)number(j, 3, 0)};
    j->result = c->poll(stack, &fd, 1, (int)number(j, 4, 0));
    snprintf(j->text, sizeof j->text, "%d", fd.revents);
}

static void do_exit(struct job *j)
{
    (void)j;
    _exit(0);
}

static void do_quit(struct job *j)
{
    j->result = c->end(stack, (int)number(j, 2, 0));
}

static void answer(struct job *j)
{
    const char *error = j->error ? j->error : j->result < 0 ? strerrorname_np(errno) : "OK";
    pthread_mutex_lock(&order);
    printf("%s %ld %s %s\n", j->word[0], j->result, error, j->text);
    fflush(stdout);
    pthread_mutex_unlock(&order);
}

static void *work(void *arg)
{
    static const struct {
        const char *name;
        void (*command)(struct job *);
    } commands[] = {{"socket", do_socket},     {"bind", do_bind},     {"connect", do_connect},
                    {"listen", do_listen},     {"accept", do_accept}, {"close", do_close},
                    {"shutdown", do_shutdown}, {"name", do_name},     {"peer", do_peer},
                    {"linger", do_linger},     {"set", do_set},       {"get", do_get},
                    {"nonblock", do_nonblock}, {"poll", do_poll},     {"send", do_send},
                    {"recv", do_recv},         {"exit", do_exit},     {"quit", do_quit}};
    struct job *j = arg;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, j->word[1]) != 0)
            continue;
        errno = 0;
        commands[i].command(j);
        answer(j);
        if (commands[i].command == do_quit)
            exit(0);
        free(j);
        return NULL;
    }
    fprintf(stderr, "socktool: no such command: %s\n", j->word[1]);
    abort();
}

/* One that is named as in Linux, "tcp_sack=-1". */
static bool read_sysctl(const char *word, struct nstcp_options *o)
{
    const struct {
        const char *name;
        int *value;
    } t[] = {{"tcp_ecn=", &o->tcp_ecn},
             {"tcp_sack=", &o->tcp_sack},
             {"tcp_timestamps=", &o->tcp_timestamps},
             {"tcp_window_scaling=", &o->tcp_window_scaling},
             {"tcp_slow_start_after_idle=", &o->tcp_slow_start_after_idle},
             {"tcp_mtu_probing=", &o->tcp_mtu_probing}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        size_t len = strlen(t[i].name);
        if (strncmp(word, t[i].name, len) == 0) {
            *t[i].value = atoi(word + len);
            return true;
        }
    }
    return false;
}

static bool begin(char **argv)
{
    struct nstcp_options options = {0};
    for (; *argv; argv++) {
        if (strcmp(*argv, "trace") == 0)
            options.trace_fd = STDERR_FILENO;
        else if (strncmp(*argv, "msl=", 4) == 0)
            options.msl_ms = (unsigned)atoi(*argv + 4);
        else if (strncmp(*argv, "user_timeout=", 13) == 0)
            options.user_timeout_ms = (unsigned)atoi(*argv + 13);
        else if (!read_sysctl(*argv, &options))
            return false;
    }
    return c->begin(&stack, &options);
}

int main(int argc, char **argv)
{
    c = argc > 1 ? calls_named(argv[1]) : NULL;
    if (!c || !begin(argv + 2))
        return 2;
    printf("ready\n");
    fflush(stdout);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        struct job *j = calloc(1, sizeof *j);
        if (!j || !fgets(j->line, sizeof j->line, stdin))
            _exit(0);
        char *rest = j->line, *word;
        while (j->n_words < WORDS_MAX && (word = strsep(&rest, " \n")) && *word)
            j->word[j->n_words++] = word;
        pthread_mutex_lock(&order);
        pthread_mutex_unlock(&order);
        pthread_t thread;
        if (j->n_words < 2 || pthread_create(&thread, &detached, work, j) != 0)
            abort();
    }
}
