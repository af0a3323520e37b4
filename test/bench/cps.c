/* Connections one after the other: connect, an echo of 64 octets, close. The server has 64 ports,
 * so that the client's own are not used up; both take them in turn. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define PORTS 64

void cps_serve(struct bench *b)
{
    int listener[PORTS];
    char buf[ECHO_LEN] = {1};
    for (unsigned i = 0; i < PORTS; i++)
        listener[i] = open_listener(b, i);
    say_listening();
    for (unsigned i = 0; buf[0]; i = (i + 1) % PORTS) { /* the last echo begins with 0 */
        int sock = take_connection(b, listener[i]);
        recv_all(b, sock, buf, sizeof buf);
        send_all(b, sock, buf, sizeof buf);
        b->c->close(b->stack, sock);
    }
}

static void ask(struct bench *b, unsigned port, char first)
{
    char buf[ECHO_LEN];
    int sock = open_connection(b, port);
    memset(buf, first, sizeof buf);
    send_all(b, sock, buf, sizeof buf);
    recv_all(b, sock, buf, sizeof buf);
    b->c->close(b->stack, sock);
}

void cps_ask(struct bench *b)
{
    uint64_t begun = now_ns(), until = begun + b->amount * UINT64_C(1000000000);
    unsigned n = 0;
    while (now_ns() < until)
        ask(b, n++ % PORTS, 1);
    double took = (double)(now_ns() - begun);
    ask(b, n % PORTS, 0);
    printf("{\"per_s\": %.1f, \"conns\": %u}\n", n * 1e9 / took, n);
}
