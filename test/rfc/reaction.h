/* What a segment has done: the engine's reaction and the oracle's in one form, to be compared. */
#ifndef REACTION_H
#define REACTION_H

#include "oracle.h"

struct reaction {
    enum rfc_state state;
    unsigned n_answers;
    struct rfc_answer answer[RFC_ANSWERS];
    unsigned signals;
    enum rfc_error error;
    bool two_msl;
    uint32_t unread, held; /* octets */
    /* While synchronized, or in SYN-RECEIVED */
    uint32_t snd_una, snd_nxt, snd_wnd, snd_wl1, snd_wl2, max_snd_wnd;
    uint32_t rcv_nxt, rcv_wnd;
    bool ts_ok;
    uint32_t ts_recent;
    uint32_t urgent; /* octets that are to be read yet up to RCV.UP */
    bool closing;    /* RCV.NXT has passed the peer's FIN */
    /* What a user who stays can RECEIVE up to "connection closing", should the peer go on sending:
     * octets, or STREAM_GOES_ON. So it shows whether a FIN is remembered, and which. */
    uint32_t stream;
};

#define STREAM_GOES_ON UINT32_MAX

/* to_the_end: `stream` is to be found out. */
struct reaction reaction_of_oracle(const struct oracle *o, bool to_the_end);

/* Of the ladder's connection; takes everything it sends until a delayed ACK would have gone, and
 * then has the peer and the user go on. linger_ns: when its linger timer ran out before the
 * segment. */
struct reaction reaction_of_engine(uint64_t linger_ns, bool to_the_end);

bool reaction_same(const struct reaction *a, const struct reaction *b);

/* The case and both reactions, numbers relative to the SYNs. */
void reaction_print(const char *scene, const struct rfc_tcb *before, const struct rfc_seg *seg,
                    const struct reaction *rfc, const struct reaction *engine);

#endif
