// fork, put the child in order with async-signal-safe calls only, exec; a failure travels back through a close-on-exec pipe.
#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

// Closes every descriptor from `first` on but `kept`.
static void close_others(int first, int kept) {
#if defined(__linux__) && defined(SYS_close_range)
  int below = kept > first ? (int)syscall(SYS_close_range, first, kept - 1, 0) : 0;
  if (below == 0 && syscall(SYS_close_range, kept + 1, ~0U, 0) == 0) return;
#endif
  long last = sysconf(_SC_OPEN_MAX);
  if (last < 0 || last > 65536) last = 65536;
  for (int descriptor = first; descriptor < last; descriptor++) {
    if (descriptor != kept) close(descriptor);
  }
}

static void fail(int report) {
  int cause = errno;
  ssize_t ignored = write(report, &cause, sizeof cause);
  (void)ignored;
  _exit(127);
}

static void become_child(
    const char *path, char *const arguments[], char *const environment[], const char *folder, int output, int errors, int report,
    pid_t parent) {
  setpgid(0, 0);
#ifdef __linux__
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail(report);
  if (getppid() != parent) _exit(127);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#else
  (void)parent;
#endif
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  int input = open("/dev/null", O_RDONLY);
  if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) fail(report);
  close_others(3, report);
  if (chdir(folder) != 0) fail(report);
  execve(path, arguments, environment);
  fail(report);
}

int secagg_spawn(
    const char *path, char *const arguments[], char *const environment[], const char *folder, int output, int errors,
    pid_t *process) {
  // Above the three standard ones, so that dup2 cannot overwrite them.
  int ends[2];
  if (output < 3 || errors < 3) return EBADF;
  if (pipe(ends) != 0) return errno;
  if (ends[0] < 3 || ends[1] < 3) {
    close(ends[0]);
    close(ends[1]);
    return EBADF;
  }
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  // No handler of the parent may run in the child before its signals are reset.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) become_child(path, arguments, environment, folder, output, errors, ends[1], parent);
  int cause = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  if (child > 0) {
    int reported = 0;
    ssize_t got;
    do {
      got = read(ends[0], &reported, sizeof reported);
    } while (got < 0 && errno == EINTR);
    if (got == (ssize_t)sizeof reported) {
      cause = reported;
      while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
      }
    }
  }
  close(ends[0]);
  if (cause != 0) return cause;
  *process = child;
  return 0;
}
