/*
 * RFC 9293 3.10.7 by state and event, exhaustively: every scene (scenes.c), by each kind of OPEN
 * that leads there, with each of the 64 sets of control bits, sequence and acknowledgment numbers
 * on each side of each limit, with and without text, several windows and urgent pointers. The
 * engine's whole reaction has to be the oracle's (oracle.h).
 *
 * A deviation that the engine is granted has to be needed: without it some case must differ.
 *
 * The forks of no_memory.h would be too many here. Instead, with "no memory", each case is run
 * again for each allocation of its segment, with that one and all after it failing; the oracle is
 * told when one did, and the engine has to say so.
 *
 * Without it, all of it runs twice, with SACK permitted by both ends (RFC 2018) and by none: 3.10.7
 * says the same. With "timestamps" all scenes have agreed on them (RFC 7323), and each segment has
 * an older one than TS.Recent, the same, a newer one, or none. With "ecn" all scenes have agreed on
 * ECN (RFC 3168), and each segment is marked CE.
 *
 *     test_state_event NUMBERS [sack] [SCENE]
 *     test_state_event "no memory" [sack] [SCENE]
 *     test_state_event timestamps [SCENE]
 *     test_state_event ecn [SCENE]
 *
 * NUMBERS: initial sequence numbers, by their name below. SCENE: only scenes with this in their
 * name.
 */
#include <stdio.h>

#include "reaction.h"
#include "scenes.h"
#include "segments.h"

#define SHOWN 8 /* mismatches that are printed in full */

/* What each segment is tried with. */
static const struct {
    uint32_t wnd;
    uint16_t up;
} announced[] = {
    {150, 5},                /* less than is in flight; in the text, or before it comes */
    {0, UINT16_MAX},         /* shut; far beyond the window */
    {2 * SCENE_PEER_WND, 0}, /* more than ever; nothing is urgent */
};
#define N_ANNOUNCED (sizeof announced / sizeof *announced)

static bool no_memory;

static struct {
    unsigned long cases, mismatches, refused;
    unsigned long needed[DEVIATIONS]; /* cases that would differ without it */
} count;

/* Where the engine's answer differs if it is not granted `which`. */
static void note_need(const struct rfc_tcb *before, const struct rfc_seg *seg, uint32_t used,
                      bool to_the_end, const struct reaction *engine)
{
    for (int which = 0; which < DEVIATIONS; which++) {
        if (!(used & 1u << which))
            continue;
        struct oracle o = {.t = *before, .dev = {.without = which}};
        oracle_arrives(&o, seg);
        struct reaction rfc = reaction_of_oracle(&o, to_the_end);
        count.needed[which] += !reaction_same(&rfc, engine);
    }
}

static void arrives(const struct rfc_seg *seg)
{
    receive(.flags = seg->ctl, .seq = seg->ctl == (RST | ACK) ? seg->seq : seg->seq - the.irs,
            .ack = seg->ctl & ACK ? seg->ack - the.iss : 0,
            .wnd = seg->wnd > 0 ? (int)seg->wnd : ZERO, .text = seg->text,
            .up = seg->ctl & URG ? seg->up : 0, .ts = seg->ts ? 1 : NONE,
            .ts_val = seg->tsval - the.irs, .ecn = seg->ce ? ECN_CE : ECN_NOT_ECT,
            .sack_ok = seg->ctl & SYN && scene_numbers.sack ? 1 : NONE);
    the.peer_val = scene_numbers.irs + 2 - the.irs; /* what it sends later is newer than any */
}

static void build(const struct scene *scene, bool passive, struct rfc_tcb *t)
{
    *t = (struct rfc_tcb){.passive = passive};
    scene->build(t);
}

/* Returns whether the engine was refused memory, which its `nth` allocation is for; 0: none is. */
static bool one_case(const struct scene *scene, bool passive, const struct rfc_seg *seg,
                     unsigned nth)
{
    static struct oracle o;
    static struct rfc_tcb before;
    build(scene, passive, &before);
    later(10);
    the.tcb.events = 0;
    if (before.state < RFC_SYN_RECEIVED)
        the.irs = seg->seq; /* should it be taken */
    before.last_ack_sent = before.rcv_nxt - before.unacked;
    uint64_t linger_ns = the.tcb.linger_due_ns;

    /* Whether there is a FIN that may be remembered. */
    bool to_the_end = seg->ctl & FIN || before.fin_held;

    test_mem_fail_at(&the.mem, nth);
    arrives(seg);
    test_mem_fail_at(&the.mem, 0);
    bool refused = the.mem.failed > 0;
    assert_int_equal(the.tcb.no_room, refused);
    struct reaction engine = reaction_of_engine(linger_ns, to_the_end);
    o = (struct oracle){.t = before, .no_memory = refused, .dev = {.without = -1}};
    oracle_arrives(&o, seg);
    struct reaction rfc = reaction_of_oracle(&o, to_the_end);

    count.cases++;
    if (!reaction_same(&rfc, &engine) && count.mismatches++ < SHOWN)
        reaction_print(scene->name, &before, seg, &rfc, &engine);
    if (!no_memory)
        note_need(&before, seg, o.dev.used, to_the_end, &engine);
    ignore();
    again(); /* and no octet is lost */
    return refused;
}

/* ---- Numbers on each side of each limit ---- */

#define FAR    0x60000000u
#define PLACES 16

/* Of the first octet, for a segment with so much text. */
static unsigned sequence_numbers(const struct rfc_tcb *t, uint32_t text, uint32_t *to)
{
    uint32_t left = t->state < RFC_SYN_RECEIVED ? the.irs : t->rcv_nxt, edge = left + t->rcv_wnd;
    unsigned n = 0;
    if (t->state < RFC_SYN_RECEIVED) { /* there is no window yet */
        to[n++] = 0;
        to[n++] = UINT32_MAX;
        to[n++] = left - FAR;
        to[n++] = left;
        to[n++] = left + FAR;
        return n;
    }
    to[n++] = left - FAR;
    to[n++] = left - text - 1;
    to[n++] = left;
    to[n++] = left + 1;
    to[n++] = edge - 1;
    to[n++] = edge;
    to[n++] = edge + 1;
    to[n++] = edge + FAR;
    if (text > 0) {
        to[n++] = left - 1;              /* much text overlaps both edges: not acceptable */
        to[n++] = left - text;           /* a FIN would be the first octet of the window, */
        to[n++] = left - (text + 1) / 2; /* text overlaps the left edge, */
        to[n++] = edge - text - 1;       /* a FIN is the last of the window, */
        to[n++] = edge - text;           /* and the first beyond it */
        to[n++] = edge - (text + 1) / 2;
    }
    return n;
}

static unsigned ack_numbers(const struct rfc_tcb *t, uint32_t *to)
{
    unsigned n = 0;
    to[n++] = t->snd_una - FAR;
    to[n++] = t->snd_una - t->max_snd_wnd - 1;
    to[n++] = t->snd_una - t->max_snd_wnd;
    to[n++] = t->snd_una - 1;
    to[n++] = t->snd_una;
    to[n++] = t->snd_nxt;
    to[n++] = t->snd_nxt + 1;
    to[n++] = t->snd_nxt + FAR;
    if (t->snd_nxt - t->snd_una > 2) {
        to[n++] = t->snd_una + 1;
        to[n++] = t->snd_nxt - 1; /* all but the FIN */
    }
    return n;
}

/* With each window and urgent pointer that matters to it. */
static void each_announced(const struct scene *scene, bool passive, struct rfc_seg seg)
{
    for (unsigned i = 0; i < N_ANNOUNCED; i++) {
        if (i > 0 && !(seg.ctl & (RFC_ACK | RFC_SYN | RFC_URG)))
            break;
        seg.wnd = announced[i].wnd;
        seg.up = announced[i].up;
        one_case(scene, passive, &seg, 0);
    }
}

/* With each timestamp that matters to it. */
static void each_timestamp(const struct scene *scene, const struct rfc_tcb *t, struct rfc_seg seg)
{
    const uint32_t recent = scene_numbers.irs; /* so that it wraps as that does */
    seg.wnd = announced[0].wnd;
    seg.up = announced[0].up;
    if (t->state >= RFC_SYN_RECEIVED) /* else it is not agreed */
        one_case(scene, t->passive, &seg, 0);
    seg.ts = true;
    for (seg.tsval = recent - 1; seg.tsval != recent + 2; seg.tsval++)
        one_case(scene, t->passive, &seg, 0);
}

/* With each of its allocations failing. */
static void each_allocation(const struct scene *scene, bool passive, struct rfc_seg seg)
{
    unsigned nth = 0;
    seg.wnd = announced[0].wnd;
    seg.up = announced[0].up;
    do {
        nth++;
    } while (one_case(scene, passive, &seg, nth));
    count.refused += nth - 1;
}

static void all_flags(const struct scene *scene, const struct rfc_tcb *t, struct rfc_seg seg)
{
    uint32_t acks[PLACES];
    unsigned n = ack_numbers(t, acks);
    for (seg.ctl = 0; seg.ctl < 64; seg.ctl++) {
        for (unsigned i = 0; i < (seg.ctl & RFC_ACK ? n : 1); i++) {
            seg.ack = seg.ctl & RFC_ACK ? acks[i] : 0;
            if (no_memory)
                each_allocation(scene, t->passive, seg);
            else if (scene_stamped)
                each_timestamp(scene, t, seg);
            else
                each_announced(scene, t->passive, seg);
        }
    }
}

static void all_of(const struct scene *scene, bool passive)
{
    static const uint32_t texts[] = {0, 10, 2 * SCENE_MSS, SCENE_TEXT_MAX};
    static struct rfc_tcb t;
    build(scene, passive, &t);
    again();
    for (unsigned i = no_memory ? 1 : 0; i < sizeof texts / sizeof *texts;
         i += scene_stamped ? 2 : 1) {
        uint32_t seqs[PLACES];
        unsigned n = sequence_numbers(&t, texts[i], seqs);
        for (unsigned j = 0; j < n; j++)
            all_flags(scene, &t,
                      (struct rfc_seg){.seq = seqs[j], .text = texts[i], .ce = scene_ecn});
    }
}

/* The text, the window's edges and what is in flight lie on both sides of where numbers wrap, or
 * turn negative. */
static const struct scene_numbers numbers[] = {
    {.name = "far", .iss = 1000, .irs = 5000},
    {.name = "wrap in the text", /* a FIN beyond a hole is number 0 */
     .iss = UINT32_MAX - 100,
     .irs = UINT32_MAX - 201},
    {.name = "wrap behind the SYNs", .iss = UINT32_MAX, .irs = UINT32_MAX},
    {.name = "change sign", .iss = INT32_MAX - 100u, .irs = INT32_MAX - 150u},
};

static const char *only; /* scenes with this in their name; NULL: all */

static void state_by_event(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_scenes; i++) {
        unsigned long was = count.mismatches;
        if (only && !strstr(scenes[i].name, only))
            continue;
        if (scenes[i].ways & SCENE_ACTIVE)
            all_of(&scenes[i], false);
        if (scenes[i].ways & SCENE_PASSIVE)
            all_of(&scenes[i], true);
        if (count.mismatches > was)
            printf("%s: %lu mismatches\n", scenes[i].name, count.mismatches - was);
    }
    printf("%lu cases, %lu mismatches, %lu without memory\n", count.cases, count.mismatches,
           count.refused);
    assert_true(count.cases > 0);
    assert_true(only || no_memory == (count.refused > 0));
    assert_int_equal(count.mismatches, 0);
}

/* Without SACK there is none of those that it brings. */
static bool may_be_needed(int which)
{
    return scene_numbers.sack || which != DEV_SACK_ALONE;
}

static void deviations_are_needed(void **state)
{
    (void)state;
    bool all = true;
    for (int i = 0; i < DEVIATIONS; i++) {
        if (scene_stamped != (i >= DEV_SYN_WITHOUT_TS))
            continue; /* the last ones are of timestamps */
        printf("%7lu cases differ but for: %s\n", count.needed[i], deviation_text[i].rfc);
        all = all && (count.needed[i] > 0) == may_be_needed(i);
    }
    assert_true(all || only);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ladder_test(state_by_event),
        cmocka_unit_test(deviations_are_needed),
    };
    no_memory = argc > 1 && strcmp(argv[1], "no memory") == 0;
    scene_stamped = argc > 1 && strcmp(argv[1], "timestamps") == 0;
    scene_ecn = argc > 1 && strcmp(argv[1], "ecn") == 0;
    const char *name = scene_ecn || scene_stamped ? "wrap behind the SYNs"
                       : no_memory                ? "far"
                                                  : argv[1];
    unsigned i = 0, n = sizeof numbers / sizeof *numbers;
    while (argc > 1 && i < n && strcmp(numbers[i].name, name) != 0)
        i++;
    if (argc < 2 || i == n)
        return 2;
    scene_numbers = numbers[i];
    scene_numbers.sack = argc > 2 && strcmp(argv[2], "sack") == 0;
    only = argc > 2 + scene_numbers.sack ? argv[2 + scene_numbers.sack] : NULL;
    return _cmocka_run_group_tests("state by event", tests, no_memory || scene_ecn ? 1 : 2, NULL,
                                   NULL);
}
