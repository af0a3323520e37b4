/* Throughput, one way: a thread for each connection, blocking calls of 256 KiB, or as many of those
 * that do not copy. */
#include <errno.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

/* One connection. */
struct lane {
    struct bench *b;
    int sock;
    uint64_t octets, ended_ns;
    uint64_t twice; /* segments that the peer has got twice, as its D-SACKs say */
    pthread_t thread;
};

/* The stream is numbered: each 8 octets are the number of octets before them. The same block, with
 * another number to begin with. */
static void number(uint64_t *block, size_t len, uint64_t first)
{
    for (size_t i = 0; i < len / sizeof *block; i++)
        block[i] = first + i * sizeof *block;
}

static bool numbered(const unsigned char *buf, size_t len, uint64_t first)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t at = first + i, word = at & ~UINT64_C(7);
        if (buf[i] != ((const unsigned char *)&word)[at & 7])
            return false;
    }
    return true;
}

/* Octets of the stream, in buf or where *at says they are. */
static size_t take(struct lane *l, void *buf, const void **at)
{
    *at = buf;
    if (!l->b->in_place)
        return recv_some(l->b, l->sock, buf, BULK_CALL);
    ssize_t n = l->b->c->borrow(l->b->stack, l->sock, at, BULK_CALL, 0);
    if (n < 0)
        die("borrow");
    return (size_t)n;
}

static void *serve_lane(void *arg)
{
    struct lane *l = arg;
    char *buf = must_alloc(BULK_CALL);
    const void *at;
    for (size_t n; (n = take(l, buf, &at)) > 0; l->octets += n) {
        if (l->b->check && !numbered(at, n, l->octets)) {
            errno = EBADMSG;
            die("what has arrived is not what was sent");
        }
        if (l->b->in_place && l->b->c->release(l->b->stack, l->sock) < 0)
            die("release");
    }
    send_all(l->b, l->sock, &l->octets, sizeof l->octets);
    l->ended_ns = now_ns();
    l->b->c->close(l->b->stack, l->sock);
    free(buf);
    return NULL;
}

/* Octets of the stream where they are sent from. Whole words: then each block begins with one. */
static size_t send_in_place(struct lane *l)
{
    void *buf;
    ssize_t n = l->b->c->reserve(l->b->stack, l->sock, &buf, BULK_CALL, 0);
    if (n < 0)
        die("reserve");
    size_t len = (size_t)n < sizeof(uint64_t) ? 0 : (size_t)n & ~(sizeof(uint64_t) - 1);
    if (l->b->check)
        number(buf, len, l->octets);
    if (l->b->c->commit(l->b->stack, l->sock, len, 0) < 0)
        die("commit");
    return len;
}

/* 0 where nobody counts them. */
static uint64_t segments_twice(const struct lane *l)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (l->b->c->getsockopt &&
        l->b->c->getsockopt(l->b->stack, l->sock, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        die("TCP_INFO");
    return info.tcpi_dsack_dups;
}

static void *ask_lane(void *arg)
{
    struct lane *l = arg;
    uint64_t *block = must_alloc(BULK_CALL), got;
    uint64_t until = now_ns() + (uint64_t)(l->b->amount * 1e9);
    number(block, BULK_CALL, 0);
    while (now_ns() < until) {
        if (l->b->in_place) {
            l->octets += send_in_place(l);
            continue;
        }
        if (l->b->check)
            number(block, BULK_CALL, l->octets);
        send_all(l->b, l->sock, block, BULK_CALL);
        l->octets += BULK_CALL;
    }
    l->b->c->shutdown(l->b->stack, l->sock, SHUT_WR);
    recv_all(l->b, l->sock, &got, sizeof got);
    l->ended_ns = now_ns();
    l->twice = segments_twice(l);
    if (got != l->octets) {
        errno = EBADMSG;
        die("not as many octets have arrived as were sent");
    }
    l->b->c->close(l->b->stack, l->sock);
    free(block);
    return NULL;
}

static void run(struct bench *b, int listener, void *(*lane)(void *))
{
    struct lane *l = must_alloc(b->conns * sizeof *l);
    uint64_t begun_ns = 0, ended_ns = 0, octets = 0, twice = 0;
    double cpu = 0;
    for (unsigned i = 0; i < b->conns; i++) {
        l[i].b = b;
        l[i].sock = listener < 0 ? open_connection(b, 0) : take_connection(b, listener);
    }
    begun_ns = now_ns();
    cpu = cpu_s();
    for (unsigned i = 0; i < b->conns; i++) {
        errno = pthread_create(&l[i].thread, NULL, lane, &l[i]);
        if (errno)
            die("pthread_create");
    }
    for (unsigned i = 0; i < b->conns; i++) {
        pthread_join(l[i].thread, NULL);
        octets += l[i].octets;
        twice += l[i].twice;
        ended_ns = l[i].ended_ns > ended_ns ? l[i].ended_ns : ended_ns;
    }
    printf("{\"octets\": %llu, \"seconds\": %.6f, \"cpu_s\": %.4f, \"twice\": %llu, \"each\": [",
           (unsigned long long)octets, (double)(ended_ns - begun_ns) / 1e9, cpu_s() - cpu,
           (unsigned long long)twice);
    for (unsigned i = 0; i < b->conns; i++)
        printf("%s%llu", i ? ", " : "", (unsigned long long)l[i].octets);
    printf("]}\n");
    free(l);
}

void bulk_serve(struct bench *b)
{
    int listener = open_listener(b, 0);
    say_listening();
    run(b, listener, serve_lane);
}

void bulk_ask(struct bench *b)
{
    run(b, -1, ask_lane);
}
