/* Starts programs over and over and prints what one run costs: the whole of fork, exec and wait, by the
 * monotonic clock, in microseconds.
 * Usage: runner RUNS WARMUP PROGRAM ARGUMENT... [--- PROGRAM ARGUMENT...]...
 * The programs take turns, so that whatever else the machine does falls on all of them alike. A line for
 * each: median, lowest, 90th percentile, exit code of the last run. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PROGRAMS = 32 };

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double run_once(char **argv, posix_spawn_file_actions_t *quiet, int *code) {
    extern char **environ;
    pid_t child;
    int status;
    double before = now_us();
    int failure = posix_spawn(&child, argv[0], quiet, NULL, argv, environ);
    if (failure) {
        fprintf(stderr, "runner: %s: %s\n", argv[0], strerror(failure));
        exit(1);
    }
    waitpid(child, &status, 0);
    double spent = now_us() - before;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return spent;
}

int main(int argc, char **argv) {
    char **program[MOST_PROGRAMS];
    int programs = 0;
    if (argc < 4) {
        fprintf(stderr, "Usage: runner RUNS WARMUP PROGRAM ARGUMENT... [--- PROGRAM ARGUMENT...]...\n");
        return 2;
    }
    int runs = atoi(argv[1]), warmup = atoi(argv[2]);
    program[programs++] = argv + 3;
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "---") == 0 && programs < MOST_PROGRAMS) {
            argv[i] = NULL;
            program[programs++] = argv + i + 1;
        }
    }
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);

    double *spent = calloc((size_t)programs * runs, sizeof *spent);
    int code[MOST_PROGRAMS];
    if (!spent || runs < 1) return 1;
    for (int r = -warmup; r < runs; r++)
        for (int p = 0; p < programs; p++) {
            double us = run_once(program[p], &quiet, &code[p]);
            if (r >= 0) spent[(size_t)p * runs + r] = us;
        }
    for (int p = 0; p < programs; p++) {
        double *own = spent + (size_t)p * runs;
        qsort(own, runs, sizeof *own, by_size);
        printf("%.0f %.0f %.0f %d\n", own[runs / 2], own[0], own[runs * 9 / 10], code[p]);
    }
    return 0;
}
