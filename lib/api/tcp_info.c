/* TCP_INFO (tcp(7)): what the engine knows of a connection, in Linux's words and units. */
#include <string.h>

#include "api_priv.h"
#include "nstime.h"

/* include/net/tcp_states.h of Linux. */
static uint8_t linux_state(enum tcp_state state)
{
    static const uint8_t table[] = {
        [STATE_CLOSED] = TCP_CLOSE,
        [STATE_LISTEN] = TCP_LISTEN,
        [STATE_SYN_SENT] = TCP_SYN_SENT,
        [STATE_SYN_RECEIVED] = TCP_SYN_RECV,
        [STATE_ESTABLISHED] = TCP_ESTABLISHED,
        [STATE_FIN_WAIT_1] = TCP_FIN_WAIT1,
        [STATE_FIN_WAIT_2] = TCP_FIN_WAIT2,
        [STATE_CLOSE_WAIT] = TCP_CLOSE_WAIT,
        [STATE_CLOSING] = TCP_CLOSING,
        [STATE_LAST_ACK] = TCP_LAST_ACK,
        [STATE_TIME_WAIT] = TCP_TIME_WAIT,
    };
    return table[state];
}

/* Octets as segments, rounded up. */
static uint32_t segments(uint32_t octets, uint32_t mss)
{
    return mss ? octets / mss + (octets % mss > 0) : 0;
}

void tcp_info_of(const struct slot *slot, struct tcp_info *info)
{
    *info = (struct tcp_info){.tcpi_state = linux_state(slot_tcp_state(slot))};
    if (!slot->so)
        return;
    struct tcp_status s;
    stack_status(slot->so, &s);
    info->tcpi_retransmits = (uint8_t)s.retries;
    info->tcpi_rto = (uint32_t)(s.rto_ns / NS_PER_US);
    info->tcpi_rtt = (uint32_t)(s.srtt_ns / NS_PER_US);
    info->tcpi_snd_mss = s.snd_mss;
    info->tcpi_rcv_mss = info->tcpi_advmss = s.rcv_mss;
    info->tcpi_unacked = segments(s.flight, s.snd_mss);
    info->tcpi_snd_cwnd = segments(s.cwnd, s.snd_mss);
    info->tcpi_snd_ssthresh = segments(s.ssthresh, s.snd_mss);
    info->tcpi_rcv_space = s.rcv_wnd;
    info->tcpi_total_retrans = s.resent;
}
