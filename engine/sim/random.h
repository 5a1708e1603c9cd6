/* random.h: xorshift over splitmix seeds: the simulator's only source of chance, so that a seed is a whole run again. */
#ifndef CRESCENDO_SIM_RANDOM_H
#define CRESCENDO_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u; /* splitmix64, Steele, Lea, Flood 2014 */
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 .. below - 1 */
static inline uint32_t chance_below(struct chance *chance, uint32_t below)
{
    return (uint32_t)(chance_next(chance) % below);
}

static inline bool chance_percent(struct chance *chance, uint32_t percent)
{
    return chance_below(chance, 100) < percent;
}

#endif
