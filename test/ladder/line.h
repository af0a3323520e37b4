/* Lines: segments as tests speak of them (segments.h, hosts.h). */
#ifndef LINE_H
#define LINE_H

#include "seg.h"
#include "support.h"

#define FIN TCP_FIN
#define SYN TCP_SYN
#define RST TCP_RST
#define PSH TCP_PSH
#define ACK TCP_ACK
#define URG TCP_URG

/* One line of a diagram: a segment. Members that are 0 mean: not given. So ZERO stands for a 0 that
 * is meant, and NONE for an option that must not be there. */
enum {
    ZERO = -1,
    NONE = -2,
};

struct line {
    unsigned flags;
    uint32_t seq;   /* relative; as it is in a RST|ACK that arrives, or that has SEQ 0 and WND 0 */
    uint32_t ack;   /* relative; looked at with ACK only */
    uint32_t text;  /* octets */
    int wnd;        /* as on the wire. Received: as the last one when not given */
    int mss, scale; /* options */
    int gso;        /* octets per packet of a super-segment */
    uint16_t up;    /* urgent pointer */
    uint8_t ecn;    /* of the IP header: ECN_*; always looked at */
    int sack_ok;    /* SACK-permitted: 1, or NONE */
    int n_sack;     /* SACK blocks, or NONE */
    struct {
        uint32_t left, right; /* relative to the numbers of whom the segment goes to */
    } sack[SACK_BLOCKS_MAX];
    int ts;                  /* timestamps: 1, or NONE */
    uint32_t ts_val, ts_ecr; /* relative, as the numbers are, but for an ecr without ACK */
};

/* .n_sack and .sack of an initializer. */
#define SACKS(n, ...) .n_sack = (n), .sack = {__VA_ARGS__}

/* What the sender's and the receiver's timestamps are relative to, taken away and added. */
void line_ts_relative(struct line *l, uint32_t clock, uint32_t peer_clock);
void line_ts_absolute(struct line *l, uint32_t clock, uint32_t peer_clock);

/* The value of octet n of a stream; by_peer: of the peer's. */
uint8_t stream_octet(bool by_peer, uint64_t n);

/* The line as text. */
#define LINE_TEXT_MAX 320
const char *line_text(const struct line *l, char buf[LINE_TEXT_MAX]);

/* A segment as a line, relative to the sender's and the receiver's initial sequence numbers. */
struct line line_of(const struct seg *seg, uint32_t iss, uint32_t irs);

/* Whether a segment is what was expected. */
bool line_fits(const struct line *expected, const struct line *is);

/* The reverse of line_of(), but for the text: text_len only. */
struct seg line_seg(const struct line *l, uint32_t iss, uint32_t irs);

#endif
