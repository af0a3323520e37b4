/* A link for two_config.around: what the right stack receives comes late, not at all, or twice. */
#ifndef BAD_LINK_H
#define BAD_LINK_H

struct link;

struct bad_path {
    unsigned late_us; /* what arrives is so late at least */
    /* Of the packets with much text, which are counted from 1, those that are; 0: none. */
    unsigned lost[2], twice;
};

/* Of the links that are made from now on. */
extern struct bad_path bad_path;

struct link *bad_link(struct link *inner);

#endif
