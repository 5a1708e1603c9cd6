/* work.h: what an answer costs. */
#ifndef HELLO_WORK_H
#define HELLO_WORK_H

/* How long an answer takes, on average. Make it 30, push, and see what the canary says. */
#define WORK_MS 20

/* Blocks for about that long, as a service does that asks a database: a third shorter or longer, as it happens. */
void work(void);

#endif
