/* Round trips of 64 octets on one connection, each begun when the one before has come back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define WARM_UP 200

void rtt_serve(struct bench *b)
{
    char buf[ECHO_LEN];
    int listener = open_listener(b, 0);
    say_listening();
    int sock = take_connection(b, listener);
    for (size_t n; (n = recv_some(b, sock, buf, sizeof buf)) > 0;)
        send_all(b, sock, buf, n);
    b->c->close(b->stack, sock);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void rtt_ask(struct bench *b)
{
    unsigned trips = (unsigned)b->amount;
    uint64_t *took = must_alloc(trips * sizeof *took);
    char out[ECHO_LEN], in[ECHO_LEN];
    int sock = open_connection(b, 0);
    for (unsigned i = 0; i < WARM_UP + trips; i++) {
        memset(out, (int)(i & 0x7f), sizeof out);
        uint64_t begun = now_ns();
        send_all(b, sock, out, sizeof out);
        recv_all(b, sock, in, sizeof in);
        if (i >= WARM_UP)
            took[i - WARM_UP] = now_ns() - begun;
        if (memcmp(out, in, sizeof in) != 0) {
            fprintf(stderr, "bench: rtt: the echo is not what was sent\n");
            exit(1);
        }
    }
    b->c->close(b->stack, sock);
    qsort(took, trips, sizeof *took, by_size);
    printf("{\"p50_us\": %.3f, \"p99_us\": %.3f}\n", (double)took[trips / 2] / 1e3,
           (double)took[trips * UINT64_C(99) / 100] / 1e3);
    free(took);
}
