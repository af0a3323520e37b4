/* The machine we share with the kernel's TCP: addresses and routes from rtnetlink (link/route),
 * ports kept from the kernel (guard/), and the link's filter, which passes those ports only. */
#ifndef HOST_KERNEL_H
#define HOST_KERNEL_H

#include <stddef.h>

#include "host.h"
#include "link.h"

/* l: of link_packet_create; it must outlive the host, and stays the caller's. Negative errno; err,
 * of errlen octets, then says what failed and why. */
int host_kernel_create(struct host **out, struct link *l, char *err, size_t errlen);

#endif
