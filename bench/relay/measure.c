#define _GNU_SOURCE
#include "measure.h"
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

void histogram_add(Histogram *histogram, uint64_t value) {
  unsigned bucket = (unsigned)value;
  if (value >= 64) {
    int exponent = 63 - __builtin_clzll(value);
    bucket = (unsigned)(exponent - 5) * 64 + ((value >> (exponent - 6)) & 63);
  }
  histogram->buckets[bucket]++;
  histogram->count++;
  if (value > histogram->max) histogram->max = value;
}

double histogram_quantile(const Histogram *histogram, double quantile) {
  if (!histogram->count) return -1;
  uint64_t wanted = (uint64_t)((double)histogram->count * quantile), seen = 0;
  for (unsigned k = 0; k < 64 * 64; k++) {
    if ((seen += histogram->buckets[k]) <= wanted) continue;
    return (k < 64 ? (double)k : (double)((64ull + k % 64) << (k / 64 - 1))) / 1e3;
  }
  return (double)histogram->max / 1e3;
}

static uint64_t cpu_ns_of_one(const char *pid) {
  uint64_t sum = 0;
  char folder[64];
  snprintf(folder, sizeof folder, "/proc/%.20s/task", pid);
  DIR *threads = opendir(folder);
  for (struct dirent *thread; threads && (thread = readdir(threads));) {
    char path[400];
    unsigned long long value;
    if (thread->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s/schedstat", folder, thread->d_name);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    if (fscanf(file, "%llu", &value) == 1) sum += value;
    fclose(file);
  }
  if (threads) closedir(threads);
  return sum;
}

uint64_t cpu_ns_of(const char *pids) {
  uint64_t sum = 0;
  char *copy = strdup(pids ? pids : ""), *rest = 0;
  for (char *pid = strtok_r(copy, ",", &rest); pid; pid = strtok_r(0, ",", &rest)) sum += cpu_ns_of_one(pid);
  free(copy);
  return sum;
}

double own_cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void prepare_process(void) {
  struct rlimit limit;
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getrlimit(RLIMIT_NOFILE, &limit)) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}
