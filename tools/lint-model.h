/* lint-model.h: what `make lint` tells clang-tidy and gcc -fanalyzer, which see one file at a time: the functions of error.h return less
   than 0. Included before every file but error.c; never part of a program. */
#include "crescendo/error.h"

#define failure_(call) \
    ({ \
        int failed_ = (call); \
        if (failed_ >= 0) __builtin_unreachable(); \
        failed_; \
    })
#define error_set(...) failure_((error_set)(__VA_ARGS__))
#define error_hint(...) failure_((error_hint)(__VA_ARGS__))
#define error_wrap(...) failure_((error_wrap)(__VA_ARGS__))
#define error_set_errno(...) failure_((error_set_errno)(__VA_ARGS__))
