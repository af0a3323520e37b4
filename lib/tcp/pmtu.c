/*
 * Path MTU discovery for one connection. See pmtu.h. Called by stack/ for ICMP messages that are
 * about a segment in flight (RFC 5927 4.1; stack/icmp_in.c checks that), and by arrives and output.
 *
 * RFC 5927 7.2 would have us wait for a retransmission timeout before we believe that a path has
 * become narrower for packets of a size that went through before. Linux doesn't wait, and neither
 * do we: an honest router's word would cost every connection a timeout, and a forger who knows the
 * four-tuple and hits the window only makes us send segments of PMTU_MIN_V4 or PMTU_MIN_V6 for ten
 * minutes. That these are not small is the defence.
 *
 * DF is set in all that we send, so a path of less than these does not carry our full segments.
 * RFC 791 allows for such links; Linux clears DF there, we leave them be: none has been built since
 * serial lines of the eighties.
 */
#include "pmtu.h"

#include "loss.h"
#include "minmax.h"
#include "reset.h"
#include "timeout.h"

#define PMTU_MIN_V4 552 /* as Linux: 512 octets of text, and 40 of headers */
#define PMTU_MIN_V6 1280

/* RFC 4821 7.2: what nearly every path takes, search_low at first. IPv6 has a minimum for that. */
#define SEARCH_LOW_V4 1024

/* RFC 1191 3: nobody may ask for less (IPv4). RFC 8201 4: likewise (IPv6). */
#define MTU_VALID_V4 68
#define MTU_VALID_V6 1280

/* RFC 1191 7.1: the MTUs that links have. Below the last it is PMTU_MIN_V4. */
static uint32_t plateau_below(uint32_t len)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, PMTU_MIN_V4};
    unsigned i = 0;
    while (i < sizeof plateaus / sizeof *plateaus - 1 && plateaus[i] >= len)
        i++;
    return plateaus[i];
}

/* RFC 791 3.2: with 60 octets of headers, so much goes over any link. */
#define TEXT_MIN 8u

/* Text in packets of that size, which all have the same options, or of mss_max without options. */
static uint32_t mss_for(const struct tcb *t, uint32_t mtu)
{
    uint32_t mss = min_u32(t->pmtu.mss_max, mtu - (t->pmtu.first - tcb_path_mss(t)));
    uint32_t options = t->snd.ip_options_len + tcb_options_len(t);
    return mss > options + TEXT_MIN ? mss - options : TEXT_MIN;
}

static void set_mss(struct tcb *t)
{
    t->snd.mss = (uint16_t)mss_for(t, t->pmtu.mtu ? t->pmtu.mtu : t->pmtu.first);
    if (tcb_is_busy(t))
        cc_set_mss(&t->busy->cc, t->snd.mss);
}

void tcp_pmtu_limit(struct tcb *t, uint32_t mss_max)
{
    t->pmtu.mss_max = (uint16_t)mss_max;
    set_mss(t);
}

void tcp_pmtu_options(struct tcb *t, uint8_t len)
{
    t->snd.ip_options_len = len;
    set_mss(t);
}

/* mtu 0: forgets. */
static void learn(struct tcb *t, uint32_t mtu, uint64_t until_ns)
{
    t->pmtu.mtu = t->pmtu.before = (uint16_t)mtu;
    t->pmtu.until_ns = until_ns;
    set_mss(t);
}

void tcp_pmtu_known(struct tcb *t, uint32_t mtu, uint64_t until_ns)
{
    if (mtu >= t->pmtu.first)
        return;
    learn(t, mtu, until_ns);
}

static bool heeds_icmp(const struct tcb *t)
{
    return tcp_settings_ip(t->settings, &t->flow->remote)->pmtudisc != PMTUDISC_PROBE;
}

void tcp_pmtu_discover(struct tcb *t)
{
    if (!heeds_icmp(t))
        learn(t, 0, 0);
}

bool tcp_pmtu_too_big(struct tcb *t, uint32_t mtu, uint32_t packet_len, uint64_t now_ns)
{
    bool v4 = ip_addr_is_v4(&t->flow->remote);
    if (mtu == 0 && v4)
        mtu = plateau_below(min_u32(packet_len, t->pmtu.first));
    if (mtu < (v4 ? MTU_VALID_V4 : MTU_VALID_V6) || packet_len <= mtu)
        return false;
    if (!heeds_icmp(t))
        return false;
    mtu = max_u32(mtu, v4 ? PMTU_MIN_V4 : PMTU_MIN_V6);
    /* A SYN is never too big. And one MTU comes once for every packet that was too big for it: only
     * the first is news (RFC 1191 6.4). */
    if (!tcb_synchronized(t) || mtu >= t->pmtu.first || mss_for(t, mtu) >= t->snd.mss)
        return false;
    learn(t, mtu, now_ns + PMTU_AGE_NS);
    /* A forger can make the MTU a little less each time. What does not go now goes by the timer. */
    if (!tcp_budget_allows(&t->busy->resent_for_mtu, now_ns))
        return true;
    loss_too_big(t);
    if (t->busy->rtx_due_ns != TIME_NEVER) /* what goes again now has all its time to arrive */
        tcp_timeout_arm_rtx(t, now_ns);
    return true;
}

void tcp_pmtu_full_stop(struct tcb *t, uint64_t now_ns)
{
    if (!tcb_synchronized(t))
        return;
    bool v4 = ip_addr_is_v4(&t->flow->remote);
    uint32_t least = v4 ? PMTU_MIN_V4 : PMTU_MIN_V6, low = v4 ? SEARCH_LOW_V4 : PMTU_MIN_V6;
    uint32_t mtu = t->pmtu.mtu ? t->pmtu.mtu : t->pmtu.first;
    uint32_t lost = min_u32(t->snd.mss, (uint32_t)seq_diff(t->snd.nxt, t->snd.una));
    mtu = min_u32(mtu, low);
    while (mtu > least && mss_for(t, mtu) >= lost)
        mtu = max_u32(mtu / 2, least);
    bool again = t->busy->retries > t->common->config->r1;
    uint16_t before = again ? t->pmtu.before : t->pmtu.mtu;
    if (mss_for(t, mtu) < lost)
        learn(t, mtu, now_ns + PMTU_AGE_NS);
    t->pmtu.before = before;
}

void tcp_pmtu_got_through(struct tcb *t)
{
    t->pmtu.mtu = t->pmtu.before;
    set_mss(t);
}

void tcp_pmtu_age(struct tcb *t, uint64_t now_ns)
{
    if (t->pmtu.mtu != 0 && t->pmtu.until_ns <= now_ns)
        learn(t, 0, 0);
}
