// PREFETCH(p) asks for the cache line at p, which may lie beyond a buffer; nothing where a compiler
// knows no way.
#ifdef __has_builtin
#if __has_builtin(__builtin_prefetch)
#define PREFETCH(p) __builtin_prefetch((const __private void *)(ulong)(p))
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(p)
#endif
