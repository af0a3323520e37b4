/* settings.c - the arguments of `impair`: one table, a reader for each, and the way back to text.
 *
 * An argument is for both directions, or for that of the --dir among them. With more than one
 * --dir, those behind each are its own.
 */
#include "settings.h"

#include "say.h"
#include "units.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define QUEUE_DEFAULT 1000    /* packets, as netem's and a device's */
#define LATE_DEFAULT  1000000 /* ns */
#define BURST_MAX     1000000 /* in thousandths */
#define MTU_MIN       68      /* RFC 791 3.2 */
#define MTU_MAX       65535

/* "A,B", or A alone: then the tail is NULL. */
struct split {
    char head[32];
    const char *tail;
};

static struct split split(const char *text)
{
    struct split s = {.tail = strchr(text, ',')};
    size_t len = s.tail ? (size_t)(s.tail - text) : strlen(text);
    if (len < sizeof(s.head))
        memcpy(s.head, text, len); /* else empty, which nothing takes */
    s.tail = s.tail ? s.tail + 1 : NULL;
    return s;
}

static bool read_delay(const char *text, struct impair_way *way)
{
    return units_time(text, &way->delay_ns);
}

static bool read_jitter(const char *text, struct impair_way *way)
{
    return units_time(text, &way->jitter_ns);
}

static bool read_loss(const char *text, struct impair_way *way)
{
    return units_share(text, &way->loss);
}

static bool read_burst(const char *text, struct impair_way *way)
{
    double value;
    const char *end;
    if (!units_number(text, &value, &end) || *end != '\0' || value < 1 || value > BURST_MAX / 1000)
        return false;
    way->burst = (uint32_t)(value * 1000 + 0.5);
    return true;
}

static bool read_reorder(const char *text, struct impair_way *way)
{
    struct split s = split(text);
    way->late_ns = LATE_DEFAULT;
    return units_share(s.head, &way->reorder) &&
           (!s.tail || (units_time(s.tail, &way->late_ns) && way->late_ns > 0));
}

static bool read_dup(const char *text, struct impair_way *way)
{
    return units_share(text, &way->dup);
}

static bool read_corrupt(const char *text, struct impair_way *way)
{
    return units_share(text, &way->corrupt);
}

static bool read_rate(const char *text, struct impair_way *way)
{
    struct split s = split(text);
    way->bucket = 0;
    return units_rate(s.head, &way->rate) && (!s.tail || units_size(s.tail, &way->bucket));
}

static bool read_queue(const char *text, struct impair_way *way)
{
    way->queue_given = true;
    way->queue_in_packets = units_packets(text, &way->queue);
    return way->queue_in_packets || units_size(text, &way->queue);
}

static bool read_mtu(const char *text, struct impair_way *way)
{
    struct split s = split(text);
    uint64_t mtu;
    way->black_hole = s.tail != NULL;
    if (!units_size(s.head, &mtu) || mtu < MTU_MIN || mtu > MTU_MAX)
        return false;
    way->mtu = (uint32_t)mtu;
    return !s.tail || strcmp(s.tail, "silent") == 0;
}

static const struct argument {
    const char *name;
    bool (*read)(const char *text, struct impair_way *way);
    const char *form; /* "not ..." */
} arguments[] = {
    {"--delay", read_delay, "a time up to an hour, with its unit (20ms)"},
    {"--jitter", read_jitter, "a time up to an hour, with its unit (5ms)"},
    {"--loss", read_loss, "a percentage from 0 to 100, 0.0001 at the least"},
    {"--burst", read_burst, "a mean number of packets from 1 to 1000"},
    {"--reorder", read_reorder, "a percentage, or one and a time (1%,5ms)"},
    {"--dup", read_dup, "a percentage from 0 to 100, 0.0001 at the least"},
    {"--corrupt", read_corrupt, "a percentage from 0 to 100, 0.0001 at the least"},
    {"--rate", read_rate, "a rate up to 100gbit (100mbit), or one and a size (10mbit,32kb)"},
    {"--queue", read_queue, "a number of packets (1000p) or a size (256kb)"},
    {"--mtu", read_mtu, "a length from 68 to 65535 (1400), or one and silent (1400,silent)"},
};
enum { ARGUMENTS = sizeof(arguments) / sizeof(arguments[0]) };

static bool read_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && end[0] == '\0' && errno == 0;
}

/* Whether argv[*i] is this option. Then *value is what it is given, NULL where that is missing, and
 * *i the last place that belongs to it. */
static bool is_option(char **argv, int *i, const char *name, const char **value)
{
    size_t len = strlen(name);
    if (strncmp(argv[*i], name, len) != 0 || (argv[*i][len] != '\0' && argv[*i][len] != '='))
        return false;
    if (argv[*i][len] == '=') {
        *value = argv[*i] + len + 1;
    } else {
        *value = argv[*i + 1];
        *i += *value != NULL;
    }
    return true;
}

static int missing_value(const char *name)
{
    return say_usage("impair: %s: its value is missing", name);
}

static bool read_direction(const char *text, bool towards[TOPO_LINKS])
{
    bool any = false;
    for (int d = 0; d < TOPO_LINKS; d++) {
        towards[d] = strcmp(text, "both") == 0 || strcmp(text, topo_goal(d)) == 0;
        any = any || towards[d];
    }
    return any;
}

/* The directions of the first --dir, which are those of all that stands before it. */
static void first_direction(char **argv, bool towards[TOPO_LINKS])
{
    const char *value;
    read_direction("both", towards);
    for (int i = 1; argv[i]; i++) {
        if (!is_option(argv, &i, "--dir", &value))
            continue;
        if (value)
            read_direction(value, towards);
        return;
    }
}

/* The argument at argv[*i], if it is one of the table. 0, or 2 after saying what is wrong. */
static int read_argument(char **argv, int *i, const bool towards[TOPO_LINKS],
                         struct impair_settings *settings)
{
    const char *value;
    for (const struct argument *a = arguments; a < arguments + ARGUMENTS; a++) {
        if (!is_option(argv, i, a->name, &value))
            continue;
        if (!value)
            return missing_value(a->name);
        for (int d = 0; d < TOPO_LINKS; d++) {
            if (towards[d] && !a->read(value, &settings->way[d]))
                return say_usage("impair: %s %s: not %s", a->name, value, a->form);
            settings->way[d].on = settings->way[d].on || towards[d];
        }
        return 0;
    }
    return say_usage("impair: %s: %s", argv[*i],
                     argv[*i][0] == '-' ? "no such option" : "no such thing to do");
}

/* What one argument cannot be without another. 0, or 2 after saying it. */
static int check_way(struct impair_way *way)
{
    if (way->jitter_ns > way->delay_ns)
        return say_usage("impair: --jitter %s: more than --delay, which it varies",
                         units_time_text(way->jitter_ns).text);
    if (way->burst > 0 && way->loss == 0)
        return say_usage("impair: --burst needs --loss");
    if (UINT64_C(1000) * way->loss > (uint64_t)way->burst * (UNITS_WHOLE - way->loss) &&
        way->burst > 0)
        return say_usage("impair: --loss %s: too much for a --burst of %g with a packet between",
                         units_share_text(way->loss).text, way->burst / 1000.0);
    if (way->queue_given && way->rate == 0)
        return say_usage("impair: --queue needs --rate, which fills it");
    if (!way->queue_given) {
        way->queue_in_packets = true;
        way->queue = QUEUE_DEFAULT;
    }
    return 0;
}

static int check(struct impair_settings *settings)
{
    int wrong = 0;
    bool any = false;
    for (int d = 0; d < TOPO_LINKS && !wrong; d++) {
        wrong = check_way(&settings->way[d]);
        any = any || settings->way[d].on;
    }
    return wrong ? wrong
           : any ? 0
                 : say_usage("impair: --loss, --delay or another thing to do is missing");
}

/* empty: the value of a --dir that is of no argument, or NULL. */
static int check_empty(const char *empty)
{
    return empty ? say_usage("impair: --dir %s: nothing stands behind it", empty) : 0;
}

static int read_dir(const char *value, bool towards[TOPO_LINKS])
{
    if (!value)
        return missing_value("--dir");
    if (!read_direction(value, towards))
        return say_usage("impair: --dir %s: not host1, host2 or both", value);
    return 0;
}

static int read_seed_argument(const char *value, uint64_t *seed)
{
    if (!value)
        return missing_value("--seed");
    if (!read_seed(value, seed))
        return say_usage("impair: --seed %s: not a number that fits 64 bits", value);
    return 0;
}

int settings_parse(int argc, char **argv, struct impair_settings *settings)
{
    bool towards[TOPO_LINKS], seeded = false;
    bool first = true, in_front = false; /* no --dir yet; there were arguments */
    const char *empty = NULL;
    int wrong = 0;
    *settings = (struct impair_settings){0};
    first_direction(argv, towards);
    for (int i = 1; i < argc && !wrong; i++) {
        const char *value;
        if (is_option(argv, &i, "--dir", &value)) {
            wrong = check_empty(empty);
            if (!wrong)
                wrong = read_dir(value, towards);
            empty = first && in_front ? NULL : value;
            first = false;
        } else if (is_option(argv, &i, "--seed", &value)) {
            wrong = read_seed_argument(value, &settings->seed);
            seeded = true;
        } else {
            wrong = read_argument(argv, &i, towards, settings);
            empty = NULL;
            in_front = true;
        }
    }
    if (!seeded && getrandom(&settings->seed, sizeof(settings->seed), 0) < 0)
        settings->seed = (uint64_t)time(NULL);
    if (!wrong)
        wrong = check(settings);
    return wrong ? wrong : check_empty(empty);
}

/* Text that grows, up to SETTINGS_TEXT_MAX. */
struct text {
    char *start;
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->start + t->len, SETTINGS_TEXT_MAX - t->len, format, ap);
    va_end(ap);
    t->len += n > 0 ? (size_t)n : 0;
}

static void add_rate(struct text *t, const struct impair_way *way)
{
    add(t, "rate %s", units_rate_text(way->rate).text);
    if (way->bucket > 0)
        add(t, ",%s", units_size_text(way->bucket).text);
    if (way->queue_in_packets)
        add(t, " queue %llup ", (unsigned long long)way->queue);
    else
        add(t, " queue %s ", units_size_text(way->queue).text);
}

/* In the order of the pipeline, a blank after each. */
static void add_way(struct text *t, const struct impair_way *way)
{
    size_t before = t->len;
    if (way->mtu > 0)
        add(t, "mtu %u%s ", way->mtu, way->black_hole ? ",silent" : "");
    if (way->rate > 0)
        add_rate(t, way);
    if (way->loss > 0)
        add(t, "loss %s ", units_share_text(way->loss).text);
    if (way->burst > 0)
        add(t, "burst %g ", way->burst / 1000.0);
    if (way->corrupt > 0)
        add(t, "corrupt %s ", units_share_text(way->corrupt).text);
    if (way->dup > 0)
        add(t, "dup %s ", units_share_text(way->dup).text);
    if (way->delay_ns > 0)
        add(t, "delay %s ", units_time_text(way->delay_ns).text);
    if (way->jitter_ns > 0)
        add(t, "jitter %s ", units_time_text(way->jitter_ns).text);
    if (way->reorder > 0)
        add(t, "reorder %s,%s ", units_share_text(way->reorder).text,
            units_time_text(way->late_ns).text);
    if (t->len == before)
        add(t, "loss 0%% ");
}

void settings_text(const struct impair_settings *settings, char text[SETTINGS_TEXT_MAX])
{
    struct text t = {.start = text};
    char of[TOPO_LINKS][SETTINGS_TEXT_MAX] = {0};
    for (int d = 0; d < TOPO_LINKS; d++)
        if (settings->way[d].on)
            add_way(&(struct text){.start = of[d]}, &settings->way[d]);
    if (strcmp(of[LEFT], of[RIGHT]) == 0)
        add(&t, "%sto %s and %s", of[LEFT], topo_goal(LEFT), topo_goal(RIGHT));
    else
        for (int d = 0; d < TOPO_LINKS; d++)
            if (settings->way[d].on)
                add(&t, "%s%sto %s", t.len > 0 ? "; " : "", of[d], topo_goal(d));
    add(&t, ", seed %llu", (unsigned long long)settings->seed);
}
