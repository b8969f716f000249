// Reads and validates one answer after another on a connection: HTTP framing, SSE, and the mock's content in it.
//
// A stream is good only with status 200, exactly as many content events as asked for, their numbers running 0, 1, 2, …
// under one stream number, one finish_reason, at most one usage object, [DONE] as the last event, every event closed by a
// blank line, and correct HTTP framing. Accepted beside that: id:, event: and retry: lines, comments, CRLF, JSON
// written anew around the content, chunks without content.
// A JSON answer is good only when it is whole, with the mock's content and one finish_reason.
#pragma once
#include "measure.h"
#include <stdint.h>

enum { LINE_LIMIT = 16384 }; // the longest header block, SSE line or JSON answer

typedef enum { ANSWER_HEADERS, ANSWER_BODY, ANSWER_OVER } Phase;
typedef enum { FEED_MORE, FEED_COMPLETE, FEED_BROKEN } Fed;

typedef struct {
  Phase phase;
  int framing, chunk_state;
  int closing;               // the connection cannot be used again
  long left;                 // bytes left of the body or of the current HTTP chunk
  char size_line[32];
  int size_length;
  char line[LINE_LIMIT];     // header block, part of an SSE line, or JSON answer
  long line_length;
  unsigned long long stream; // the stream's number, from its first content event
  int status, events, finishes, usages, done, open_event;
  int bad_content, bad_status;
  uint64_t asked_at;
} Answer;

// What all answers of the run come to. Rates and delays are taken only while `measuring`; errors always.
typedef struct {
  int streaming, chunks_wanted, measuring;
  uint64_t chunks, good, status_errors, content_errors, connection_errors, stalled_errors;
  Histogram chunk_delay;   // from the stamp inside the chunk to here
  Histogram first_content; // from the request to the first content event
  Histogram whole_answer;  // from the request to the answer's end
  char first_error[600];   // the inside of a JSON string
} Tally;

extern Tally tally;

uint64_t tally_errors(void);
// Keeps the first error and the text it is about.
void tally_note(const char *why, const char *text, long length);

void answer_begin(Answer *answer, uint64_t now);
// COMPLETE: the answer is over and tallied. BROKEN: drop the connection. `bytes` must be followed by a 0.
Fed answer_feed(Answer *answer, const char *bytes, long length, uint64_t now);
// The connection was closed by the other side; 1 where that is how the answer had to end.
int answer_closed(Answer *answer, uint64_t now);
