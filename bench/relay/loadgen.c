// The load: chat completions in a closed loop over keep-alive connections, every answer validated (answer.h).
//
//   loadgen -p PORT -m MODEL [-k KEY] [-H "NAME: VALUE"]... [-s 0|1] [-c CONNECTIONS] [-n CHUNKS] [-d DELAY_MS]
//           [-r RAMP_MS] [-w WARMUP_S] [-t SECONDS] [-a ANSWERS] [-P PID,PID,...]
//
// "-nCHUNKS-dDELAY" is appended to MODEL; the mock obeys it. Connection k starts at k*RAMP/CONNECTIONS plus a
// quasi-random part of one chunk delay, so that the chunks of all streams are spread over the delay.
//
// Rates and delays are taken in the window [WARMUP, WARMUP+SECONDS] only, which closes before its time where so many ANSWERS
// in it, good or not, are enough; errors are counted over the whole run. The
// on-CPU time of the processes in -P is read at both ends of the window, so that CPU per chunk covers exactly the
// chunks counted. After the window every request still running must receive a byte within DRAIN_NS. An answer that has
// begun and stays silent is an error (stalled); a request without any answer is counted apart (unanswered), since
// under overload it may only be queued.
//
// Prints one JSON object; delays in microseconds, null without samples. One thread, epoll, Linux, 127.0.0.1 only.
#define _GNU_SOURCE
#include "answer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_NS 3000000000ull
#define MAX_ERRORS 5000 // a target that fails this often ends the run

typedef struct {
  int fd, connecting, asking;
  int alive; // has received something since the window closed
  Answer answer;
} Connection;

static int port, connections_wanted = 32, delay_ms, draining, epoll;
static char *request;
static int request_length;
static struct sockaddr_in address;
static uint64_t bytes, reads, opened;

static void fail(const char *why, const char *text) {
  tally_note(why, text, (long)strlen(text));
  tally.connection_errors++;
}

static void ask(Connection *c, uint64_t now) {
  answer_begin(&c->answer, now);
  c->asking = 1;
  // A request that cannot be sent is a connection about to be closed: the read that follows tells.
  if (send(c->fd, request, (size_t)request_length, MSG_NOSIGNAL) != request_length) shutdown(c->fd, SHUT_RDWR);
}

// non-blocking: a full accept queue must not stall the loop
static void open_connection(Connection *c) {
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  c->connecting = 1;
  c->asking = 0;
  opened++;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (void *)&address, sizeof address) && errno != EINPROGRESS) {
    fail("connect", strerror(errno));
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    return;
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void reopen(Connection *c) {
  close(c->fd);
  c->fd = -1;
  c->asking = 0;
  if (!draining) open_connection(c);
}

// 1: the connection has asked or is gone, and there is nothing to read yet
static int connected(Connection *c, unsigned events) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
  c->connecting = 0;
  if (draining) {
    reopen(c);
    return 1;
  }
  if (events & (EPOLLERR | EPOLLHUP)) return 0; // the read says why
  ask(c, now_ns());
  return 1;
}

static void on_event(Connection *c, unsigned events) {
  static char buffer[262144];
  if (c->fd < 0) return;
  if (c->connecting && events & EPOLLOUT && connected(c, events)) return;
  ssize_t size = recv(c->fd, buffer, sizeof buffer - 1, MSG_DONTWAIT);
  if (size < 0 && errno == EAGAIN) return;
  uint64_t now = now_ns();
  int usable = 0;
  if (size > 0) {
    buffer[size] = 0;
    c->alive = 1;
    if (tally.measuring) bytes += (uint64_t)size, reads++;
    Fed fed = answer_feed(&c->answer, buffer, size, now);
    if (fed == FEED_MORE) return;
    if (fed == FEED_BROKEN) {
      tally_note("HTTP framing", buffer, size);
      tally.connection_errors++;
    } else {
      usable = !c->answer.closing;
    }
  } else if (size < 0 || !answer_closed(&c->answer, now)) {
    fail("connection", size < 0                                ? strerror(errno)
                       : c->answer.phase == ANSWER_BODY        ? "closed within the answer"
                                                               : "closed before the answer");
  }
  c->asking = 0;
  if (!usable) reopen(c);
  else if (!draining) ask(c, now);
}

static void turn(int timeout_ms) {
  static struct epoll_event events[1024];
  int count = epoll_wait(epoll, events, 1024, timeout_ms);
  for (int k = 0; k < count; k++) on_event(events[k].data.ptr, events[k].events);
}

static void build_request(const char *model, const char *key, const char *headers) {
  char *body;
  int length = asprintf(&body,
                        "{\"model\":\"%s-n%d-d%d\",\"messages\":[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"},"
                        "{\"role\":\"user\",\"content\":\"Say something about measuring gateways.\"}],\"temperature\":0.7%s}",
                        model, tally.chunks_wanted, delay_ms,
                        tally.streaming ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "");
  request_length = asprintf(&request,
                            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
                            "Accept: */*\r\nUser-Agent: loadgen\r\nAuthorization: Bearer %s\r\n%sContent-Length: %d\r\n\r\n%s",
                            port, key, headers, length, body);
  free(body);
}

// Opens the connections that are due. Evenly spaced starts alone would put all streams on a few phases (600 ms for
// 500 at 20 ms: bursts of chunks), so a golden-ratio sequence spreads them over one delay.
static int open_due(Connection *connections, int started, uint64_t begun, int ramp_ms) {
  for (; started < connections_wanted; started++) {
    double turns = started * 0.6180339887498949, part = turns - (double)(long)turns;
    uint64_t due = begun + (uint64_t)ramp_ms * 1000000ull * (uint64_t)started / (uint64_t)connections_wanted +
                   (uint64_t)(part * delay_ms * 1e6);
    if (now_ns() < due) break;
    open_connection(&connections[started]);
  }
  return started;
}

// Whatever still runs must show a sign of life; says how many requests had no answer at all.
static int drain(Connection *connections, int started) {
  int silent = 0, unanswered = 0;
  draining = 1;
  for (int k = 0; k < started; k++) connections[k].alive = 0;
  for (uint64_t limit = now_ns() + DRAIN_NS; now_ns() < limit && tally_errors() < MAX_ERRORS; turn(5)) {
    silent = 0;
    for (int k = 0; k < started; k++) silent += !connections[k].alive && (connections[k].asking || connections[k].connecting);
    if (!silent) return 0;
  }
  for (int k = 0; k < started; k++) {
    Connection *c = &connections[k];
    if (c->alive || !(c->asking || c->connecting)) continue;
    if (!c->connecting && c->answer.phase == ANSWER_BODY) {
      tally.stalled_errors++;
      tally_note("stalled", "within the answer", 17);
    } else {
      unanswered++;
    }
  }
  return unanswered;
}

static void print_quantile(const char *name, const Histogram *histogram, double quantile) {
  double value = histogram_quantile(histogram, quantile);
  if (value < 0) printf("\"%s\":null,", name);
  else printf("\"%s\":%.1f,", name, value);
}

int main(int argc, char **argv) {
  double seconds = 3, warmup = 1;
  int ramp_ms = 0, option;
  uint64_t answers_wanted = UINT64_MAX;
  const char *pids = "", *model = "mock", *key = "none";
  char *headers = "";
  tally.streaming = 1;
  tally.chunks_wanted = 100;
  while ((option = getopt(argc, argv, "p:m:k:H:s:c:n:d:r:w:t:a:P:")) != -1) switch (option) {
      case 'p': port = atoi(optarg); break;
      case 'm': model = optarg; break;
      case 'k': key = optarg; break;
      case 'H':
        if (asprintf(&headers, "%s%s\r\n", headers, optarg) < 0) return 2;
        break;
      case 's': tally.streaming = atoi(optarg); break;
      case 'c': connections_wanted = atoi(optarg); break;
      case 'n': tally.chunks_wanted = atoi(optarg); break;
      case 'd': delay_ms = atoi(optarg); break;
      case 'r': ramp_ms = atoi(optarg); break;
      case 'w': warmup = atof(optarg); break;
      case 't': seconds = atof(optarg); break;
      case 'a': answers_wanted = strtoull(optarg, 0, 10); break;
      case 'P': pids = optarg; break;
      default: return 2;
    }
  if (port <= 0 || connections_wanted <= 0) {
    fprintf(stderr, "loadgen: -p PORT is required\n");
    return 2;
  }
  prepare_process();
  build_request(model, key, headers);
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  epoll = epoll_create1(0);
  Connection *connections = calloc((size_t)connections_wanted, sizeof *connections);
  uint64_t begun = now_ns(), opens = begun + (uint64_t)(warmup * 1e9), closes = opens + (uint64_t)(seconds * 1e9), cpu = 0;
  double own = 0;
  int started = 0;

  while (tally_errors() < MAX_ERRORS) {
    started = open_due(connections, started, begun, ramp_ms);
    uint64_t now = now_ns();
    if (!tally.measuring && now >= opens) {
      tally.measuring = 1;
      opens = now;
      cpu = cpu_ns_of(pids);
      own = own_cpu_seconds();
    }
    if (tally.measuring && (now >= closes || tally.good + tally_errors() >= answers_wanted)) break;
    turn(started < connections_wanted ? 1 : 5);
  }
  double window = tally.measuring ? (double)(now_ns() - opens) / 1e9 : 0;
  double target_cpu = tally.measuring ? (double)(cpu_ns_of(pids) - cpu) : 0;
  own = own_cpu_seconds() - own;
  tally.measuring = 0;
  int unanswered = drain(connections, started);

  printf("{\"seconds\":%.3f,\"answersPerSecond\":%.1f,\"chunksPerSecond\":%.1f,", window,
         window > 0 ? (double)tally.good / window : 0, window > 0 ? (double)tally.chunks / window : 0);
  printf("\"errors\":%lu,\"statusErrors\":%lu,\"contentErrors\":%lu,\"connectionErrors\":%lu,\"stalledErrors\":%lu,\"unanswered\":%d,",
         tally_errors(), tally.status_errors, tally.content_errors, tally.connection_errors, tally.stalled_errors, unanswered);
  print_quantile("firstContentP50", &tally.first_content, .5);
  print_quantile("firstContentP99", &tally.first_content, .99);
  print_quantile("chunkP50", &tally.chunk_delay, .5);
  print_quantile("chunkP99", &tally.chunk_delay, .99);
  print_quantile("answerP50", &tally.whole_answer, .5);
  print_quantile("answerP99", &tally.whole_answer, .99);
  if (target_cpu > 0 && tally.chunks) printf("\"cpuMsPerThousandChunks\":%.3f,", target_cpu / 1e3 / (double)tally.chunks);
  if (target_cpu > 0 && tally.good) printf("\"cpuUsPerAnswer\":%.2f,", target_cpu / 1e3 / (double)tally.good);
  printf("\"cpuCores\":%.3f,\"loadgenCores\":%.3f,\"chunksPerRead\":%.2f,\"megabytesPerSecond\":%.2f,\"reopened\":%lu,",
         window > 0 ? target_cpu / 1e9 / window : 0, window > 0 ? own / window : 0,
         reads ? (double)tally.chunks / (double)reads : 0, window > 0 ? (double)bytes / window / 1e6 : 0, opened - (uint64_t)started);
  printf("\"firstError\":%s%s%s}\n", *tally.first_error ? "\"" : "", *tally.first_error ? tally.first_error : "null",
         *tally.first_error ? "\"" : "");
  return 0;
}
