/* Many connections, of which a few at a time, chosen at random, have an echo under way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ready.h"

#define OUTSTANDING 16
#define SEED        0x9e3779b97f4a7c15u

void crowd_serve(struct bench *b)
{
    int *sock = must_alloc(b->conns * sizeof *sock);
    struct ready *r = ready_create(b);
    unsigned which[OUTSTANDING], open = b->conns;
    char buf[ECHO_LEN];
    int listener = open_listener(b, 0);
    say_listening();
    for (unsigned i = 0; i < b->conns; i++)
        ready_add(r, sock[i] = take_connection(b, listener));
    /* The first that closes is the last that has been asked: they all close then. */
    while (open == b->conns) {
        unsigned n = ready_wait(r, which, OUTSTANDING);
        for (unsigned i = 0; i < n; i++) {
            size_t len = recv_some(b, sock[which[i]], buf, sizeof buf);
            if (len == 0)
                open--;
            else
                send_all(b, sock[which[i]], buf, len);
        }
    }
    for (unsigned i = 0; i < b->conns; i++)
        b->c->close(b->stack, sock[i]);
    ready_destroy(r);
    free(sock);
}

/* The client: which connections are idle, as a list to draw from. */
struct crowd {
    struct bench *b;
    int *sock;
    unsigned *idle, n_idle;
    uint64_t seed;
};

static void ask_one(struct crowd *c)
{
    c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
    unsigned at = (unsigned)((c->seed >> 33) % c->n_idle), which = c->idle[at];
    char buf[ECHO_LEN];
    c->idle[at] = c->idle[--c->n_idle];
    memset(buf, (int)(which & 0x7f), sizeof buf);
    send_all(c->b, c->sock[which], buf, sizeof buf);
}

static void take_answer(struct crowd *c, unsigned which)
{
    char buf[ECHO_LEN], wanted[ECHO_LEN];
    recv_all(c->b, c->sock[which], buf, sizeof buf);
    memset(wanted, (int)(which & 0x7f), sizeof wanted);
    if (memcmp(buf, wanted, sizeof buf) != 0) {
        fprintf(stderr, "bench: crowd: the echo is another connection's\n");
        exit(1);
    }
    c->idle[c->n_idle++] = which;
}

void crowd_ask(struct bench *b)
{
    struct crowd c = {b, must_alloc(b->conns * sizeof(int)),
                      must_alloc(b->conns * sizeof(unsigned)), 0, SEED};
    struct ready *r = ready_create(b);
    unsigned which[OUTSTANDING];
    uint64_t echoes = 0;
    for (unsigned i = 0; i < b->conns; i++) {
        ready_add(r, c.sock[i] = open_connection(b, 0));
        c.idle[c.n_idle++] = i;
    }
    uint64_t begun = now_ns(), until = begun + (uint64_t)(b->amount * 1e9);
    for (unsigned i = 0; i < OUTSTANDING && i < b->conns; i++)
        ask_one(&c);
    while (c.n_idle < b->conns) { /* to the last answer: it would be lost with a RST */
        unsigned n = ready_wait(r, which, OUTSTANDING);
        for (unsigned i = 0; i < n; i++)
            take_answer(&c, which[i]);
        for (unsigned i = 0; i < n && now_ns() < until; i++)
            ask_one(&c);
        echoes += n;
    }
    printf("{\"per_s\": %.1f}\n", (double)echoes * 1e9 / (double)(now_ns() - begun));
    for (unsigned i = 0; i < b->conns; i++)
        b->c->close(b->stack, c.sock[i]);
    ready_destroy(r);
    free(c.sock);
    free(c.idle);
}
