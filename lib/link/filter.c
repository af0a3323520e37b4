/* Builds the socket filter: see filter.h. */
#include "filter.h"

#include <errno.h>
#include <stdbool.h>

#include <linux/if_arp.h>
#include <linux/if_packet.h>

#include "ether.h"
#include "ip.h"

#define PASS 0x40000 /* octets to keep: all */
#define DROP 0

/* Offsets in the frame. */
#define AT_TYPE       12
#define AT_IP         ETHER_HDR_LEN
#define AT_IP4_FRAG   (AT_IP + 6)
#define AT_IP4_PROTO  (AT_IP + 9)
#define AT_IP4_DST    (AT_IP + 16)
#define AT_IP6_NEXT   (AT_IP + 6)
#define AT_IP6_DST    (AT_IP + 24)
#define AT_IP6_UPPER  (AT_IP + IP6_HDR_LEN)
#define AT_ND_TARGET  (AT_IP6_UPPER + 8)
#define DST_PORT      2 /* in the TCP header */
#define ND_SOLICITED  135
#define ND_ADVERTISED 136
#define VLAN_ID       0xfff /* of a tag: the rest is the priority */

struct program {
    struct sock_filter *v;
    size_t n;
    bool full;
};

/* Appends an instruction; returns its place. A program that is full keeps its last place. */
static size_t put(struct program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    if (p->n == FILTER_MAX) {
        p->full = true;
        return p->n - 1;
    }
    p->v[p->n] = (struct sock_filter){code, jt, jf, k};
    return p->n++;
}

static void load(struct program *p, uint16_t size, uint32_t at)
{
    put(p, BPF_LD | BPF_ABS | size, 0, 0, at);
}

static void load_extra(struct program *p, uint32_t what)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)SKF_AD_OFF + what);
}

static void ret(struct program *p, uint32_t k)
{
    put(p, BPF_RET | BPF_K, 0, 0, k);
}

/* Unless `A test k`, jumps to a place not known yet; returns what land() wants. Conditional jumps
 * reach 255 instructions, this reaches any. */
static size_t unless(struct program *p, uint16_t test, uint32_t k)
{
    put(p, BPF_JMP | test | BPF_K, 1, 0, k);
    return put(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

/* Lets the jump end at what is appended next. */
static void land(struct program *p, size_t jump)
{
    p->v[jump].k = (uint32_t)(p->n - jump - 1);
}

static void drop_unless(struct program *p, uint16_t test, uint32_t k)
{
    put(p, BPF_JMP | test | BPF_K, 1, 0, k);
    ret(p, DROP);
}

static void pass_if(struct program *p, uint16_t test, uint32_t k)
{
    put(p, BPF_JMP | test | BPF_K, 0, 1, k);
    ret(p, PASS);
}

static void drop_if(struct program *p, uint16_t test, uint32_t k)
{
    put(p, BPF_JMP | test | BPF_K, 0, 1, k);
    ret(p, DROP);
}

static void drop_unless_to_us(struct program *p)
{
    load_extra(p, SKF_AD_PKTTYPE);
    drop_unless(p, BPF_JEQ, PACKET_HOST);
}

/* Ends the program for a frame that may also be a broadcast or a multicast. */
static void pass_unless_to_others(struct program *p)
{
    load_extra(p, SKF_AD_PKTTYPE);
    drop_if(p, BPF_JGE, PACKET_OTHERHOST);
    ret(p, PASS);
}

static uint32_t word(const struct ip_addr *a, unsigned i)
{
    const uint8_t *b = a->b + 4 * i;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Jumps to a place not known yet. */
struct jumps {
    size_t v[4], n;
};

/* Jumps unless the address in the frame, at `at`, is this one; a wildcard is any. */
static struct jumps unless_addr(struct program *p, const struct ip_addr *addr, uint32_t at)
{
    struct jumps other = {.n = 0};
    const struct ip_addr there = ip_addr_on_wire(addr); /* on which link, recv() looks */
    unsigned first = ip_addr_is_v4(addr) ? 3 : 0;
    for (unsigned i = first; i < 4 && !ip_addr_is_any(addr); i++) {
        load(p, BPF_W, at + 4 * (i - first));
        other.v[other.n++] = unless(p, BPF_JEQ, word(&there, i));
    }
    return other;
}

static void land_all(struct program *p, const struct jumps *j)
{
    for (size_t i = 0; i < j->n; i++)
        land(p, j->v[i]);
}

static void pass_addr(struct program *p, const struct ip_addr *addr, uint32_t at)
{
    struct jumps other = unless_addr(p, addr, at);
    ret(p, PASS);
    land_all(p, &other);
}

static void pass_addrs(struct program *p, const struct ip_addr *v, size_t n, bool v4, uint32_t at)
{
    for (size_t i = 0; i < n && !p->full; i++) {
        if (ip_addr_is_v4(&v[i]) == v4)
            pass_addr(p, &v[i], at);
    }
}

/* Whether v[i] is the first range of its address. */
static bool is_first(const struct port_range *v, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (ip_addr_eq(&v[j].addr, &v[i].addr))
            return false;
    }
    return true;
}

/* Passes what goes to a port of any range of v[from].addr. */
static void ports_of(struct program *p, const struct port_range *v, size_t n, size_t from)
{
    const struct ip_addr *addr = &v[from].addr;
    bool v4 = ip_addr_is_v4(addr);
    struct jumps other = unless_addr(p, addr, v4 ? AT_IP4_DST : AT_IP6_DST);
    if (v4) {
        put(p, BPF_LDX | BPF_B | BPF_MSH, 0, 0, AT_IP); /* X = 4 * IHL */
        put(p, BPF_LD | BPF_H | BPF_IND, 0, 0, AT_IP + DST_PORT);
    } else {
        load(p, BPF_H, AT_IP6_UPPER + DST_PORT);
    }
    for (size_t i = from; i < n; i++) {
        if (!ip_addr_eq(&v[i].addr, addr))
            continue;
        size_t below = unless(p, BPF_JGE, v[i].first);
        put(p, BPF_JMP | BPF_JGT | BPF_K, 1, 0, v[i].last);
        ret(p, PASS);
        land(p, below);
    }
    land_all(p, &other);
}

/* Ends the program for TCP of one family. */
static void tcp(struct program *p, const struct port_range *v, size_t n, bool v4)
{
    for (size_t i = 0; i < n && !p->full; i++) {
        if (ip_addr_is_v4(&v[i].addr) == v4 && is_first(v, i))
            ports_of(p, v, n, i);
    }
    ret(p, DROP);
}

/* Ends the program for a fragment other than the first. */
static void later_fragment(struct program *p, const struct port_range *v, size_t n)
{
    load(p, BPF_B, AT_IP4_PROTO);
    drop_unless(p, BPF_JEQ, IP_PROTO_TCP);
    for (size_t i = 0; i < n && !p->full; i++) {
        if (ip_addr_is_v4(&v[i].addr) && is_first(v, i))
            pass_addr(p, &v[i].addr, AT_IP4_DST);
    }
    ret(p, DROP);
}

static void ip4(struct program *p, const struct port_range *v, size_t n,
                const struct ip_addr *owned, size_t n_owned)
{
    static const uint8_t errors[] = {3, 11, 12}; /* unreachable, time exceeded, parameter problem */
    drop_unless_to_us(p);
    pass_addrs(p, owned, n_owned, true, AT_IP4_DST);
    load(p, BPF_H, AT_IP4_FRAG);
    size_t has_ports = unless(p, BPF_JSET, IP4_OFFSET);
    later_fragment(p, v, n);
    land(p, has_ports);
    load(p, BPF_B, AT_IP4_PROTO);
    size_t not_icmp = unless(p, BPF_JEQ, IP_PROTO_ICMP);
    load(p, BPF_H, AT_IP4_FRAG);
    drop_if(p, BPF_JSET, IP4_MF | IP4_OFFSET);
    put(p, BPF_LDX | BPF_B | BPF_MSH, 0, 0, AT_IP);
    put(p, BPF_LD | BPF_B | BPF_IND, 0, 0, AT_IP);
    for (size_t i = 0; i < sizeof errors; i++)
        pass_if(p, BPF_JEQ, errors[i]);
    ret(p, DROP);
    land(p, not_icmp);
    drop_unless(p, BPF_JEQ, IP_PROTO_TCP);
    tcp(p, v, n, true);
}

static void ip6(struct program *p, const struct port_range *v, size_t n,
                const struct ip_addr *owned, size_t n_owned)
{
    static const uint8_t extensions[] = {0, 43, 44, 60}; /* those that ip_parse knows */
    load_extra(p, SKF_AD_PKTTYPE);
    size_t not_to_us = unless(p, BPF_JEQ, PACKET_HOST);
    pass_addrs(p, owned, n_owned, false, AT_IP6_DST);
    land(p, not_to_us);
    load(p, BPF_B, AT_IP6_NEXT);
    size_t not_icmp = unless(p, BPF_JEQ, IP_PROTO_ICMP6);
    load(p, BPF_B, AT_IP6_UPPER);
    size_t not_advertised = unless(p, BPF_JEQ, ND_ADVERTISED);
    pass_unless_to_others(p);
    land(p, not_advertised);
    size_t not_solicited = unless(p, BPF_JEQ, ND_SOLICITED);
    load_extra(p, SKF_AD_PKTTYPE);
    drop_if(p, BPF_JGE, PACKET_OTHERHOST);
    pass_addrs(p, owned, n_owned, false, AT_ND_TARGET);
    ret(p, DROP);
    land(p, not_solicited);
    drop_if(p, BPF_JGT, 4); /* 1 to 4: errors */
    drop_unless_to_us(p);
    ret(p, PASS);

    land(p, not_icmp);
    size_t not_tcp = unless(p, BPF_JEQ, IP_PROTO_TCP);
    drop_unless_to_us(p);
    tcp(p, v, n, false);
    land(p, not_tcp);
    drop_unless_to_us(p);
    load(p, BPF_B, AT_IP6_NEXT);
    for (size_t i = 0; i < sizeof extensions; i++)
        pass_if(p, BPF_JEQ, extensions[i]);
    ret(p, DROP);
}

int filter_build(struct sock_filter *prog, const struct port_range *v, size_t n,
                 const struct ip_addr *owned, size_t n_owned)
{
    struct program p = {prog, 0, false};
    load_extra(&p, SKF_AD_HATYPE);
    drop_unless(&p, BPF_JEQ, ARPHRD_ETHER);
    load_extra(&p, SKF_AD_VLAN_TAG); /* 0 where there is none */
    drop_if(&p, BPF_JSET, VLAN_ID);
    load(&p, BPF_H, AT_TYPE);
    size_t not_arp = unless(&p, BPF_JEQ, ETHER_TYPE_ARP);
    pass_unless_to_others(&p);
    land(&p, not_arp);
    size_t not_ip4 = unless(&p, BPF_JEQ, ETHER_TYPE_IPV4);
    ip4(&p, v, n, owned, n_owned);
    land(&p, not_ip4);
    drop_unless(&p, BPF_JEQ, ETHER_TYPE_IPV6);
    ip6(&p, v, n, owned, n_owned);
    return p.full ? -ENOBUFS : (int)p.n;
}
