/* Two ends of a connection for the self tests, and what they say to each other. No engine takes
 * part. */
#ifndef SELFTEST_PAIR_H
#define SELFTEST_PAIR_H

#include "check_wire.h"
#include "nstime.h"
#include "selftest.h"

#define MSS   1000
#define ISS_A 0xfffffff0u /* sequence numbers wrap right away */
#define ISS_B 77u

struct pair {
    struct wire_end a, b;
    struct mtu_list told;
    uint8_t text[20000];
    uint64_t now_ns;
};

/* `from` sends; text is the stream's at this offset. Numbers are relative to the SYNs'. */
void pair_send(struct pair *p, struct wire_end *from, struct seg seg, bool arrives);

#define SEG(...)         ((struct seg){__VA_ARGS__})
#define FROM_A(...)      pair_send(p, &p->a, SEG(__VA_ARGS__), true)
#define FROM_B(...)      pair_send(p, &p->b, SEG(__VA_ARGS__), true)
#define LOST_FROM_A(...) pair_send(p, &p->a, SEG(__VA_ARGS__), false)
#define LOST_FROM_B(...) pair_send(p, &p->b, SEG(__VA_ARGS__), false)

/* What A sends, and B's answer to it. */
#define TEXT(at, len)                                                                              \
    .flags = TCP_ACK, .seq = {at}, .ack = {1}, .wnd = 8000, .text_len = (len), .gso_size = MSS
#define ACK(number, window) .flags = TCP_ACK, .seq = {1}, .ack = {number}, .wnd = (window)

/* B's ACK of `number` with these blocks: {{left}, {right}} each. */
#define SACK(number, n, ...) ACK(number, 8000), .opts = {.n_sack = (n), .sack = {__VA_ARGS__}}

/* An ACK arrives at A, in a segment with B's first 10 octets, which A has, so it is thrown away for
 * its age; or behind them. */
void pair_ack_arrives(struct pair *p, bool old, uint32_t number);

/* Both have said SACK-permitted. */
void pair_permit_sack(struct pair *p);

/* The same, and A has sent 1 to 5001; the first and the third segment were lost. */
void pair_two_holes(struct pair *p);

struct pair_test {
    void (*act)(struct pair *p); /* after a handshake */
    const char *checker;         /* that has to find it; NULL: none */
};

/* Runs them; how many failed. name: of the group. */
int pair_run(const char *name, const struct pair_test *tests, size_t n);

#endif
