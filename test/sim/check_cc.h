/*
 * Checker of congestion control, one struct per sending end: what is lost brings ssthresh down (RFC
 * 5681 3.1 equation 4 and 3.2, RFC 9438 4.6): while text goes again it is no more than 0.7 of what
 * was outstanding when the loss was found, but for two segments. That lasts until all is
 * acknowledged that had been sent by then, so it is no more than 0.7 of what was outstanding at any
 * time since the text that goes again was sent.
 *
 * Text that goes again since a window has opened, or since a router has said "too big" (RFC 1191
 * 6.4), tells nothing of congestion; nor does the probe of a flight's end (RFC 8985 7), which the
 * caller knows.
 */
#ifndef CHECK_CC_H
#define CHECK_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "check_resend.h"

struct cc_watch {
    /* Octets outstanding, in this round trip and in the two before. The earliest counts where
     * ECN-Echo has come: ssthresh went down for that, and does not again when the retransmission
     * timer runs out for text from before (RFC 3168 6.1.2), though later text goes again then as
     * well. */
    uint64_t most, most_before, most_earlier;
    bool echoed;
    uint64_t round;    /* which is over when so much is acknowledged */
    uint64_t excused;  /* what lies below goes again for other reasons, perhaps, */
    uint64_t narrowed; /* and so does all, until this is acknowledged */
};

/* So many octets are outstanding, as something has been sent. */
void cc_sent(struct cc_watch *w, uint64_t outstanding);

/* Text goes again. timer: for no other reason than that the retransmission timer ran out. ssthresh:
 * in octets; 0: not known. */
void cc_again(struct cc_watch *w, const struct resend_seen *seen, uint64_t at, bool timer,
              uint32_t ssthresh);

/* An ACK has come. */
void cc_acked(struct cc_watch *w, const struct resend_seen *seen);

/* The peer has offered this window; surely: and no old one. */
void cc_window(struct cc_watch *w, const struct resend_seen *seen, uint64_t wnd, bool surely);

/* An ACK with ECN-Echo has come. */
void cc_echoed(struct cc_watch *w);

/* A router has said "too big". The engine takes nothing for a loss until all is acknowledged that
 * was sent before. */
void cc_too_big(struct cc_watch *w, const struct resend_seen *seen);

#endif
