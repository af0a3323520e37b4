/*
 * IPv4's options. See ip_options.h. Whether a source route that has arrived is to be used is not
 * decided here.
 */
#include "ip_options.h"

#define OPTION_END    0
#define OPTION_NOP    1
#define OPTION_RECORD 7
#define OPTION_STAMP  68
#define OPTION_LOOSE  131 /* source and record route */
#define OPTION_STRICT 137
#define OPTION_ALERT  148 /* RFC 2113 */

/* Places in an option. What a pointer counts begins with 1. */
#define AT_LEN     1
#define AT_POINTER 2
#define AT_ROUTE   3 /* route data */
#define AT_FLAGS   3 /* of a Timestamp: overflow, and what is recorded: */

#define STAMP_TIME      0
#define STAMP_ADDRESS   1 /* address and time */
#define STAMP_PRESPEC   3 /* time, if the address that is there already is one's own */
#define STAMP_FLAG_MASK 0xf
#define STAMP_FULL      0xf0     /* the overflow can't be counted further */
#define STAMP_ANY_CLOCK 1U << 31 /* not the milliseconds since midnight UT */

/* The next option that has a length. False at the end of the list; r->bad when that is no end. */
static bool next_option(struct reader *r, const uint8_t **option)
{
    while (r->len > 0) {
        *option = r->ptr;
        switch (get_u8(r)) {
        case OPTION_END:
            return false;
        case OPTION_NOP:
            continue;
        }
        uint8_t len = get_u8(r);
        r->bad = r->bad || len < 2;
        if (!r->bad)
            get_bytes(r, len - 2u);
        return !r->bad;
    }
    return false;
}

static bool is_route(const uint8_t *option)
{
    return option[0] == OPTION_LOOSE || option[0] == OPTION_STRICT;
}

/* Octets of whole addresses in a source route; -1: there are others. */
static int route_len(const uint8_t *option)
{
    int len = option[AT_LEN] - AT_ROUTE;
    return len >= 0 && len % 4 == 0 ? len : -1;
}

/* The source route in a list; NULL when there is none, or more than one, or the list is malformed.
 */
static const uint8_t *find_route(struct bytes list)
{
    struct reader r = reader(list.ptr, list.len);
    const uint8_t *option, *route = NULL;
    unsigned n = 0;
    while (next_option(&r, &option)) {
        if (is_route(option)) {
            route = option;
            n++;
        }
    }
    return n == 1 && !r.bad && route_len(route) > 0 ? route : NULL;
}

static struct bytes list_of(const struct ip_options *o)
{
    return (struct bytes){o->octets, o->len};
}

/* ---- A user's ---- */

/* Whether `room` octets lie at the pointer, or nothing: it is full. */
static bool pointer_ok(const uint8_t *option, uint8_t least, uint8_t room)
{
    uint8_t pointer = option[AT_POINTER], len = option[AT_LEN];
    return pointer >= least && (pointer > len || pointer + room - 1 <= len);
}

static bool stamp_ok(const uint8_t *option)
{
    uint8_t what = option[AT_FLAGS] & STAMP_FLAG_MASK;
    if (option[AT_POINTER] > option[AT_LEN])
        return what == STAMP_PRESPEC || (option[AT_FLAGS] & STAMP_FULL) != STAMP_FULL;
    return pointer_ok(option, 5, what == STAMP_ADDRESS || what == STAMP_PRESPEC ? 8 : 4);
}

/* seen: which of those that may be there once have been. */
static bool option_ok(const uint8_t *option, unsigned *seen)
{
    unsigned kind;
    bool ok;
    switch (option[0]) {
    case OPTION_LOOSE:
    case OPTION_STRICT:
        kind = 1;
        ok = route_len(option) > 0 && option[AT_POINTER] == AT_ROUTE + 1;
        break;
    case OPTION_RECORD:
        kind = 2;
        ok = option[AT_LEN] >= 3 && pointer_ok(option, 4, 4);
        break;
    case OPTION_STAMP:
        kind = 4;
        ok = option[AT_LEN] >= 4 && stamp_ok(option);
        break;
    case OPTION_ALERT:
        return option[AT_LEN] >= 4;
    default:
        return true;
    }
    ok = ok && !(*seen & kind);
    *seen |= kind;
    return ok;
}

bool ip_options_read(struct ip_options *o, const void *octets, size_t len)
{
    *o = (struct ip_options){0};
    if (len > IP_OPTIONS_MAX)
        return false;
    if (len > 0)
        memcpy(o->octets, octets, len);
    o->len = (uint8_t)((len + 3) & ~3u);
    struct reader r = reader(o->octets, o->len);
    const uint8_t *option;
    unsigned seen = 0;
    while (next_option(&r, &option)) {
        if (!option_ok(option, &seen))
            return false;
    }
    memset(o->octets + o->len - r.len, OPTION_END, r.len); /* MUST-69's like */
    return !r.bad;
}

struct ip_addr ip_options_first_hop(const struct ip_options *o, const struct ip_addr *dst)
{
    const uint8_t *route = o ? find_route(list_of(o)) : NULL;
    return route ? ip_addr_v4_bytes(route + AT_ROUTE) : *dst;
}

/* ---- In a packet that leaves ---- */

/* The first address is in the header, so the others move up and the destination is the last. */
static void put_route(uint8_t *option, const struct ip_addr *dst)
{
    size_t rest = (size_t)route_len(option) - 4;
    memmove(option + AT_ROUTE, option + AT_ROUTE + 4, rest);
    memcpy(option + AT_ROUTE + rest, ip_addr_v4_of(dst), 4);
}

/* Puts 4 octets where the pointer is, and moves it behind them. */
static void record(uint8_t *option, const uint8_t octets[4])
{
    memcpy(option + option[AT_POINTER] - 1, octets, 4);
    option[AT_POINTER] += 4;
}

static void put_stamp(uint8_t *option, const struct ip_addr *src, uint32_t time_ms)
{
    uint8_t time[4];
    struct writer w = writer(time, sizeof time);
    put_u32(&w, time_ms | STAMP_ANY_CLOCK);
    const uint8_t *address = ip_addr_v4_of(src);
    switch (option[AT_FLAGS] & STAMP_FLAG_MASK) {
    case STAMP_TIME:
        record(option, time);
        break;
    case STAMP_PRESPEC:
        if (memcmp(option + option[AT_POINTER] - 1, address, 4) != 0)
            break;
        /* fall through */
    case STAMP_ADDRESS:
        record(option, address);
        record(option, time);
        break;
    default:
        break;
    }
}

void ip_options_emit(const struct ip_options *o, const struct ip_addr *src,
                     const struct ip_addr *dst, uint32_t time_ms, uint8_t out[IP_OPTIONS_MAX])
{
    memcpy(out, o->octets, o->len);
    struct reader r = reader(o->octets, o->len);
    const uint8_t *at;
    while (next_option(&r, &at)) {
        uint8_t *option = out + (at - o->octets);
        bool full = option[AT_POINTER] > option[AT_LEN];
        if (is_route(option))
            put_route(option, dst);
        else if (option[0] == OPTION_RECORD && !full)
            record(option, ip_addr_v4_of(src));
        else if (option[0] == OPTION_STAMP && !full)
            put_stamp(option, src, time_ms);
    }
}

/* ---- In one that has arrived ---- */

bool ip_options_reverse(struct bytes arrived, const struct ip_addr *src, struct ip_options *back)
{
    const uint8_t *route = find_route(arrived);
    if (!route || route[AT_POINTER] <= route[AT_LEN])
        return false;
    const uint8_t *first = route + AT_ROUTE, *at = first + route_len(route);
    /* Some hosts put themselves into the route: case (B) of RFC 1122 3.2.1.8 (c). */
    if (memcmp(first, ip_addr_v4_of(src), 4) == 0)
        first += 4;
    *back = (struct ip_options){0};
    struct writer w = writer(back->octets, IP_OPTIONS_MAX);
    put_u8(&w, route[0]);
    put_u8(&w, (uint8_t)(AT_ROUTE + (at - first)));
    put_u8(&w, AT_ROUTE + 1);
    if (at == first)
        return false;
    while (at > first) {
        at -= 4;
        struct ip_addr router = ip_addr_v4_bytes(at);
        if (!ip_addr_is_unicast(&router) || ip_addr_is_loopback(&router))
            return false;
        put_bytes(&w, at, 4);
    }
    back->len = (uint8_t)((IP_OPTIONS_MAX - w.len + 3) & ~3u);
    return true;
}

struct ip_addr ip_options_final(struct bytes options, const struct ip_addr *dst)
{
    const uint8_t *route = find_route(options);
    if (!route || route[AT_POINTER] > route[AT_LEN])
        return *dst;
    return ip_addr_v4_bytes(route + AT_ROUTE + route_len(route) - 4);
}
