// PREFETCH(p) asks for the cache line at p, which may lie beyond a buffer; nothing where a compiler
// knows no way, or knows the name and not this address space, as NVIDIA's does.
#if defined(__x86_64__) || defined(__aarch64__)
#define PREFETCH(p) __builtin_prefetch((const __private void *)(ulong)(p))
#else
#define PREFETCH(p)
#endif
