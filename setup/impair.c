/* impair.c - the command `impair`: reads its arguments, and asks or starts the forwarder. */
#include "impair.h"

#include "control.h"
#include "exec.h"
#include "forwarder.h"
#include "say.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TRIES 5000 /* of 1 ms each */

void impair_describe(const struct impair_settings *settings, char text[IMPAIR_TEXT_MAX])
{
    size_t at = (size_t)snprintf(text, IMPAIR_TEXT_MAX, "loss %.6g%%", settings->loss / 1e4);
    const char *word = "to";
    for (int d = 0; d < TOPO_LINKS; d++) {
        if (!settings->towards[d])
            continue;
        at += (size_t)snprintf(text + at, IMPAIR_TEXT_MAX - at, " %s %s", word, impair_goal(d));
        word = "and";
    }
    snprintf(text + at, IMPAIR_TEXT_MAX - at, ", seed %llu", (unsigned long long)settings->seed);
}

/* "20%", "0.1" (of a hundred). */
static int parse_percentage(const char *text, uint32_t *out)
{
    char *end;
    if (!strchr("0123456789.", text[0]) || strspn(text, "0123456789.%") != strlen(text))
        return -1;
    double value = strtod(text, &end);
    if (end == text || strcmp(end[0] == '%' ? end + 1 : end, "") != 0 || value > 100)
        return -1;
    *out = (uint32_t)(value * (IMPAIR_WHOLE / 100) + 0.5);
    return value > 0 && *out == 0 ? -1 : 0;
}

static int parse_seed(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && end[0] == '\0' && errno == 0 ? 0 : -1;
}

static int parse_direction(const char *text, bool towards[TOPO_LINKS])
{
    bool any = false;
    for (int d = 0; d < TOPO_LINKS; d++) {
        towards[d] = strcmp(text, "both") == 0 || strcmp(text, impair_goal(d)) == 0;
        any = any || towards[d];
    }
    return any ? 0 : -1;
}

/* 0, or 2 after saying what is wrong. */
static int parse(int argc, char **argv, struct impair_settings *settings)
{
    static const struct option options[] = {{"loss", required_argument, NULL, 'l'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"seed", required_argument, NULL, 's'},
                                            {0}};
    bool loss = false, seed = false;
    *settings = (struct impair_settings){0};
    parse_direction("both", settings->towards);
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "+:", options, NULL)) >= 0;) {
        if (option == 'l' && parse_percentage(optarg, &settings->loss) < 0)
            return say_usage("impair: --loss %s: not a percentage from 0 to 100, 0.0001 at the "
                             "least",
                             optarg);
        if (option == 'd' && parse_direction(optarg, settings->towards) < 0)
            return say_usage("impair: --dir %s: not host1, host2 or both", optarg);
        if (option == 's' && parse_seed(optarg, &settings->seed) < 0)
            return say_usage("impair: --seed %s: not a number that fits 64 bits", optarg);
        if (option == '?' || option == ':')
            return say_usage("impair: %s: %s", argv[optind - 1],
                             option == ':' ? "its value is missing" : "no such option");
        loss = loss || option == 'l';
        seed = seed || option == 's';
    }
    if (optind < argc)
        return say_usage("impair: %s: no such thing to do", argv[optind]);
    if (!loss)
        return say_usage("impair: --loss is missing");
    if (!seed && getrandom(&settings->seed, sizeof(settings->seed), 0) < 0)
        settings->seed = (uint64_t)time(NULL);
    return 0;
}

static int ask_failed(void)
{
    say_failed("forwarder", strerror(errno), "impair: ask");
    return 1;
}

static int show(void)
{
    struct impair_state state;
    char text[IMPAIR_TEXT_MAX];
    int found = control_ask(&(struct control_request){.op = CONTROL_SHOW}, &state);
    if (found < 0)
        return ask_failed();
    if (found == 0) {
        printf("off\n");
        return 0;
    }
    impair_describe(&state.settings, text);
    printf("%s\n", text);
    for (int d = 0; d < TOPO_LINKS; d++)
        printf("to %s: %llu packets, %llu lost\n", impair_goal(d),
               (unsigned long long)state.counters.packets[d],
               (unsigned long long)state.counters.lost[d]);
    printf("overflow: %llu\n", (unsigned long long)state.counters.overflow);
    return 0;
}

static int off(void)
{
    struct impair_state state;
    return control_ask(&(struct control_request){.op = CONTROL_OFF}, &state) < 0 ? ask_failed() : 0;
}

/* Tells the forwarder there is, or starts one; again when one has just come or is just going. */
static int set(const struct impair_settings *settings)
{
    const struct timespec ms = {.tv_nsec = 1000000};
    const struct control_request request = {CONTROL_SET, *settings};
    struct impair_state state;
    char text[IMPAIR_TEXT_MAX];
    int result = 1;
    for (int i = 0; i < TRIES && result > 0; i++) {
        int found = control_ask(&request, &state);
        if (found < 0)
            return ask_failed();
        result = found ? 0 : forwarder_start(settings);
        if (result > 0)
            nanosleep(&ms, NULL);
    }
    if (result > 0)
        say_failed("forwarder", "another one is there and does not listen", "impair: start");
    if (result != 0)
        return 1;
    impair_describe(settings, text);
    printf("%s\n", text);
    return 0;
}

int impair_command(int argc, char **argv)
{
    struct impair_settings settings;
    bool ending = argc > 1 && strcmp(argv[1], "off") == 0;
    if (ending && argc > 2)
        return say_usage("impair off: %s: too many arguments", argv[2]);
    int wrong = argc == 1 || ending ? 0 : parse(argc, argv, &settings);
    if (wrong)
        return wrong;
    if (exec_enter(topo_node[ROUTER].name, "impair") < 0)
        return 1;
    return argc == 1 ? show() : ending ? off() : set(&settings);
}
