/* Urgent data in whatever order it comes and is asked for: many short sequences, each made from its
 * seed, which stands in every line. NSTCP_SEED in the environment is the first one's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "posix.h"

#define SEQUENCES 150
#define STEPS     12

static uint64_t state;

static uint32_t below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

/* One step of many: what they do, if they still can, or what we do. */
static void step(struct joined *j, char *letter, bool *closed)
{
    static const struct {
        const char *name;
        size_t len;
        int flags;
    } calls[] = {{"recv 1", 1, 0},
                 {"recv 3", 3, 0},
                 {"recv 20", 20, 0},
                 {"peek 1", 1, MSG_PEEK},
                 {"peek 20", 20, MSG_PEEK},
                 {"oob", 1, MSG_OOB},
                 {"oob peek", 1, MSG_OOB | MSG_PEEK},
                 {"all 3", 3, MSG_WAITALL},
                 {"all peek 3", 3, MSG_WAITALL | MSG_PEEK}};
    char text[4] = "";
    uint32_t what = below(*closed ? 10 : 20);
    if (what < 9) {
        try_line(calls[what].name, j->ours, calls[what].len, calls[what].flags);
    } else if (what == 9) {
        int was = get_int(j->ours, SOL_SOCKET, SO_OOBINLINE);
        must("SO_OOBINLINE", set_int(j->ours, SOL_SOCKET, SO_OOBINLINE, !was));
        urgent_line(was ? "out of band" : "in line", j->ours);
    } else if (what < 19) {
        for (uint32_t n = 1 + below(3), i = 0; i < n; i++)
            text[i] = (*letter)++;
        if (what < 14) {
            they_send_text(*j, text, 0);
        } else {
            text[strlen(text) - 1] -= 'a' - 'A';
            they_send_text(*j, text, MSG_OOB);
        }
        urgent_line(text, j->ours);
    } else {
        if (below(2))
            they_reset(j);
        else
            they_close(*j);
        *closed = true;
        urgent_line(j->theirs < 0 ? "RST" : "FIN", j->ours);
    }
}

void sequences(void)
{
    const char *env = getenv("NSTCP_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : 1;
    for (uint64_t i = seed; i < seed + SEQUENCES; i++) {
        char name[64], letter = 'a';
        snprintf(name, sizeof name, "urgent, seed %llu", (unsigned long long)i);
        scenario(name);
        state = i;
        below(1);
        bool closed = false;
        struct joined j = join_by(below(2));
        for (int k = 0; k < STEPS && letter < 'x'; k++)
            step(&j, &letter, &closed);
        must("close", US(close, j.ours));
        if (j.theirs >= 0)
            must("close", THEM(close, j.theirs));
    }
}
