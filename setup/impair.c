/* impair.c - the command `impair`: asks or starts the forwarder. */
#include "impair.h"

#include "control.h"
#include "exec.h"
#include "forwarder.h"
#include "say.h"
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TRIES 5000 /* of 1 ms each */

static int ask_failed(void)
{
    say_failed("forwarder", strerror(errno), "impair: ask");
    return 1;
}

static void show_way(int direction, const struct impair_counters *c, uint64_t waiting)
{
    const struct {
        const char *name;
        uint64_t count;
    } column[] = {{"packets", c->packets}, {"lost", c->lost},       {"queue", c->queue},
                  {"mtu", c->mtu},         {"corrupt", c->corrupt}, {"dup", c->dup},
                  {"late", c->late},       {"out", c->out},         {"waiting", waiting}};
    printf("to %s:", topo_goal(direction));
    for (size_t i = 0; i < sizeof(column) / sizeof(column[0]); i++)
        printf("%s %llu %s", i > 0 ? "," : "", (unsigned long long)column[i].count, column[i].name);
    printf("\n");
}

static int show(void)
{
    struct impair_state state;
    char text[SETTINGS_TEXT_MAX];
    int found = control_ask(&(struct control_request){.op = CONTROL_SHOW}, &state);
    if (found < 0)
        return ask_failed();
    if (found == 0) {
        printf("off\n");
        return 0;
    }
    settings_text(&state.settings, text);
    printf("%s\n", text);
    for (int d = 0; d < TOPO_LINKS; d++)
        show_way(d, &state.counters[d], state.waiting[d]);
    printf("overflow: %llu\n", (unsigned long long)state.overflow);
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
    char text[SETTINGS_TEXT_MAX];
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
    settings_text(settings, text);
    printf("%s\n", text);
    return 0;
}

int impair_command(int argc, char **argv)
{
    struct impair_settings settings;
    bool ending = argc > 1 && strcmp(argv[1], "off") == 0;
    if (ending && argc > 2)
        return say_usage("impair off: %s: too many arguments", argv[2]);
    int wrong = argc == 1 || ending ? 0 : settings_parse(argc, argv, &settings);
    if (wrong)
        return wrong;
    if (exec_enter(topo_node[ROUTER].name, "impair") < 0)
        return 1;
    return argc == 1 ? show() : ending ? off() : set(&settings);
}
