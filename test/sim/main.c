/* vopr: runs simulated worlds, one per seed, and says which of them broke the engine. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fail.h"
#include "world.h"

static const char help[] =
    "usage: vopr [--seeds A-B | --seed N | --soak MINUTES [--from N]]\n"
    "            [--super MSS] [--loss P] [--every] [--least SEGMENTS] [--trace]\n"
    "            [--keep-going] [--twice]\n"
    "\n"
    "Runs the TCP engine in simulated worlds. A seed decides everything about a world, so a\n"
    "seed is a bug report.\n"
    "\n"
    "  --seeds A-B   these seeds (default 1-100), all of them, whether some fail or not\n"
    "  --seed N      one seed; prints its hash, which must always be the same\n"
    "  --soak M      seeds nobody has run before, for M minutes; prints which they were\n"
    "  --from N      and these from N on\n"
    "  --super MSS   super-segments of so many MSS, 1 to 44 (default 1)\n"
    "  --loss P      P percent of all packets are lost, on every path and in each direction, from\n"
    "                the beginning to the end, besides what the seed says\n"
    "  --every       each seed four times: with super-segments of 1 and of 44 MSS, without and\n"
    "                with a loss of 50 percent\n"
    "  --least N     fewer segments than N are a failure\n"
    "  --trace       prints the segments as a ladder, and what came of it; with --seed\n"
    "  --keep-going  with --soak: does not stop at the first seed that fails\n"
    "  --twice       runs each seed twice and compares the hashes\n"
    "\n"
    "Exit status: 0 all seeds passed, 1 one has failed, 2 wrong usage.\n";

struct options {
    uint64_t first, last, least, minutes;
    struct world_options world;
    bool keep_going, twice, one, every, soak, from;
};

struct sums {
    struct world_result all;
    uint64_t seeds, failed, chances;
    clock_t from;
};

static bool parse_number(const char *s, char **end, uint64_t *out)
{
    if (*s < '0' || *s > '9')
        return false;
    *out = strtoull(s, end, 10);
    return true;
}

/* --seeds A-B; n is A. */
static bool parse_range(struct options *o, uint64_t n, char *end)
{
    o->first = n;
    return *end == '-' && parse_number(end + 1, &end, &o->last) && *end == '\0' &&
           o->first <= o->last;
}

/* Options with a value; false when it makes no sense. */
static bool parse_value(struct options *o, const char *name, const char *value)
{
    char *end = NULL;
    uint64_t n = 0;
    if (!value || !parse_number(value, &end, &n))
        return false;
    if (strcmp(name, "--seeds") == 0)
        return parse_range(o, n, end);
    if (*end != '\0')
        return false;
    if (strcmp(name, "--seed") == 0) {
        o->first = o->last = n;
        o->one = true;
    } else if (strcmp(name, "--soak") == 0) {
        o->minutes = n;
        o->soak = true;
    } else if (strcmp(name, "--from") == 0) {
        o->first = n;
        o->from = true;
    } else if (strcmp(name, "--least") == 0) {
        o->least = n;
    } else if (strcmp(name, "--super") == 0) {
        o->world.super = (uint32_t)n;
        return n >= 1 && n <= 44;
    } else if (strcmp(name, "--loss") == 0) {
        o->world.loss_ppm = (uint32_t)n * 10000;
        return n <= 99;
    } else {
        return false;
    }
    return true;
}

static bool parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            o->world.trace = true;
        else if (strcmp(argv[i], "--keep-going") == 0)
            o->keep_going = true;
        else if (strcmp(argv[i], "--twice") == 0)
            o->twice = true;
        else if (strcmp(argv[i], "--every") == 0)
            o->every = true;
        else if (!parse_value(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return false;
        else
            i++;
    }
    return true;
}

static void print_replay(uint64_t seed, const struct world_options *w)
{
    printf("    again: vopr --seed %" PRIu64 " --super %u --loss %u --trace\n", seed, w->super,
           w->loss_ppm / 10000);
}

static void print_verdict(const struct options *o, uint64_t seed, const struct world_result *r,
                          bool good)
{
    if (!o->one)
        return;
    printf("seed %" PRIu64 ": hash %016" PRIx64 ", %" PRIu64 " segments, %.3f s of virtual time\n",
           seed, r->hash, r->segments, (double)r->virtual_ns / 1e9);
    if (o->world.trace)
        printf("verdict: %s%s%s\n", good ? "every checker is content" : fail_frame.what,
               good ? "" : ": ", good ? "" : fail_frame.text);
}

/* Whether no checker has failed; *chance: the seed has ended before. */
static bool run_once(uint64_t seed, const struct world_options *w, struct world_result *r,
                     bool *chance)
{
    if (world_run(seed, w, r))
        return true;
    *chance = strcmp(fail_frame.what, fail_by_chance) == 0;
    return *chance;
}

static bool run_world(const struct options *o, const struct world_options *w, uint64_t seed,
                      struct sums *sums)
{
    struct world_result r, again, *sum = &sums->all;
    bool chance = false, good = run_once(seed, w, &r, &chance);
    if (good && o->twice) {
        good = run_once(seed, w, &again, &chance);
        if (good && again.hash != r.hash) {
            printf("seed %" PRIu64 ": not the same twice\n", seed);
            good = false;
        }
    }
    print_verdict(o, seed, &r, good && !chance);
    if (!good)
        print_replay(seed, w);
    fflush(stdout);
    sum->segments += r.segments;
    sum->octets += r.octets;
    sum->virtual_ns += r.virtual_ns / 1000;
    sum->tried += r.tried;
    sums->chances += chance;
    return good;
}

/* One seed, in one world or in four. */
static bool run_seed(const struct options *o, uint64_t seed, struct sums *sums)
{
    bool good = true;
    struct world_options w = o->world;
    for (unsigned i = 0; i < (o->every ? 4 : 1); i++) {
        if (o->every) {
            w.super = i % 2 ? 44 : 1;
            w.loss_ppm = i / 2 ? 500000 : 0;
        }
        good = run_world(o, &w, seed, sums) && good;
    }
    sums->seeds++;
    sums->failed += !good;
    return good;
}

static void print_sums(const struct sums *s)
{
    double cpu = (double)(clock() - s->from) / CLOCKS_PER_SEC;
    printf("%" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64 " ended by chance; %" PRIu64
           " segments, %.0f MB, %.0f s of virtual"
           " time, %" PRIu64 " batches in pieces, %.1f s of CPU time, %.0f segments/s\n",
           s->seeds, s->failed, s->chances, s->all.segments, (double)s->all.octets / 1e6,
           (double)s->all.virtual_ns / 1e6, s->all.tried, cpu,
           cpu > 0 ? (double)s->all.segments / cpu : 0);
    fflush(stdout);
}

/* Every seed from o->first on until the time is over. */
static void soak(const struct options *o, struct sums *sums)
{
    const time_t begin = time(NULL), end = begin + (time_t)o->minutes * 60;
    time_t told = begin, now = begin;
    uint64_t seed = o->first;
    for (bool go_on = true; go_on && now < end; now = time(NULL)) {
        go_on = run_seed(o, seed++, sums) || o->keep_going;
        if (now - told >= 60) {
            told = now;
            print_sums(sums);
        }
    }
    printf("seeds %" PRIu64 "-%" PRIu64 "\n", o->first, seed - 1);
}

int main(int argc, char **argv)
{
    struct options o = {.first = 1, .last = 100, .world = {.super = 1}};
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return 0;
    }
    if (!parse(&o, argc, argv)) {
        fputs(help, stderr);
        return 2;
    }
    if (o.soak && !o.from)
        o.first = (uint64_t)time(NULL) * 1000;
    fail_catch_abort();
    struct sums sums = {.from = clock()};
    if (o.soak)
        soak(&o, &sums);
    else
        for (uint64_t seed = o.first; seed <= o.last; seed++)
            run_seed(&o, seed, &sums);
    print_sums(&sums);
    if (sums.failed == 0 && sums.all.segments < o.least) {
        printf("that is less than %" PRIu64 " segments\n", o.least);
        return 1;
    }
    return sums.failed > 0;
}
