/* TCP_INFO (tcp(7)): what the engine knows of a connection, in Linux's words and units. */
#ifndef TCP_INFO_H
#define TCP_INFO_H

#include <stddef.h>
#include <stdint.h>

#include "stack.h"

/* Writes the first `room` octets of Linux's struct tcp_info, or all of it; how many it wrote.
 * status: NULL without a connection. now_ns: of runtime_now. */
size_t tcp_info_put(const struct tcp_status *status, uint64_t now_ns, void *to, size_t room);

#endif
