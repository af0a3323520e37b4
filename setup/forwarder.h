/* forwarder.h - the process in the router's namespace that impairs what the router forwards. */
#ifndef NETNS_FORWARDER_H
#define NETNS_FORWARDER_H

#include "impair.h"

/* Starts it for the calling thread's network namespace, the router's. 0 when it is in force; 1 when
 * there is one already, or still; -1 after saying why. It lives until it is told to end
 * (control.h), the router's name goes from NS_DIR, or a device of the router's goes. */
int forwarder_start(const struct impair_settings *settings);

#endif
