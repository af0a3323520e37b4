/* inject.h - packets that leave the router without having come to it. */
#ifndef NETNS_INJECT_H
#define NETNS_INJECT_H

#include <stdint.h>

struct inject {
    int icmp4, icmp6; /* the kernel adds the IP header, and the router's address in it */
    int raw4, raw6;   /* whole packets */
};

#define INJECT_CLOSED ((struct inject){-1, -1, -1, -1})

/* In the calling thread's network namespace. 0, or -1 after saying why. */
int inject_open(struct inject *in);
void inject_close(struct inject *in); /* allowed on INJECT_CLOSED */

/* Sends an IP packet once more, as it is. What cannot be sent is lost. */
void inject_copy(const struct inject *in, const uint8_t *packet, uint32_t len);

/* Answers an IP packet that is longer than the MTU, as a router does that must not fragment it
 * (RFC 792, RFC 1191 4, RFC 4443 3.2). len: of what there is of it. One that may be fragmented is
 * not answered, nor a later fragment, nor an ICMP error (RFC 1812 4.3.2.7, RFC 4443 2.4). */
void inject_too_long(const struct inject *in, const uint8_t *packet, uint32_t len, uint32_t mtu);

#endif
