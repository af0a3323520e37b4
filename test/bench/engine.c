/*
 * What a segment of 1460 octets costs a TCP, without a system call: both ends in one process, over
 * memory. Copies in and out, software checksums and all ACKs are in it.
 *
 * Text is numbered: each 8 octets are the number of octets before them, all modulo TEXT_LEN.
 */
#include "engine.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BULK_ROUND  ((size_t)32 * ENGINE_SEGMENT) /* octets offered in a call of bulk */
#define TEXT_LEN    (4 * BULK_ROUND)              /* after so many the text begins again */
#define WARM_UP     0.2                           /* seconds */
#define CLOCK_EVERY 64                            /* rounds between two looks at the clock */

static uint64_t text[TEXT_LEN / sizeof(uint64_t)];
static bool check;

/* Octets of the stream from this one on: how many lie side by side, and where. */
static size_t text_at(uint64_t at, const char **from)
{
    *from = (const char *)text + at % TEXT_LEN;
    return TEXT_LEN - at % TEXT_LEN;
}

static void look_at(uint64_t at, const char *got, size_t len)
{
    const char *wanted;
    for (size_t n; check && len > 0; at += n, got += n, len -= n) {
        n = text_at(at, &wanted);
        n = n < len ? n : len;
        if (memcmp(got, wanted, n) != 0) {
            fprintf(stderr, "engine: what has arrived is not what was sent\n");
            exit(1);
        }
    }
}

/* One round of bulk, one way: so much is offered, goes and is taken. Octets that have arrived. */
static uint64_t bulk(void)
{
    static uint64_t sent, got;
    static char buf[BULK_ROUND];
    uint64_t before = got;
    const char *from;
    size_t len = text_at(sent, &from);
    sent += engine_send(0, from, len < BULK_ROUND ? len : BULK_ROUND);
    engine_move(0);
    for (size_t n; (n = engine_recv(1, buf, sizeof buf)) > 0; got += n)
        look_at(got, buf, n);
    engine_move(1);
    return got - before;
}

static void carry(int from, const char *data)
{
    static char buf[2][ENGINE_SEGMENT];
    (void)engine_send(from, data, ENGINE_SEGMENT);
    for (size_t got = 0; got < ENGINE_SEGMENT;) {
        engine_move(from);
        got += engine_recv(!from, buf[from] + got, ENGINE_SEGMENT - got);
    }
    look_at(0, buf[from], ENGINE_SEGMENT);
    if (from == 0)
        carry(1, buf[0]);
}

/* One round of echo: a segment there, and back when all of it has come. */
static uint64_t echo(void)
{
    carry(0, (const char *)text);
    return UINT64_C(2) * ENGINE_SEGMENT;
}

/* ns of processor time per segment: nothing here waits, and what else runs is left out. */
static double measure(uint64_t (*round)(void), double seconds)
{
    uint64_t octets = 0;
    double begun = cpu_s(), took = 0;
    while (took < seconds) {
        for (int i = 0; i < CLOCK_EVERY; i++)
            octets += round();
        took = cpu_s() - begun;
    }
    return took * 1e9 * ENGINE_SEGMENT / (double)octets;
}

int main(int argc, char **argv)
{
    double seconds = argc > 2 ? atof(argv[2]) : 0;
    bool is_bulk = argc > 1 && strcmp(argv[1], "bulk") == 0;
    check = argc > 3 && strcmp(argv[3], "-k") == 0;
    if (seconds <= 0 || !(is_bulk || strcmp(argv[1], "echo") == 0)) {
        fprintf(stderr, "usage: engine bulk|echo SECONDS [-k]\n"
                        "  -k    look at every octet that arrives\n");
        return 2;
    }
    for (size_t i = 0; i < TEXT_LEN / sizeof *text; i++)
        text[i] = i * sizeof *text;
    engine_open();
    measure(is_bulk ? bulk : echo, WARM_UP);
    printf("{\"ns\": %.1f}\n", measure(is_bulk ? bulk : echo, seconds));
    engine_close();
    return 0;
}
