/* The machine we share with the kernel's TCP: addresses and routes from rtnetlink (link/route),
 * ports kept from the kernel (guard/), and the link's filter, which passes those ports only. */
#ifndef HOST_KERNEL_H
#define HOST_KERNEL_H

#include <stddef.h>

#include "host.h"
#include "link.h"

/* The machine, and the link to its networks; the host is to be destroyed before the link. In the
 * calling thread's network namespace; needs CAP_NET_RAW and CAP_NET_ADMIN there. Negative errno;
 * err, of errlen octets, then says what failed and why. */
int host_kernel_create(struct host **host, struct link **link, char *err, size_t errlen);

#endif
