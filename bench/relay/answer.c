#define _GNU_SOURCE
#include "answer.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BY_LENGTH, BY_CHUNKS, BY_CLOSE };             // Answer.framing
enum { SIZE_LINE, CHUNK_DATA, CHUNK_END, TRAILERS }; // Answer.chunk_state

Tally tally;

uint64_t tally_errors(void) {
  return tally.status_errors + tally.content_errors + tally.connection_errors + tally.stalled_errors;
}

void tally_note(const char *why, const char *text, long length) {
  if (*tally.first_error) return;
  int o = snprintf(tally.first_error, sizeof tally.first_error, "%s: ", why);
  for (long k = 0; k < length && k < 240 && o < (int)sizeof tally.first_error - 8; k++) {
    unsigned char c = (unsigned char)text[k];
    if (c == '"' || c == '\\') tally.first_error[o++] = '\\';
    tally.first_error[o++] = c < 32 || c > 126 ? ' ' : (char)c;
  }
  tally.first_error[o] = 0;
}

static void bad(Answer *a, const char *why, const char *text, long length) {
  if (!a->bad_content) tally_note(why, text, length);
  a->bad_content = 1;
}

// ---- content ----

// whether `key` has a value that begins with `first`, whatever white space a JSON writer adds
static int has_value(const char *text, long length, const char *key, char first) {
  size_t size = strlen(key);
  for (const char *end = text + length, *p = text; (p = memmem(p, (size_t)(end - p), key, size));) {
    for (p += size; p < end && (isspace((unsigned char)*p) || *p == ':'); p++) {}
    if (p < end && *p == first) return 1;
  }
  return 0;
}

static int finishes(const char *text, long length) { return has_value(text, length, "\"finish_reason\"", '"'); }

static void read_data(Answer *a, const char *data, long length, uint64_t now) {
  if (a->done) {
    bad(a, "event after [DONE]", data, length);
    return;
  }
  if (length >= 6 && !memcmp(data, "[DONE]", 6)) {
    a->done = 1;
    return;
  }
  if (finishes(data, length)) a->finishes++;
  if (has_value(data, length, "\"usage\"", '{')) a->usages++;
  const char *mark = memmem(data, (size_t)length, "SEQ:", 4);
  if (!mark) { // a role, finish or usage chunk; anything else is no answer
    if (!memmem(data, (size_t)length, "\"choices\"", 9) || memmem(data, (size_t)length, "\"error\":", 8))
      bad(a, "unexpected event", data, length);
    return;
  }
  char *end; // strtoull cannot run away: the line ends in '\n', the receive buffer in 0
  unsigned long long stream = strtoull(mark + 4, &end, 10);
  unsigned long long number = *end == ':' ? strtoull(end + 1, &end, 10) : ~0ull;
  uint64_t stamp = *end == ':' ? strtoull(end + 1, &end, 10) : 0;
  if (!a->events) a->stream = stream;
  if (end >= data + length || *end != ':' || !stamp || stream != a->stream || number != (unsigned long long)a->events)
    bad(a, "content event out of order", data, length);
  else if (memmem(end, (size_t)(data + length - end), "SEQ:", 4))
    bad(a, "two content chunks in one event", data, length);
  a->events++;
  if (!tally.measuring) return;
  if (a->events == 1) histogram_add(&tally.first_content, now - a->asked_at);
  histogram_add(&tally.chunk_delay, now > stamp ? now - stamp : 0);
  tally.chunks++;
}

static void read_line(Answer *a, const char *line, long length, uint64_t now) {
  if (length && line[length - 1] == '\r') length--;
  if (!length) {
    a->open_event = 0; // a blank line ends the event
  } else if (length >= 5 && !memcmp(line, "data:", 5)) {
    if (a->open_event) bad(a, "two data lines in one event", line, length);
    a->open_event = 1;
    line += 5, length -= 5;
    if (length && *line == ' ') line++, length--;
    read_data(a, line, length, now);
  } else if (*line != ':' && !(length >= 3 && !memcmp(line, "id:", 3)) &&
             !(length >= 6 && (!memcmp(line, "event:", 6) || !memcmp(line, "retry:", 6)))) {
    bad(a, "not an SSE line", line, length);
  }
}

static void read_body(Answer *a, const char *p, long length, uint64_t now) {
  while (length > 0) {
    const char *end = tally.streaming ? memchr(p, '\n', (size_t)length) : 0;
    long size = end ? end - p : length;
    if (end && !a->line_length) {
      read_line(a, p, size, now);
    } else {
      if (a->line_length + size > LINE_LIMIT - 1) {
        bad(a, "line or body too long", p, size);
        a->line_length = 0;
        return;
      }
      memcpy(a->line + a->line_length, p, (size_t)size);
      a->line_length += size;
      if (end) {
        a->line[a->line_length] = '\n';
        read_line(a, a->line, a->line_length, now);
        a->line_length = 0;
      }
    }
    if (!end) return;
    p += size + 1;
    length -= size + 1;
  }
}

static void check_stream(Answer *a) {
  int open = a->open_event || a->line_length;
  if (a->events == tally.chunks_wanted && a->finishes == 1 && a->usages <= 1 && a->done && !open) return;
  char text[160];
  int length = snprintf(text, sizeof text, "%d of %d content events, %d finish_reason, %d usage, %s[DONE]%s", a->events,
                        tally.chunks_wanted, a->finishes, a->usages, a->done ? "" : "no ", open ? ", last event not closed" : "");
  bad(a, "bad stream", text, length);
}

static void check_json(Answer *a) {
  long length = a->line_length;
  while (length && isspace((unsigned char)a->line[length - 1])) length--;
  if (!length || a->line[0] != '{' || a->line[length - 1] != '}' || !memmem(a->line, (size_t)length, "SEQ:", 4) ||
      !finishes(a->line, length))
    bad(a, "bad JSON answer", a->line, length);
}

// tallies an answer that has come to its end
static void finish(Answer *a, uint64_t now) {
  a->phase = ANSWER_OVER;
  if (a->bad_status) {
    char why[40];
    snprintf(why, sizeof why, "HTTP status %d", a->status);
    tally_note(why, a->line, a->line_length);
    tally.status_errors++;
    return;
  }
  if (!a->bad_content) tally.streaming ? check_stream(a) : check_json(a);
  if (a->bad_content) {
    tally.content_errors++;
  } else if (tally.measuring) {
    tally.good++;
    histogram_add(&tally.whole_answer, now - a->asked_at);
  }
}

// ---- HTTP ----

// the header block in `line`, which ends in 0
static int read_headers(Answer *a) {
  const char *length;
  if (strncmp(a->line, "HTTP/1.", 7)) return 0;
  if (a->line[9] == '1') return 1; // 100 Continue, 103 Early Hints
  a->status = atoi(a->line + 9);
  a->bad_status = a->status != 200;
  a->closing = strcasestr(a->line, "\r\nconnection: close") != 0;
  a->left = 0;
  a->phase = ANSWER_BODY;
  if (strcasestr(a->line, "\r\ntransfer-encoding: chunked")) {
    a->framing = BY_CHUNKS;
    a->chunk_state = SIZE_LINE;
    a->size_length = 0;
  } else if ((length = strcasestr(a->line, "\r\ncontent-length:"))) {
    a->framing = BY_LENGTH;
    a->left = atol(length + 17);
  } else {
    a->framing = BY_CLOSE;
    a->closing = 1;
  }
  return 1;
}

// One byte of what stands around an HTTP chunk's data. 1: the answer is over, -1: not HTTP.
static int read_framing(Answer *a, char byte) {
  if (byte != '\n') {
    if (byte != '\r' && a->size_length < (int)sizeof a->size_line - 1) a->size_line[a->size_length++] = byte;
    return 0;
  }
  a->size_line[a->size_length] = 0;
  int length = a->size_length;
  a->size_length = 0;
  if (a->chunk_state == TRAILERS) return length == 0;
  if (a->chunk_state == CHUNK_END) {
    a->chunk_state = SIZE_LINE;
    return length ? -1 : 0;
  }
  char *end;
  a->left = strtol(a->size_line, &end, 16);
  if (end == a->size_line || a->left < 0) return -1;
  a->chunk_state = a->left ? CHUNK_DATA : TRAILERS;
  return 0;
}

static void read_payload(Answer *a, const char *p, long length, uint64_t now) {
  if (!a->bad_status) {
    read_body(a, p, length, now);
    return;
  }
  long room = LINE_LIMIT - 1 - a->line_length, kept = length < room ? length : room; // an error answer's start, for the report
  memcpy(a->line + a->line_length, p, (size_t)kept);
  a->line_length += kept;
}

void answer_begin(Answer *a, uint64_t now) {
  a->phase = ANSWER_HEADERS;
  a->line_length = 0;
  a->events = a->finishes = a->usages = a->done = a->open_event = 0;
  a->bad_content = a->bad_status = a->closing = 0;
  a->asked_at = now;
}

Fed answer_feed(Answer *a, const char *p, long length, uint64_t now) {
  while (length > 0) {
    int over = 0;
    if (a->phase == ANSWER_HEADERS) {
      long room = LINE_LIMIT - 1 - a->line_length, taken = length < room ? length : room, before = a->line_length;
      memcpy(a->line + before, p, (size_t)taken);
      a->line_length += taken;
      char *end = memmem(a->line, (size_t)a->line_length, "\r\n\r\n", 4);
      if (!end) return taken < length || a->line_length == LINE_LIMIT - 1 ? FEED_BROKEN : FEED_MORE;
      long used = end + 4 - a->line - before;
      p += used;
      length -= used;
      end[2] = 0;
      a->line_length = 0;
      if (!read_headers(a)) return FEED_BROKEN;
      over = a->phase == ANSWER_BODY && a->framing == BY_LENGTH && !a->left;
    } else if (a->phase != ANSWER_BODY) {
      return FEED_BROKEN; // bytes nobody asked for
    } else if (a->framing == BY_CHUNKS && a->chunk_state != CHUNK_DATA) {
      over = read_framing(a, *p++);
      length--;
      if (over < 0) return FEED_BROKEN;
    } else {
      long size = a->framing == BY_CLOSE || length < a->left ? length : a->left;
      read_payload(a, p, size, now);
      p += size;
      length -= size;
      a->left -= size;
      if (a->framing == BY_CHUNKS && !a->left) a->chunk_state = CHUNK_END;
      over = a->framing == BY_LENGTH && !a->left;
    }
    if (!over) continue;
    if (length) {
      bad(a, "bytes after the end of the answer", p, length);
      a->closing = 1;
    }
    finish(a, now);
    return FEED_COMPLETE;
  }
  return FEED_MORE;
}

int answer_closed(Answer *a, uint64_t now) {
  if (a->phase != ANSWER_BODY || a->framing != BY_CLOSE) return 0;
  finish(a, now);
  return 1;
}
