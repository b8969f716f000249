// The upstream: an OpenAI-compatible server that answers at once or on a schedule.
//
//   mock PORT                       (127.0.0.1 only; Linux 5.11 or newer)
//
//   POST                         a JSON completion of about 800 bytes, at once
//   POST with "stream":true      SSE over chunked HTTP/1.1: N content chunks, one usage chunk, [DONE]
//   "model":"...-nN-dD..."       N chunks (default 100), D ms between them (at least 1)
//
// Every event is its own send() on a TCP_NODELAY socket: its own HTTP chunk, its own segment. Chunk i is due at
// begin + i*D, so that a late chunk does not shift the rest.
//
// Every content chunk carries "SEQ:<stream>:<index>:<ns>:" inside delta.content: a number unique to the stream, the
// chunk's index, and CLOCK_MONOTONIC just before send(). Inside the content the three survive any rewriting of the JSON
// around them. Only letters, digits and colons, because some JSON writers escape = < > &.
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FD 32768       // connections are indexed by file descriptor
#define INPUT_LIMIT 131072 // the largest request, headers included

typedef struct {
  int fd;                 // < 0: dead, still in the heap, freed when popped
  int streaming;          // an SSE answer is running
  int chunks, next;       // chunks to send; the next event: the content chunks, then usage, then [DONE]
  int blocked, scheduled; // the socket is full; member of the heap
  int closing;            // the client asked for "Connection: close"
  uint64_t stream, delay, due;
  char *input;            // request bytes received and not yet answered
  int input_length;
  char *pending;          // bytes that the socket did not take
  int pending_length, pending_sent;
} Connection;

static int epoll;
static Connection *connections[MAX_FD];
static uint64_t streams;

// ---- who is due next ----

static Connection *heap[MAX_FD];
static int heap_size;

static void schedule(Connection *c) {
  int k = heap_size++;
  for (; k && heap[(k - 1) / 2]->due > c->due; k = (k - 1) / 2) heap[k] = heap[(k - 1) / 2];
  heap[k] = c;
  c->scheduled = 1;
}

static Connection *pop(void) {
  Connection *top = heap[0], *last = heap[--heap_size];
  int k = 0;
  for (;;) {
    int child = 2 * k + 1;
    if (child >= heap_size) break;
    if (child + 1 < heap_size && heap[child + 1]->due < heap[child]->due) child++;
    if (heap[child]->due >= last->due) break;
    heap[k] = heap[child];
    k = child;
  }
  if (heap_size) heap[k] = last;
  top->scheduled = 0;
  return top;
}

// ---- connections ----

static void drop(Connection *c) {
  if (c->fd >= 0) {
    connections[c->fd] = 0;
    close(c->fd);
    c->fd = -1;
  }
  if (c->scheduled) return;
  free(c->input);
  free(c->pending);
  free(c);
}

static void watch(const Connection *c, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = c->fd};
  epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

// sends what fits, keeps the rest; -1: the socket is dead
static int put(Connection *c, const char *bytes, int length) {
  ssize_t sent = send(c->fd, bytes, (size_t)length, MSG_NOSIGNAL);
  if (sent == length) return 0;
  if (sent < 0) {
    if (errno != EAGAIN) return -1;
    sent = 0;
  }
  c->pending_length = length - (int)sent;
  c->pending_sent = 0;
  c->pending = malloc((size_t)c->pending_length);
  memcpy(c->pending, bytes + sent, (size_t)c->pending_length);
  c->blocked = 1;
  watch(c, EPOLLIN | EPOLLOUT);
  return 0;
}

// ---- the answers ----

#define ID "\"id\":\"chatcmpl-BxK3mQ7vTn2LrPzW9sYdE4hJ8cUa\","
#define CHUNK_HEAD                                                                                     \
  "data: {" ID "\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"mock-gpt\"," \
  "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_62a23a81ef\",\"choices\":["
#define COMMON_HEADERS "x-request-id: req_0123456789abcdef\r\nopenai-processing-ms: 1\r\n"

static const char *WORDS[] = {" the", " gateway", " token", " streams", " and", " measured", " latency", " of"};

// sends the stream's next event; 1: the stream is complete, -1: the socket is dead
static int send_event(Connection *c) {
  char event[700], out[760];
  int length, size;
  if (c->next < c->chunks) {
    length = sprintf(event,
                     CHUNK_HEAD "{\"index\":0,\"delta\":{\"content\":\"SEQ:%llu:%d:%llu:%s\"},\"logprobs\":null,"
                                "\"finish_reason\":%s}]}\n\n",
                     (unsigned long long)c->stream, c->next, (unsigned long long)now_ns(), WORDS[c->next & 7],
                     c->next == c->chunks - 1 ? "\"stop\"" : "null");
  } else if (c->next == c->chunks) {
    length = sprintf(event, CHUNK_HEAD "],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":%d,\"total_tokens\":%d}}\n\n",
                     c->chunks, c->chunks + 12);
  } else {
    length = sprintf(event, "data: [DONE]\n\n");
  }
  size = sprintf(out, "%x\r\n", (unsigned)length);
  memcpy(out + size, event, (size_t)length);
  size += length;
  size += sprintf(out + size, "\r\n%s", c->next > c->chunks ? "0\r\n\r\n" : "");
  c->next++;
  if (put(c, out, size)) return -1;
  return c->next > c->chunks + 1;
}

static int send_completion(Connection *c) {
  char body[1600], out[2400];
  int length =
      sprintf(body,
              "{" ID "\"object\":\"chat.completion\",\"created\":1767225600,\"model\":\"mock-gpt\",\"choices\":[{\"index\":0,"
              "\"message\":{\"role\":\"assistant\",\"content\":\"SEQ:%llu:0:%llu: The measured answer is forty-two; the rest of "
              "this sentence is here to bring the body to a realistic size.\",\"refusal\":null,\"annotations\":[]},"
              "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":24,"
              "\"total_tokens\":36,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
              "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},\"service_tier\":\"default\","
              "\"system_fingerprint\":\"fp_62a23a81ef\"}",
              (unsigned long long)++streams, (unsigned long long)now_ns());
  int size = sprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" COMMON_HEADERS "%s\r\n%s",
                     length, c->closing ? "Connection: close\r\n" : "", body);
  return put(c, out, size);
}

static int begin_stream(Connection *c, int chunks, int delay_ms) {
  char head[400];
  int size = sprintf(head,
                     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
                     "Cache-Control: no-cache\r\n" COMMON_HEADERS "%s\r\n",
                     c->closing ? "Connection: close\r\n" : "");
  c->streaming = 1;
  c->stream = ++streams;
  c->chunks = chunks;
  c->next = 0;
  c->delay = (uint64_t)delay_ms * 1000000ull;
  c->due = now_ns();
  if (put(c, head, size)) return -1;
  if (!c->blocked) schedule(c);
  return 0;
}

// ---- the requests ----

// the value after "key" : or 0; an escaped quote (\"key\" inside a message) does not match
static const char *json_value(const char *text, const char *key) {
  char quoted[64];
  size_t length = (size_t)snprintf(quoted, sizeof quoted, "\"%s\"", key);
  while ((text = strstr(text, quoted))) {
    text += length;
    while (isspace((unsigned char)*text)) text++;
    if (*text++ != ':') continue;
    while (isspace((unsigned char)*text)) text++;
    return text;
  }
  return 0;
}

// finds -n<digits>-d<digits> in the JSON string that begins at `text`
static void read_model(const char *text, int *chunks, int *delay_ms) {
  if (*text++ != '"') return;
  for (; *text && *text != '"'; text++) {
    int n, d;
    if (sscanf(text, "-n%7d-d%5d", &n, &d) != 2 || n <= 0 || d <= 0) continue;
    *chunks = n;
    *delay_ms = d;
    return;
  }
}

static int answer(Connection *c, const char *body) {
  int chunks = 100, delay_ms = 1;
  const char *stream = json_value(body, "stream"), *model = json_value(body, "model");
  if (!stream || strncmp(stream, "true", 4)) return send_completion(c);
  if (model) read_model(model, &chunks, &delay_ms);
  return begin_stream(c, chunks, delay_ms);
}

// answers the requests that wait on an idle connection; drops the connection when its socket is dead
static void serve(Connection *c) {
  static char body[INPUT_LIMIT + 1];
  while (!c->streaming && !c->blocked && c->input_length) {
    c->input[c->input_length] = 0;
    char *end = memmem(c->input, (size_t)c->input_length, "\r\n\r\n", 4);
    if (!end) return;
    end[2] = 0; // ends the header block for the searches
    const char *length_header = strcasestr(c->input, "\r\ncontent-length:");
    int closing = strcasestr(c->input, "\r\nconnection: close") != 0;
    int length = length_header ? atoi(length_header + 17) : 0, head = (int)(end + 4 - c->input);
    end[2] = '\r';
    if (length < 0 || c->input_length - head < length) return;
    memcpy(body, c->input + head, (size_t)length);
    body[length] = 0;
    c->input_length -= head + length;
    memmove(c->input, c->input + head + length, (size_t)c->input_length);
    c->closing = closing;
    if (answer(c, body)) {
      drop(c);
      return;
    }
    if (c->closing && !c->blocked && !c->streaming) shutdown(c->fd, SHUT_WR);
  }
}

// one event of one stream, then back into the heap
static void send_due(Connection *c) {
  int result = send_event(c);
  if (result < 0) {
    drop(c);
    return;
  }
  c->due += c->delay;
  if (result) {
    c->streaming = 0;
    if (c->blocked) return;
    if (c->closing) shutdown(c->fd, SHUT_WR);
    serve(c);
  } else if (!c->blocked) {
    schedule(c);
  }
}

static void flush_pending(Connection *c) {
  ssize_t sent = send(c->fd, c->pending + c->pending_sent, (size_t)(c->pending_length - c->pending_sent), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) {
    drop(c);
    return;
  }
  if (sent > 0) c->pending_sent += (int)sent;
  if (c->pending_sent < c->pending_length) return;
  free(c->pending);
  c->pending = 0;
  c->blocked = 0;
  watch(c, EPOLLIN);
  if (c->streaming) {
    schedule(c);
  } else {
    if (c->closing) shutdown(c->fd, SHUT_WR);
    serve(c);
  }
}

static void accept_all(int listener) {
  int one = 1;
  for (int fd; (fd = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;) {
    if (fd >= MAX_FD) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    Connection *c = connections[fd] = calloc(1, sizeof *c);
    c->fd = fd;
    c->input = malloc(INPUT_LIMIT + 1);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

static void on_event(int fd, unsigned events) {
  Connection *c = connections[fd];
  if (c && events & EPOLLOUT && c->blocked) flush_pending(c);
  if (!(c = connections[fd]) || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  ssize_t size = recv(fd, c->input + c->input_length, (size_t)(INPUT_LIMIT - c->input_length), 0);
  if (size > 0) {
    c->input_length += (int)size;
    serve(c);
  } else if (size == 0 || errno != EAGAIN) {
    drop(c); // the client is gone, or its request is too large
  }
}

// Waits for events, at most until the next chunk is due: to the nanosecond, which epoll_wait cannot.
static int wait_events(struct epoll_event *events, int limit) {
  if (!heap_size) return epoll_wait(epoll, events, limit, -1);
  uint64_t now = now_ns(), wait = heap[0]->due > now ? heap[0]->due - now : 0;
  struct timespec timeout = {.tv_sec = (time_t)(wait / 1000000000ull), .tv_nsec = (long)(wait % 1000000000ull)};
  return epoll_pwait2(epoll, events, limit, &timeout, 0);
}

int main(int argc, char **argv) {
  int one = 1, port = argc > 1 ? atoi(argv[1]) : 0;
  if (port <= 0) {
    fprintf(stderr, "usage: mock PORT\n");
    return 2;
  }
  prepare_process();
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) {
    perror("mock: listen");
    return 1;
  }
  epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[512];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);

  for (;;) {
    int count = wait_events(events, 512);
    for (int k = 0; k < count; k++) {
      if (events[k].data.fd == listener) accept_all(listener);
      else on_event(events[k].data.fd, events[k].events);
    }
    for (uint64_t now = now_ns(); heap_size && heap[0]->due <= now;) {
      Connection *c = pop();
      if (c->fd < 0) drop(c);
      else send_due(c);
    }
  }
}
