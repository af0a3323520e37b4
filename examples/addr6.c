/* See addr6.h. */
#include "addr6.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

bool addr6_read(const char *text, struct in6_addr *addr, uint32_t *zone)
{
    char plain[INET6_ADDRSTRLEN], *end;
    size_t len = strcspn(text, "%");
    *zone = 0;
    if (len >= sizeof plain)
        return false;
    memcpy(plain, text, len);
    plain[len] = '\0';
    if (text[len] == '%') {
        const char *device = text + len + 1;
        *zone = if_nametoindex(device);
        if (*zone == 0) {
            *zone = (uint32_t)strtoul(device, &end, 10);
            if (*zone == 0 || *end)
                return false;
        }
    }
    return inet_pton(AF_INET6, plain, addr) == 1;
}
