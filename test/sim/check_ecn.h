/*
 * Checker of ECN (RFC 3168), one struct per end of a connection:
 *
 *   - SYN and SYN-ACK have the flags that 6.1.1 gives them, a SYN-ACK only as an answer
 *   - ECT(0) is on new text, where both have said so, and on nothing else (6.1.1, 6.1.4 to 6.1.6)
 *   - CE is echoed with every ACK until CWR comes, and nothing else is (6.1.3)
 *   - CWR is on new text, once for each reduction of cwnd, and not without one (6.1.2)
 *
 * What of a segment's the engine has taken is not always known; then either will do.
 */
#ifndef CHECK_ECN_H
#define CHECK_ECN_H

#include <stdbool.h>
#include <stdint.h>

#include "seg.h"

struct ecn_watch {
    bool setup, other;           /* it has sent an ECN-setup SYN or SYN-ACK; another one */
    bool peer_setup, peer_other; /* such have arrived */
    bool may_echo, must_echo;
    bool may_cwr, must_cwr;
    bool again;      /* something was sent again, or cut for a smaller MTU */
    uint64_t cwr_at; /* offset of the last segment with CWR */
    uint64_t probed; /* an ACK beyond may say that what went again was lost (RFC 8985 7.4) */
};

/* What the wire's checker knows of a segment that is sent. */
struct ecn_sent {
    uint64_t at;       /* offset */
    uint64_t sent;     /* the highest so far, exclusive */
    bool fresh;        /* all of its text goes for the first time */
    bool again;        /* some does not */
    bool ends;         /* it has FIN, or one was sent before */
    uint32_t ssthresh; /* the engine's; 0: not known */
};

void ecn_sent(struct ecn_watch *me, const struct seg *seg, const struct ecn_sent *s);

/* A listener begins anew: nothing was sent yet. */
void ecn_begin_anew(struct ecn_watch *me);

/* seg reaches `me`. taken: its text for sure, or some of it. */
void ecn_arrived(struct ecn_watch *me, const struct seg *seg, bool taken);

/* Its ACK does, up to this offset; surely: and no old one, nor one that was there before. */
void ecn_acked(struct ecn_watch *me, const struct seg *seg, uint64_t ack, bool surely);

/* A router has said "too big". */
void ecn_too_big(struct ecn_watch *me);

#endif
