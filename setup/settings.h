/* settings.h - the settings of `impair` as its arguments, and as text. */
#ifndef NETNS_SETTINGS_H
#define NETNS_SETTINGS_H

#include "impair.h"

/* Reads the arguments; argv[0] is no argument. 0, or 2 after saying what is wrong. */
int settings_parse(int argc, char **argv, struct impair_settings *settings);

/* "delay 20ms loss 1% to host1 and host2, seed 7" */
#define SETTINGS_TEXT_MAX 512
void settings_text(const struct impair_settings *settings, char text[SETTINGS_TEXT_MAX]);

#endif
