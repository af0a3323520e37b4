/*
 * RFC 9293 3.10.7 by state and event, exhaustively: every scene (scenes.c) with each of the 64 sets
 * of control bits, sequence and acknowledgment numbers on each side of each limit, with and without
 * text. The engine's whole reaction has to be the oracle's (oracle.h).
 *
 * A deviation that the engine is granted has to be needed: without it some case must differ.
 *
 *     test_state_event NUMBERS [SCENE]
 *
 * NUMBERS: initial sequence numbers, by their name below. SCENE: only scenes with this in their
 * name.
 */
#include <stdio.h>

#include "reaction.h"
#include "scenes.h"
#include "segments.h"

#define SEG_WND 150 /* not what the peer has offered before, and less than is in flight */
#define UP      5   /* urgent pointer */
#define SHOWN   8   /* mismatches that are printed in full */

static struct {
    unsigned long cases, mismatches;
    unsigned long needed[DEVIATIONS]; /* cases that would differ without it */
} count;

/* Where the engine's answer differs if it is not granted `which`. */
static void note_need(const struct rfc_tcb *before, const struct rfc_seg *seg, uint32_t used,
                      const struct reaction *engine)
{
    for (int which = 0; which < DEVIATIONS; which++) {
        if (!(used & 1u << which))
            continue;
        struct oracle o = {.t = *before, .dev = {.without = which}};
        oracle_arrives(&o, seg);
        struct reaction rfc = reaction_of_oracle(&o);
        count.needed[which] += !reaction_same(&rfc, engine);
    }
}

static void arrives(const struct rfc_seg *seg)
{
    receive(.flags = seg->ctl, .seq = seg->ctl == (RST | ACK) ? seg->seq : seg->seq - the.irs,
            .ack = seg->ctl & ACK ? seg->ack - the.iss : 0, .wnd = (int)seg->wnd, .text = seg->text,
            .up = seg->ctl & URG ? seg->up : 0);
}

static void one_case(const struct scene *scene, const struct rfc_seg *seg)
{
    static struct oracle o;
    static struct rfc_tcb before;
    scene->build(&before);
    later(10);
    the.tcb.events = 0;
    if (before.state < RFC_SYN_RECEIVED)
        the.irs = seg->seq; /* should it be taken */
    uint64_t linger_ns = the.tcb.linger_due_ns;

    o = (struct oracle){.t = before, .dev = {.without = -1}};
    oracle_arrives(&o, seg);
    struct reaction rfc = reaction_of_oracle(&o);
    arrives(seg);
    struct reaction engine = reaction_of_engine(linger_ns);

    count.cases++;
    if (!reaction_same(&rfc, &engine) && count.mismatches++ < SHOWN)
        reaction_print(scene->name, &before, seg, &rfc, &engine);
    note_need(&before, seg, o.dev.used, &engine);
    for (int64_t left = engine.unread, got; left > 0; left -= got) { /* and each octet is right */
        got = user_receive((size_t)left);
        assert_true(got > 0); /* fewer at the mark of urgent data */
        batch();
    }
    ignore();
    again();
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

static void all_flags(const struct scene *scene, const struct rfc_tcb *t, struct rfc_seg seg)
{
    uint32_t acks[PLACES];
    unsigned n = ack_numbers(t, acks);
    for (seg.ctl = 0; seg.ctl < 64; seg.ctl++) {
        for (unsigned i = 0; i < (seg.ctl & RFC_ACK ? n : 1); i++) {
            seg.ack = seg.ctl & RFC_ACK ? acks[i] : 0;
            one_case(scene, &seg);
        }
    }
}

static void all_of(const struct scene *scene)
{
    static const uint32_t texts[] = {0, 10, 2 * SCENE_MSS, SCENE_WND + 100};
    static struct rfc_tcb t;
    scene->build(&t);
    again();
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint32_t seqs[PLACES];
        unsigned n = sequence_numbers(&t, texts[i], seqs);
        for (unsigned j = 0; j < n; j++)
            all_flags(scene, &t,
                      (struct rfc_seg){.seq = seqs[j], .text = texts[i], .wnd = SEG_WND, .up = UP});
    }
}

/* The text, the window's edges and what is in flight lie on both sides of where numbers wrap, or
 * turn negative. */
static const struct scene_numbers numbers[] = {
    {"far", 1000, 5000},
    {"wrap in the text", UINT32_MAX - 100, UINT32_MAX - 150},
    {"wrap behind the SYNs", UINT32_MAX, UINT32_MAX},
    {"change sign", INT32_MAX - 100u, INT32_MAX - 150u},
};

static const char *only; /* scenes with this in their name; NULL: all */

static void state_by_event(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_scenes; i++) {
        unsigned long was = count.mismatches;
        if (!only || strstr(scenes[i].name, only))
            all_of(&scenes[i]);
        if (count.mismatches > was)
            printf("%s: %lu mismatches\n", scenes[i].name, count.mismatches - was);
    }
    printf("%lu cases, %lu mismatches\n", count.cases, count.mismatches);
    assert_true(count.cases > 0);
    assert_int_equal(count.mismatches, 0);
}

static void deviations_are_needed(void **state)
{
    (void)state;
    bool all = true;
    for (int i = 0; i < DEVIATIONS; i++) {
        printf("%7lu cases differ but for: %s\n", count.needed[i], deviation_text[i].rfc);
        all = all && count.needed[i] > 0;
    }
    assert_true(all || only);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        ladder_test(state_by_event),
        cmocka_unit_test(deviations_are_needed),
    };
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (argc > 1 && strcmp(numbers[i].name, argv[1]) == 0)
            scene_numbers = numbers[i];
    }
    if (!scene_numbers.name)
        return 2;
    only = argc > 2 ? argv[2] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
