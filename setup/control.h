/* control.h - how the command `impair` talks to the forwarder of a lab. */
#ifndef NETNS_CONTROL_H
#define NETNS_CONTROL_H

#include "impair.h"

enum control_op {
    CONTROL_SHOW,
    CONTROL_SET, /* replace the settings, begin to count anew */
    CONTROL_OFF, /* let the kernel forward again, and end */
};

struct control_request {
    enum control_op op;
    struct impair_settings settings; /* of CONTROL_SET */
};

/* The forwarder's end, in the calling thread's network namespace: a socket to accept clients from,
 * without blocking. -1 with errno set; EADDRINUSE: there is a forwarder already. */
int control_listen(void);

/* The client's request has come: reads it. 0, or -1 when it is none. */
int control_take(int client, struct control_request *request);

/* Answers it. A client that does not wait for the answer is no error. */
void control_answer(int client, const struct impair_state *state);

/* The client's end: asks the forwarder of the calling thread's network namespace and waits until
 * it has done so; after CONTROL_OFF until it has ended. 1: *state is what it then is; 0: there is
 * no forwarder; -1 with errno set. */
int control_ask(const struct control_request *request, struct impair_state *state);

#endif
