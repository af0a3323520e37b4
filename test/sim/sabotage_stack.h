/* See sabotage_stack.c. */
#ifndef SABOTAGE_STACK_H
#define SABOTAGE_STACK_H

struct stack;

/* One socket too many is counted. */
void sabotage_count(struct stack *s);

#endif
