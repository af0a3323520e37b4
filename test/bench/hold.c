/* What connections cost that do nothing: time (idle) and memory (memory). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Context switches of this process so far, all threads. */
static long switches(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_nvcsw + u.ru_nivcsw;
}

/* The end that sleeps is switched away from once and back: that is not the connection's. */
static void sleep_and_count(struct bench *b, int sock)
{
    char buf[ECHO_LEN] = {0};
    send_all(b, sock, buf, sizeof buf);
    recv_all(b, sock, buf, sizeof buf);
    sleep(1); /* what the echo has left behind, such as a delayed ACK */
    long before = switches();
    sleep((unsigned)b->amount);
    printf("{\"switches\": %ld}\n", switches() - before - 1);
    b->c->close(b->stack, sock);
}

void idle_serve(struct bench *b)
{
    int listener = open_listener(b, 0);
    say_listening();
    sleep_and_count(b, take_connection(b, listener));
}

void idle_ask(struct bench *b)
{
    sleep_and_count(b, open_connection(b, 0));
}

/* Octets in use: of this process; of the kernel, which holds both ends of its connections, on the
 * whole machine. */
static long long memory_used(const struct bench *b)
{
    char line[256];
    long long pages = 0, kib, sum = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*s %lld", &pages) != 1)
        die("/proc/self/statm");
    fclose(f);
    if (!b->stack) {
        f = fopen("/proc/meminfo", "r");
        while (f && fgets(line, sizeof line, f)) {
            if (sscanf(line, "Slab: %lld", &kib) == 1)
                sum += kib * 1024 / 2;
        }
        if (!f)
            die("/proc/meminfo");
        fclose(f);
    }
    return pages * sysconf(_SC_PAGESIZE) + sum;
}

static void echo_once(struct bench *b, int sock, bool first)
{
    char buf[ECHO_LEN] = {0};
    if (first)
        send_all(b, sock, buf, sizeof buf);
    recv_all(b, sock, buf, sizeof buf);
    if (!first)
        send_all(b, sock, buf, sizeof buf);
}

static void hold(struct bench *b, int listener)
{
    int *sock = must_alloc(b->conns * sizeof *sock);
    memset(sock, 1, b->conns * sizeof *sock); /* the pages are not the connections' */
    long long before = 0;
    for (unsigned i = 0; i <= b->conns; i++) { /* one that pays for what all share */
        int s = listener < 0 ? open_connection(b, 0) : take_connection(b, listener);
        echo_once(b, s, listener < 0);
        if (i == 0)
            before = memory_used(b);
        else
            sock[i - 1] = s;
    }
    sleep(1); /* delayed ACKs */
    printf("{\"octets\": %.1f}\n", (double)(memory_used(b) - before) / b->conns);
    fflush(stdout);
    sleep(1); /* the other end is counting */
    for (unsigned i = 0; i < b->conns; i++)
        b->c->close(b->stack, sock[i]);
    free(sock);
}

/* The kernel gives each of its sockets a descriptor. */
static void many_descriptors(void)
{
    struct rlimit l;
    getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = l.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &l) < 0)
        die("setrlimit");
}

void memory_serve(struct bench *b)
{
    many_descriptors();
    int listener = open_listener(b, 0);
    say_listening();
    hold(b, listener);
}

void memory_ask(struct bench *b)
{
    many_descriptors();
    hold(b, -1);
}
