/*
 * Errors as the engine answers them: negative, so that calls can answer a count or an error. api/
 * turns them into errno in one table.
 */
#ifndef ERR_H
#define ERR_H

enum err {
    ERR_NONE = 0,
    ERR_AGAIN = -1,         /* nothing can be done now: wait for an event */
    ERR_NOMEM = -2,         /* the memory limit or the allocator refuses */
    ERR_INVAL = -3,         /* the call makes no sense for this socket */
    ERR_NOT_CONNECTED = -4, /* not yet, or never */
    ERR_IN_USE = -5,        /* address and port, or the four-tuple, are taken */
    ERR_NO_PORT = -6,       /* no ephemeral port is left for this destination */
    ERR_ADDRESS = -7,       /* not an address one can connect to (MUST-46) */
    ERR_PIPE = -8,          /* sending after CLOSE (RFC 9293 3.10.2 "connection closing") */
    ERR_REFUSED = -9,       /* RST in answer to our SYN */
    ERR_RESET = -10,        /* RST from the peer */
    ERR_TIMEDOUT = -11,     /* the user timeout (R2) ran out */
    ERR_ABORTED = -12,      /* given up on this side, or an invariant failed */
    ERR_NETUNREACH = -13,   /* as ICMP has it: tcp/unreach.h */
    ERR_HOSTUNREACH = -14,  /* likewise, and for what has no error of its own */
    ERR_PROHIBITED = -15,   /* likewise: administratively */
    ERR_PROTOCOL = -16,     /* likewise: a parameter problem */
};

#endif
