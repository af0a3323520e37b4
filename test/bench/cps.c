/* Connections one after the other: connect, an echo of 64 octets, close. The server has 64 ports,
 * so that the client's own are not used up; both take them in turn. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* Which pairs of ports there have been: the client's, and which of the server's. */
static unsigned char seen[CPS_PORTS][(UINT16_MAX + 1) / 8];

/* Whether there was such a connection before. TIME-WAIT is longer than a measurement: its record is
 * gone then, early. */
static bool seen_before(const struct sockaddr_in *from, unsigned port)
{
    unsigned at = ntohs(from->sin_port), bit = 1u << at % 8;
    bool before = seen[port][at / 8] & bit;
    seen[port][at / 8] |= (unsigned char)bit;
    return before;
}

/* Those in TIME-WAIT, once the last have ended. */
static long count_time_waits(struct bench *b, unsigned open)
{
    usleep(100000);
    return time_waits(b, open);
}

void cps_serve(struct bench *b)
{
    int listener[CPS_PORTS];
    char buf[ECHO_LEN] = {1};
    unsigned reused = 0;
    for (unsigned i = 0; i < CPS_PORTS; i++)
        listener[i] = open_listener(b, i);
    say_listening();
    for (unsigned i = 0; buf[0]; i = (i + 1) % CPS_PORTS) { /* the last echo begins with 0 */
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        int sock = b->c->accept4(b->stack, listener[i], (struct sockaddr *)&from, &len, 0);
        if (sock < 0)
            die("accept");
        reused += seen_before(&from, i);
        recv_all(b, sock, buf, sizeof buf);
        send_all(b, sock, buf, sizeof buf);
        b->c->close(b->stack, sock);
    }
    printf("{\"time_wait\": %ld, \"reused\": %u}\n", count_time_waits(b, CPS_PORTS), reused);
}

static void ask(struct bench *b, unsigned port, char first)
{
    char out[ECHO_LEN], in[ECHO_LEN];
    int sock = open_connection(b, port);
    memset(out, first, sizeof out);
    send_all(b, sock, out, sizeof out);
    recv_all(b, sock, in, sizeof in);
    if (memcmp(out, in, sizeof in) != 0) {
        fprintf(stderr, "bench: cps: the echo is not what was sent\n");
        exit(1);
    }
    b->c->close(b->stack, sock);
}

void cps_ask(struct bench *b)
{
    uint64_t begun = now_ns(), until = begun + (uint64_t)(b->amount * 1e9);
    unsigned n = 0;
    while (now_ns() < until) {
        ask(b, n % CPS_PORTS, (char)(1 + n % 127));
        n++;
    }
    double took = (double)(now_ns() - begun);
    ask(b, n % CPS_PORTS, 0);
    printf("{\"per_s\": %.1f, \"conns\": %u, \"time_wait\": %ld}\n", n * 1e9 / took, n,
           count_time_waits(b, 0));
}
