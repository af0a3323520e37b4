/* What self tests do behind the engine's back: see enum sabotage in world.h. */
#include "host.h"
#include "sabotage_stack.h"

/* No checksum is looked at any more. */
static void believe(struct frame *f)
{
    f->csum = CSUM_VERIFIED;
}

void sabotage_frame(struct host *h, struct frame *f)
{
    struct world *w = h->world;
    if (!rng_one_in(&w->rng, 4) || f->corrupt)
        return;
    uint32_t ip_len = w->plan.v6 ? 40 : 20;
    void *leak;
    switch (w->sabotage) {
    case SABOTAGE_PAYLOAD:
        if (f->seg.text_len > 0)
            f->data[f->head_len] ^= 1;
        believe(f);
        break;
    case SABOTAGE_RESET:
        if (f->seg.flags == TCP_ACK && f->seg.text_len == 0) {
            f->data[ip_len + 13] = TCP_RST;
            believe(f);
        }
        break;
    case SABOTAGE_URGENT:
        if (f->seg.flags & TCP_URG)
            f->data[ip_len + 19] ^= 1;
        believe(f);
        break;
    case SABOTAGE_LEAK:
        leak = mem_alloc(&h->mem.mem, 10000);
        (void)leak; /* freed by simmem_finish() */
        break;
    case SABOTAGE_COUNT:
        sabotage_count(h->stack);
        break;
    case SABOTAGE_MTU:
        if (f->icmp)
            f->data[f->len - 1] ^= 1;
        break;
    case SABOTAGE_EARLY:
        /* Its timers run out before their time; output is not asked. */
        stack_tick(h->stack, host_now(h) + UINT64_C(1000000000));
        break;
    default:
        break;
    }
}

void sabotage_sent(struct end *e, const struct frame *f)
{
    struct world *w = e->conn->world;
    bool twice = w->sabotage == SABOTAGE_TWICE && f->seg.text_len > 0;
    bool storm = w->sabotage == SABOTAGE_STORM && f->seg.flags == TCP_ACK && f->seg.text_len == 0;
    for (int i = 0; i < (twice ? 1 : storm ? 99 : 0); i++)
        wire_sent(&e->wire, &peer_of(e)->wire, &f->seg, w->now_ns);
}

void sabotage_silence(struct host *h)
{
    if (h->world->sabotage != SABOTAGE_SPEAK || h->n_rx == 0)
        return;
    struct packet in;
    frame_to_packet(h->rx[0], &in, &h->world->rng);
    stack_input(h->stack, &in, 1, host_now(h));
}
