# Read by llama.cpp's build after each project() (.cargo/config.toml names it). The crate that builds llama.cpp asks for its library
# `common` (command lines, chat templates, a web client) whatever its own features say. Nothing here uses it, and it is half of the build.
set(LLAMA_BUILD_COMMON OFF)
