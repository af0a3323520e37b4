/* lab.h - the whole lab: up and down. */
#ifndef NETNS_LAB_H
#define NETNS_LAB_H

/* Makes the lab, or mends what is there of it. 0, or -1 after saying why; then what this call
 * made is gone again. */
int lab_up(void);

/* Removes what is ours, in whatever state. 0, or -1 after saying why. */
int lab_down(void);

#endif
