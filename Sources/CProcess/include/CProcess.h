// Starting one child process with nothing inherited but what is handed over. In C, because between fork and exec of a
// threaded program only async-signal-safe calls are allowed, and because Swift does not see the Linux calls that it needs.
#ifndef SECAGG_CPROCESS_H
#define SECAGG_CPROCESS_H

#include <sys/types.h>

/// Starts `path` in a process group and a working directory of its own, with /dev/null, `output` and `errors` as its three
/// descriptors and no other, every signal at its default, and (on Linux) killed by the kernel when the calling thread dies.
/// Returns 0 and the process id, or the errno of the step that failed; the child is then gone.
int secagg_spawn(
    const char *path, char *const arguments[], char *const environment[], const char *folder, int output, int errors,
    pid_t *process);

#endif
