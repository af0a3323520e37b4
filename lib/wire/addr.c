/*
 * What an address is good for, and its text. Knows the fixed blocks only: directed broadcasts and
 * subnets belong to whoever knows the routes.
 */
#include "addr.h"

#include "bytes.h"

#define AT_ZONE  4
#define ZONE_LEN 4

bool ip_addr_is_any(const struct ip_addr *a)
{
    static const uint8_t zero[16];
    size_t from = ip_addr_is_v4(a) ? 12 : 0;
    return memcmp(a->b + from, zero, 16 - from) == 0;
}

bool ip_addr_is_multicast(const struct ip_addr *a)
{
    return ip_addr_is_v4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool ip_addr_is_broadcast(const struct ip_addr *a)
{
    static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff};
    return ip_addr_is_v4(a) && memcmp(a->b + 12, ones, 4) == 0;
}

bool ip_addr_is_loopback(const struct ip_addr *a)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return ip_addr_is_v4(a) ? a->b[12] == 127 : memcmp(a->b, loopback6, 16) == 0;
}

bool ip_addr_is_unicast(const struct ip_addr *a)
{
    return !ip_addr_is_any(a) && !ip_addr_is_multicast(a) && !ip_addr_is_broadcast(a);
}

uint32_t ip_addr_zone(const struct ip_addr *a)
{
    struct reader r = reader(a->b + AT_ZONE, ZONE_LEN);
    return ip_addr_is_link_local(a) ? get_u32(&r) : 0;
}

void ip_addr_set_zone(struct ip_addr *a, uint32_t zone)
{
    struct writer w = writer(a->b + AT_ZONE, ZONE_LEN);
    if (ip_addr_is_link_local(a))
        put_u32(&w, zone);
}

static char *put_decimal(char *out, uint32_t v)
{
    if (v >= 10)
        out = put_decimal(out, v / 10);
    *out++ = (char)('0' + v % 10);
    return out;
}

/* RFC 5952 4.1, 4.3: no leading zeros, lower case. */
static char *put_hex(char *out, unsigned v)
{
    for (int shift = 12; shift >= 0; shift -= 4)
        if (shift == 0 || v >> shift)
            *out++ = "0123456789abcdef"[v >> shift & 0xf];
    return out;
}

static char *put_v4(char *out, const uint8_t b[4])
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *out++ = '.';
        out = put_decimal(out, b[i]);
    }
    return out;
}

static char *put_v6(char *out, const uint8_t b[16])
{
    unsigned group[8];
    for (int i = 0; i < 8; i++)
        group[i] = (unsigned)(b[2 * i] << 8 | b[2 * i + 1]);

    /* RFC 5952 4.2: "::" for the longest run of zero groups, the first of equals, never for one. */
    int best = 8, best_len = 1;
    for (int i = 0, run = 0; i < 8; i++) {
        run = group[i] ? 0 : run + 1;
        if (run > best_len) {
            best_len = run;
            best = i + 1 - run;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            *out++ = ':';
            *out++ = ':';
            i += best_len - 1;
            continue;
        }
        if (i > 0 && out[-1] != ':')
            *out++ = ':';
        out = put_hex(out, group[i]);
    }
    return out;
}

const char *ip_addr_text(const struct ip_addr *a, char buf[IP_ADDR_TEXT_MAX])
{
    const struct ip_addr plain = ip_addr_on_wire(a);
    uint32_t zone = ip_addr_zone(a);
    char *end = ip_addr_is_v4(a) ? put_v4(buf, ip_addr_v4_of(a)) : put_v6(buf, plain.b);
    if (zone != 0) {
        *end++ = '%';
        end = put_decimal(end, zone);
    }
    *end = '\0';
    return buf;
}
