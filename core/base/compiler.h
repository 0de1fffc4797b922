/* compiler.h - what the compiler is asked: sanitizers, inlining, names made of two.
 * SPDX-License-Identifier: MIT */
#pragma once

/* Is this an AddressSanitizer build? Then scratch memory has red zones and nothing is recycled. */
#if defined(__SANITIZE_ADDRESS__)
#define ASAN_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN_BUILD 1
#endif
#endif
#ifndef ASAN_BUILD
#define ASAN_BUILD 0
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define STRING_(a) #a
#define STRING(a) STRING_(a)
