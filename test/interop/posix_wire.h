/* The wire between host1 and the router: our segments as they pass there. */
#ifndef POSIX_WIRE_H
#define POSIX_WIRE_H

#include "posix.h"

/* Packets are heard from now on; of them, those of this connected socket of ours alone: an earlier
 * connection may send its FIN again; not any more. */
void listen_in(void);
void listen_to(int sock);
void stop_listening(void);

#define QUOTE_MAX (40 + 8)

/* A segment of ours. */
struct seen {
    unsigned tos, ttl;
    uint32_t dst; /* IPv4's, in network order */
    uint8_t options[40];
    size_t options_len;
    uint8_t flags;
    unsigned mss;             /* the option; 0: none */
    unsigned text;            /* octets */
    uint8_t quote[QUOTE_MAX]; /* what an ICMP error quotes of it, if it has no options */
    size_t quote_len;
};

/* Waits for our next segment that has these flags, whatever its ACK is; false, and a line, when
 * none comes. */
bool next_segment(const char *what, uint8_t flags, struct seen *seen);

/* The same for one with text, and for one that is nothing but an ACK, if it comes within ms. */
bool next_text(int ms, struct seen *seen);
bool next_ack(int ms, struct seen *seen);

#endif
