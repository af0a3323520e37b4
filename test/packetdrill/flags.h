/*
 * The object's flags, packetdrill's --so_flags: key=value, separated by commas.
 *
 *     ip=ADDRESS    the stack's own address, for connections that are not bound to one; with or
 *                   without a prefix length, which means nothing; once for each family
 *     mtu=N         of the link, 1500 by default; packetdrill's --mtu does not come this far
 *     quickack=0|1  1: the first segments of text are acknowledged at once, as Linux does
 *     cc=NAME       congestion control: cubic, by default, or newreno
 *     rcvbuf=BYTES  the receive buffer to begin with, and without wscale to end with
 *     wscale=N      the window scale to offer; the receive buffer grows as far as it allows
 *     sack=on|off   whether SACK is permitted
 *     ecn=0|1|2     ECN, by the numbers of tcp_ecn
 *
 * Between a flag and a sysctl what is nearer to the script wins, see settings.h.
 */
#ifndef FLAGS_H
#define FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addr.h"
#include "cc.h"

struct so_flags {
    uint32_t mtu;
    struct ip_addr v4, v6;
    bool has_v4, has_v6;
    const struct cc_ops *cc;
    bool quickack;
    uint32_t rcvbuf; /* 0: not given */
    bool has_sack, sack;
    bool has_ecn;
    uint8_t ecn;
    bool has_wscale;
    uint8_t wscale;
};

#define FLAGS_WHY_MAX 256

/* text: NULL for none. False: why says what is wrong, where, and what there is instead. */
bool so_flags_read(const char *text, struct so_flags *out, char why[FLAGS_WHY_MAX]);

#endif
