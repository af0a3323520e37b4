/*
 * Proportional Rate Reduction (RFC 6937): how cwnd comes down to ssthresh during fast recovery,
 * clocked by what the peer gets. Octets throughout. Names as there.
 */
#ifndef PRR_H
#define PRR_H

#include <stdbool.h>
#include <stdint.h>

struct prr {
    uint32_t delivered; /* prr_delivered: since recovery began */
    uint32_t out;       /* prr_out: sent since then, for the first time or again */
    uint32_t recover_fs;
};

/* Recovery begins; recover_fs: what was outstanding. */
void prr_begin(struct prr *p, uint32_t recover_fs);

void prr_sent(struct prr *p, uint32_t octets);

/* cwnd after an ACK that has delivered so many octets and left `pipe` in flight. safe: it moved
 * SND.UNA and told of no further loss (RFC 6937 3: SSRB; otherwise CRB, but no less than was
 * delivered). The first retransmission always fits. */
uint32_t prr_cwnd(struct prr *p, uint32_t octets, uint32_t pipe, uint32_t ssthresh, uint32_t mss,
                  bool safe);

#endif
