/* The TCP header and its options (RFC 9293 3.1, 3.2; RFC 7323 2, 3; RFC 2018 2, 3), between bytes
 * and struct seg. */
#ifndef TCP_H
#define TCP_H

#include "seg.h"

#define TCP_HDR_LEN     20
#define TCP_HDR_MAX     60
#define TCP_CSUM_OFFSET 16

enum tcp_error {
    TCP_OK = 0,
    TCP_SHORT = -1,       /* fewer octets than the header needs */
    TCP_DATA_OFFSET = -2, /* below 5, or beyond the segment */
    TCP_OPTIONS = -3      /* an option's length is 0, 1 or runs past the header (MUST-7) */
};

/*
 * Reads ports, header and options from r, which must hold the whole TCP header; len is the length
 * of header and text together. Fills everything of seg but its text: text_len is set, n_text is 0.
 * The checksum is not looked at. Unknown options are skipped by their length (MUST-6), an option
 * may stand in any segment and at any alignment (MUST-5, MUST-64), octets after End of Option List
 * are not read. MSS, window scale and SACK-permitted are skipped in a segment without SYN (RFC 7323
 * 2.2), SACK in one with it, and they are of any value otherwise. On TCP_OK r stands at the text.
 */
enum tcp_error tcp_parse(struct reader *r, uint32_t len, uint16_t *src_port, uint16_t *dst_port,
                         struct seg *seg);

/* Octets tcp_emit will write for this segment: the header, with options padded to 32 bits. */
size_t tcp_hdr_len(const struct seg *seg);

/* Of it, timestamps in a segment without SYN, and n SACK blocks. */
#define TCP_TS_LEN 12
static inline size_t tcp_sack_len(unsigned n)
{
    return n > 0 ? 4 + 8 * (size_t)n : 0;
}

/* RFC 9293 MUST-15: the MSS to assume when the peer's SYN carries no such option. */
static inline uint16_t tcp_mss_default(const struct ip_addr *remote)
{
    return ip_addr_is_v4(remote) ? 536 : 1220;
}

/* RFC 7323 2.3: a larger shift count of a window is used as this. */
#define TCP_SHIFT_MAX 14

/* Whether a SYN asks for ECN, or a SYN-ACK grants it (RFC 3168 6.1.1): an ECN-setup SYN has both
 * flags; an ECN-setup SYN-ACK has ECE alone, as there are peers that reflect what they do not know
 * (6.1.1.2). A SYN that is ECT was written to on its way, or is of somebody who marks everything:
 * as Linux has it, its ECN is not believed. */
#define TCP_ECN_SETUP (TCP_ECE | TCP_CWR)
static inline bool tcp_is_ecn_setup(const struct seg *seg)
{
    uint8_t flags = seg->flags & TCP_ECN_SETUP;
    if (seg->flags & TCP_ACK)
        return flags == TCP_ECE;
    return flags == TCP_ECN_SETUP && seg->ecn == ECN_NOT_ECT;
}

/* A peer who announces a smaller MSS makes us send mostly headers (CVE-2019-11479); Linux's floor.
 */
#define TCP_MSS_FLOOR 48

/* Writes the header with a checksum field of 0. MSS, window scale and SACK-permitted go only into a
 * SYN (MUST-65), SACK only elsewhere, whatever opts says. Timestamps leave room for three blocks.
 */
void tcp_emit(struct writer *w, const struct seg *seg, uint16_t src_port, uint16_t dst_port);

/* "SYN|ACK", as the trace and `handshake` print flags; "none" for no bit. Returns buf. */
#define TCP_FLAGS_TEXT_MAX 40
const char *tcp_flags_text(uint8_t flags, char buf[TCP_FLAGS_TEXT_MAX]);

#endif
