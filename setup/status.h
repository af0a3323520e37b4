/* status.h - a drawing of the lab as it is now. */
#ifndef NETNS_STATUS_H
#define NETNS_STATUS_H

/* Draws the lab on stdout, whatever its state. 0, or -1 after saying why it could not look. */
int status_draw(void);

#endif
