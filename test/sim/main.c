/* vopr: runs simulated worlds, one per seed, and says which of them broke the engine. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fail.h"
#include "world.h"

static const char help[] =
    "usage: vopr [--seeds A-B | --seed N] [--super MSS] [--loss P] [--trace]\n"
    "            [--keep-going] [--twice]\n"
    "\n"
    "Runs the TCP engine in simulated worlds. A seed decides everything about a world, so a\n"
    "seed is a bug report.\n"
    "\n"
    "  --seeds A-B   these seeds (default 1-100)\n"
    "  --seed N      one seed; prints its hash, which must always be the same\n"
    "  --super MSS   super-segments of so many MSS, 1 to 44 (default 1)\n"
    "  --loss P      P percent of all packets are lost, from the beginning to the end, besides\n"
    "                what the seed says\n"
    "  --trace       prints the segments as a ladder; with --seed\n"
    "  --keep-going  does not stop at the first seed that fails\n"
    "  --twice       runs each seed twice and compares the hashes\n"
    "\n"
    "Exit status: 0 all seeds passed, 1 one has failed, 2 wrong usage.\n";

struct options {
    uint64_t first, last;
    struct world_options world;
    bool keep_going, twice, one;
};

static bool parse_number(const char *s, char **end, uint64_t *out)
{
    if (*s < '0' || *s > '9')
        return false;
    *out = strtoull(s, end, 10);
    return true;
}

/* Options with a value; false when it makes no sense. */
static bool parse_value(struct options *o, const char *name, const char *value)
{
    char *end = NULL;
    uint64_t n = 0;
    if (!value || !parse_number(value, &end, &n))
        return false;
    if (strcmp(name, "--seed") == 0) {
        o->first = o->last = n;
        o->one = true;
    } else if (strcmp(name, "--super") == 0) {
        o->world.super = (uint32_t)n;
        if (n < 1 || n > 44)
            return false;
    } else if (strcmp(name, "--loss") == 0) {
        o->world.loss_ppm = (uint32_t)n * 10000;
        if (n > 99)
            return false;
    } else if (strcmp(name, "--seeds") == 0) {
        o->first = n;
        return *end == '-' && parse_number(end + 1, &end, &o->last) && *end == '\0' &&
               o->first <= o->last;
    } else {
        return false;
    }
    return *end == '\0';
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
        else if (!parse_value(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL))
            return false;
        else
            i++;
    }
    return true;
}

static bool run_seed(const struct options *o, uint64_t seed, struct world_result *sum)
{
    struct world_result r, again;
    bool good = world_run(seed, &o->world, &r);
    if (good && o->twice) {
        good = world_run(seed, &o->world, &again);
        if (good && again.hash != r.hash) {
            printf("seed %llu: not the same twice\n", (unsigned long long)seed);
            good = false;
        }
    }
    if (o->one)
        printf("seed %llu: hash %016llx, %llu segments, %.3f s of virtual time\n",
               (unsigned long long)seed, (unsigned long long)r.hash, (unsigned long long)r.segments,
               (double)r.virtual_ns / 1e9);
    sum->segments += r.segments;
    sum->octets += r.octets;
    sum->virtual_ns += r.virtual_ns / 1000;
    return good;
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
    fail_catch_abort();
    struct world_result sum = {0};
    uint64_t failed = 0, run = 0;
    clock_t from = clock();
    for (uint64_t seed = o.first; seed <= o.last; seed++) {
        run++;
        if (!run_seed(&o, seed, &sum) && ++failed && !o.keep_going)
            break;
    }
    double cpu = (double)(clock() - from) / CLOCKS_PER_SEC;
    printf("%llu seeds, %llu failed; %llu segments, %.0f MB, %.0f s of virtual time, %.1f s of CPU"
           " time, %.0f segments/s\n",
           (unsigned long long)run, (unsigned long long)failed, (unsigned long long)sum.segments,
           (double)sum.octets / 1e6, (double)sum.virtual_ns / 1e6, cpu,
           cpu > 0 ? (double)sum.segments / cpu : 0);
    return failed > 0;
}
