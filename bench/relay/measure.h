// Clock, histogram and CPU time of other processes, for both programs of the relay bench.
#pragma once
#include <stdint.h>

// CLOCK_MONOTONIC: the same clock in every process of the machine
uint64_t now_ns(void);

// Log-linear: 64 buckets per octave, about 1.5 % precision. Values in nanoseconds.
typedef struct {
  uint64_t buckets[64 * 64], count, max;
} Histogram;

void histogram_add(Histogram *histogram, uint64_t value);
// Microseconds; negative without a sample.
double histogram_quantile(const Histogram *histogram, double quantile);

// On-CPU nanoseconds of all threads of these processes ("12,345"), from /proc/PID/task/*/schedstat.
uint64_t cpu_ns_of(const char *pids);
double own_cpu_seconds(void);

// As many files as the system allows, no SIGPIPE, and never outlive whoever started this.
void prepare_process(void);
