/* Refuses to run, with one sentence, on a processor that lacks an instruction set this binary was built for.
 *
 * It is C so that it can be compiled for the baseline processor: all Rust code, main included, is compiled for the target's instruction
 * sets. It runs as a constructor, before main. build.rs defines NEEDS_... for each instruction set of the target.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void refuse(const char *lacks) {
    static const char before[] = "hardcase: cannot start: this processor lacks ";
    static const char after[] =
        ", which this binary was built for. Build hardcase on this machine with `cargo build --release`, or use a binary built for x86-64-v2\n";
    ssize_t ignored = write(2, before, sizeof before - 1);
    ignored = write(2, lacks, strlen(lacks));
    ignored = write(2, after, sizeof after - 1);
    (void)ignored;
    _exit(1);
}

#define REQUIRE(feature, name)               \
    do {                                     \
        if (!__builtin_cpu_supports(feature)) \
            refuse(name);                    \
    } while (0)

__attribute__((constructor)) static void check_processor(void) {
    __builtin_cpu_init();
#ifdef NEEDS_SSE4_2
    REQUIRE("sse4.2", "SSE4.2");
#endif
#ifdef NEEDS_AVX
    REQUIRE("avx", "AVX");
#endif
#ifdef NEEDS_FMA
    REQUIRE("fma", "FMA");
#endif
#ifdef NEEDS_AVX2
    REQUIRE("avx2", "AVX2");
#endif
#ifdef NEEDS_BMI2
    REQUIRE("bmi2", "BMI2");
#endif
#ifdef NEEDS_AVX512F
    REQUIRE("avx512f", "AVX-512F");
#endif
#ifdef NEEDS_AVX512BW
    REQUIRE("avx512bw", "AVX-512BW");
#endif
#ifdef NEEDS_AVX512VNNI
    REQUIRE("avx512vnni", "AVX-512VNNI");
#endif
}
