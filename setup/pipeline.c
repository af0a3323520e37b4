/* pipeline.c - the stages a packet goes through, one function each, in the order of a real path.
 *
 * A stage's chance is a function of the seed, the direction, the stage and the packet's number in
 * its direction, and of nothing else: the same seed makes the same decisions whatever the other
 * direction and the other stages do. No socket, no clock.
 */
#include "pipeline.h"

#include "siphash.h"

enum stage { LOSS };

struct parcel {
    int direction;
    uint64_t number; /* of the packet in its direction, from 0 */
};

/* A number of 64 random bits. */
static uint64_t draw(uint64_t seed, enum stage stage, const struct parcel *parcel)
{
    const struct siphash_key key = {.k0 = seed};
    const uint64_t what[] = {stage, (uint64_t)parcel->direction, parcel->number};
    return siphash(&key, what, sizeof(what));
}

static bool lose(const struct impair_settings *settings, const struct parcel *parcel)
{
    return draw(settings->seed, LOSS, parcel) % IMPAIR_WHOLE < settings->loss;
}

bool pipeline_pass(struct impair_state *state, int direction)
{
    const struct parcel parcel = {direction, state->counters.packets[direction]++};
    if (!state->settings.towards[direction])
        return true;
    if (lose(&state->settings, &parcel)) {
        state->counters.lost[direction]++;
        return false;
    }
    return true;
}
