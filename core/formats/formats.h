/* formats.h - what the files of core/formats/ share: how the bytes of files become rows, and rows become files.
 *
 * DESIGN. Reading goes through four hands:
 *
 *   stream   bytes of one file, decompressed            (zstd: by a thread of its own, ahead of the reader)
 *   cutter   pieces of MM_MORSEL rows of text           (one after the other, under the engine's claim)
 *   strip    some hundred rows with their field ends    (in parallel, one worker a piece)
 *   loader   columns of a batch, wanted ones only
 *
 * The cutter sees every byte once: it counts rows and lines, follows quotes and refuses misplaced ones. So a piece
 * starts and ends on a row whatever its quotes hold, and what comes after it can trust the quotes.
 *
 * SPDX-License-Identifier: MIT */
#pragma once
#include "internal.h"
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

enum {
  MM_CHUNK = 256 << 10,      /* bytes read at a time: they are looked at while they are in the second cache */
  MM_CHUNK_LIMIT = 16 << 20, /* so that a row and a chunk are addressed by the bits of a cell */
  MM_MARGIN = 64,            /* readable bytes before and after a text */
  MM_FIELD_LIMIT = 16 << 20, /* bytes of a field */
  MM_ROW_LIMIT = 64 << 20,   /* bytes of a row */
  MM_COLUMN_LIMIT = 65536
};

/* Set the file of a failure, "<stdin>" for "-", and return its code. */
int mm_error_file(mm_error *error, int code, const char *path);

/* ---- Waiting ---- */

/* What ends a wait for files, of inputs and of an output alike. Zero: only `stop` does. */
typedef struct mm_wait {
  atomic_bool stop;            /* set when the job is cancelled, or by a pulse */
  int64_t patience;            /* milliseconds that opening may take; 0: as long as it takes */
  _Atomic int64_t deadline;    /* of opening, by the monotonic clock; 0: none */
  int (*pulse)(void *context); /* called while files are opened, on that thread; NULL: none, or not any more */
  void *context;
  pthread_t opener;
  int64_t beaten; /* when the pulse was last called */
} mm_wait;

enum { MM_BEAT_MS = 20 }; /* between two looks */
/* Opening begins, on this thread. */
void mm_wait_begin(mm_wait *wait, int64_t patience, int (*pulse)(void *context), void *context);
/* All is open: from now on only `stop` counts. */
void mm_wait_end(mm_wait *wait);
/* Call it at each step, often: 0 to go on, MM_ECANCEL, or MM_ELIMIT with "LATE n seconds" about `path`. No lock of the
 * feed may be held. */
int mm_wait_check(mm_wait *wait, const char *path, const char *late, mm_error *error);
#define MM_LATE_OPENING "opening took longer than"

/* ---- Streams ---- */

/* What the streams of one input share: one lock, what ends them, and how far they are. */
typedef struct mm_feed {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  mm_wait wait;
  _Atomic int64_t consumed; /* bytes as stored */
  int64_t chunk;            /* bytes read at a time */
} mm_feed;

typedef struct mm_stream mm_stream;
/* Of a file, or of the bytes of a block, which lives as long. */
int mm_stream_open(mm_feed *feed, const char *path, const mm_block *block, mm_stream **stream, mm_error *error);
int64_t mm_stream_read(mm_stream *stream, uint8_t *bytes, int64_t size,
                       mm_error *error); /* bytes read, 0 at the end, or a status */
bool mm_stream_compressed(const mm_stream *stream);
void mm_stream_free(mm_stream *stream);
/* As stored, for the decoder. */
int64_t mm_stream_read_raw(mm_stream *stream, uint8_t *bytes, int64_t size, mm_error *error);

typedef struct mm_decoder mm_decoder;
int mm_decoder_new(mm_feed *feed, mm_stream *stream, const char *path, mm_decoder **decoder, mm_error *error);
int64_t mm_decoder_read(mm_decoder *decoder, uint8_t *bytes, int64_t size, mm_error *error);
void mm_decoder_free(mm_decoder *decoder);

/* One zstd frame of `size` bytes, with its size and a checksum, appended to `to`. */
typedef struct mm_encoder mm_encoder;
mm_encoder *mm_encoder_new(int level, mm_error *error);
int mm_encoder_frame(mm_encoder *encoder, const uint8_t *bytes, int64_t size, mm_buffer *to, mm_error *error);
void mm_encoder_free(mm_encoder *encoder);

/* ---- Formats by content ---- */

bool mm_is_zstd(const uint8_t *bytes, int64_t size);
const char *mm_foreign_format(const uint8_t *bytes,
                              int64_t size); /* "gzip", ...: what it is when it is nothing we read, or NULL */
char mm_guess_delimiter(const char *path, const uint8_t *text, int64_t size, int quote);

/* ---- Dialect and scanning ---- */

typedef struct mm_dialect {
  uint8_t delimiter, quote;
  bool quoting; /* false: quotes are data */
  bool ragged;
  bool no_header;
  bool lines;        /* the delimiter is the line feed, and no field is null */
  const char *nulls; /* separated by '\n'; or NULL */
} mm_dialect;

/* The cutter's look at text: where rows end. */
typedef struct mm_row_scan {
  int64_t at;        /* looked at so far */
  int64_t rows;      /* ends of rows found */
  int64_t want;      /* stop after so many */
  int64_t row_start; /* where the last row begins */
  int64_t inner;     /* line feeds within quotes */
  int64_t bad;       /* a misplaced quote, or what follows one; -1: none */
  uint64_t inside;   /* all ones: within quotes */
  uint64_t after;    /* what the last byte was: SCAN_* */
  bool quotes;       /* any seen */
} mm_row_scan;
enum {
  SCAN_SEPARATOR = 1,
  SCAN_CLOSED = 2,
  SCAN_RETURN = 4
}; /* a delimiter or row end; a closing quote; CR after one */

/* Scanners of one instruction set. Texts have MM_MARGIN readable bytes after them. */
typedef struct mm_scanner {
  const char *isa;
  /* Go on to `end`; true: the wanted rows are complete and `at` is where the next begins, or `bad` was found. */
  bool (*rows)(mm_row_scan *scan, const mm_dialect *dialect, const uint8_t *text, int64_t end);
  /* Ends of fields (delimiters and line feeds outside quotes), from text[0], a row's start, on: until `size`, or at
   * least `bytes` and `count` of them. Returns their number; *newlines: how many of them are line feeds. `marks` has
   * room for bytes + count + 128. */
  int64_t (*marks)(const mm_dialect *dialect, bool quotes, const uint8_t *text, int64_t size, int64_t bytes,
                   int64_t count, uint32_t *marks, int64_t *newlines);
  /* Bits: 1, a byte above 127; 2, a carriage return. */
  int (*traits)(const uint8_t *text, int64_t size);
} mm_scanner;
const mm_scanner *mm_scanner_get(void);

/* ---- Names ---- */

/* Names of columns and where they are. */
typedef struct mm_names {
  char **names;
  int32_t count, capacity;
  int32_t *slots; /* hash table of indices, -1 free */
  int64_t slot_count;
} mm_names;
int mm_names_parse(mm_names *names, const mm_dialect *dialect, const uint8_t *line, int64_t size, mm_error *error);
int mm_names_one(mm_names *names, const char *name, mm_error *error);
int32_t mm_names_find(const mm_names *names, const char *name);
void mm_names_free(mm_names *names);

/* ---- Pieces ---- */

/* Rows of one file within a piece. */
typedef struct mm_span {
  int32_t file;
  bool quotes;           /* it has some */
  int64_t begin, end;    /* of its bytes */
  int64_t first, rows;   /* rows of the piece */
  int64_t line;          /* of the file, from 1, where it begins */
  const int32_t *places; /* column i of the first file stands at places[i]; NULL: at i */
} mm_span;

typedef struct mm_piece {
  mm_block *block;
  uint8_t *text; /* MM_MARGIN bytes before and after are readable; a row ends with a line feed */
  mm_span *spans;
  int32_t span_count, span_capacity;
  int64_t rows;
  mm_error failure; /* what comes after the rows; code 0: nothing */
} mm_piece;

/* Where a reader of a piece is. */
typedef struct mm_cursor {
  int32_t span;
  int64_t at;  /* from the span's begin */
  int64_t row; /* of the piece */
} mm_cursor;

void mm_piece_free(mm_piece *piece);

/* ---- Cutter ---- */

typedef struct mm_cutter {
  mm_feed feed;
  mm_dialect dialect;
  char **paths;
  mm_block **blocks;          /* read instead of the files, of path_count; or NULL */
  int32_t path_count, opened; /* files opened so far */
  int64_t bytes_total;
  mm_stream *stream; /* of file opened - 1 */
  bool compressed;
  mm_names names;         /* of the first file */
  int32_t **places;       /* by file, of path_count; NULL: the order of the first */
  mm_piece *piece;        /* in the making */
  int64_t size, capacity; /* bytes of its text */
  int64_t guess;          /* capacity of the next */
  mm_row_scan scan;       /* of its last span */
  bool heading;           /* the header is still to come */
  bool done;
} mm_cutter;

int mm_cutter_init(mm_cutter *cutter, const char *const *paths, mm_block *const *blocks, int32_t count,
                   mm_error *error);
void mm_cutter_free(mm_cutter *cutter);
int mm_cutter_next(mm_cutter *cutter, mm_piece **piece, mm_error *error); /* 1, 0 at the end */

/* Fill in file, line and column of a byte of a piece. */
void mm_place(const mm_cutter *cutter, const mm_piece *piece, const mm_span *span, int64_t position, mm_error *error);

/* ---- Strips ---- */

/* Some rows of a span. Field c of row r lies between marks[r * stride + c] + 1 and marks[r * stride + c + 1], counted
 * from text; an end before its start is a field that is missing. */
typedef struct mm_strip {
  const mm_span *span;
  const uint8_t *text;
  const uint32_t *marks;
  int64_t stride, rows;
  int64_t size;       /* bytes of the rows */
  int64_t bad_at;     /* start of the ragged row after these, from the text; -1: none */
  int64_t bad_fields; /* its number of fields */
} mm_strip;

/* Room for strips, reused. */
typedef struct mm_strips {
  const mm_cutter *cutter;
  int64_t columns;
  uint32_t *marks, *square; /* `room` each; the second only for ragged rows */
  int64_t room;
} mm_strips;

int mm_strips_init(mm_strips *strips, const mm_cutter *cutter, mm_error *error);
void mm_strips_free(mm_strips *strips);
/* At most `rows` further rows; false: the piece is used up. The cursor moves behind the rows given. */
bool mm_strips_next(mm_strips *strips, const mm_piece *piece, mm_cursor *cursor, int64_t rows, mm_strip *strip);

/* A field: `at` from the strip's text, without its quotes. Null: no bytes and not quoted. */
typedef struct mm_cell {
  uint32_t at; /* with CELL_* */
  int32_t size;
} mm_cell;
enum { CELL_ESCAPED = 1u << 31, CELL_QUOTED = 1u << 30, CELL_AT = (1u << 30) - 1 };
static inline bool mm_cell_null(mm_cell cell) { return cell.size == 0 && !(cell.at & CELL_QUOTED); }

/* The cells of a column of the file. */
void mm_strip_cells(const mm_dialect *dialect, const mm_strip *strip, int64_t column, int64_t columns, mm_cell *cells);

/* ---- Values ---- */

/* Parse cells into values `out`, from row `at` of it. Nulls become 0. Returns the first row that cannot be, or
 * `rows`. */
typedef int64_t (*mm_cell_parser)(const uint8_t *text, const mm_cell *cells, int64_t rows, mm_type type, void *out,
                                  int64_t at);
mm_cell_parser mm_cell_parser_get(mm_type type); /* NULL: text, binary or unreadable types */

/* ---- Inference ---- */

/* What the first rows showed. */
typedef struct mm_sample {
  int64_t rows; /* to look at; then: looked at */
  bool *nulls;  /* by column of the first file: it had some */
} mm_sample;
int mm_infer(mm_cutter *cutter, mm_piece *const *pieces, int64_t count, mm_sample *sample, mm_schema *schema,
             mm_error *error);

/* ---- Output ---- */

/* Where the path of an output leads, links followed: a file by its absolute name, or a descriptor of this process
 * (/dev/stdout, /dev/fd/3), -1: none. */
typedef struct mm_target {
  char path[PATH_MAX];
  int fd;
} mm_target;
int mm_target_find(mm_target *target, const char *path, mm_error *error);

/* A new file beside `target`, open for writing and locked, its name in `path`; files that dead processes left for this
 * target are removed. A descriptor or a negated errno. */
int mm_temporary_create(const char *target, int mode, char path[PATH_MAX]);
/* A descriptor that holds the lock when `fd` is closed, or -1; and its end. */
int mm_temporary_keep_lock(int fd);
void mm_temporary_unlock(int lock);

/* Who may do what with a file. */
typedef struct mm_rights {
  bool known;
  uint32_t owner, group, mode;
} mm_rights;
int mm_rights_of(mm_rights *rights, const char *path); /* 0 or a negated errno */
int mm_rights_give(const mm_rights *rights, int fd);   /* no more than these, where they cannot be given; the same */

/* Where bytes go: a new file that replaces `target` when it is complete, or an open pipe, device or descriptor. */
typedef struct mm_outfile {
  char *path;                /* as given */
  char *target;              /* NULL: written in place */
  _Atomic(char *) temporary; /* NULL until there is one */
  atomic_bool settled;       /* who sets it renames or removes the temporary file */
  int fd;
  bool open;        /* fd is ours to close */
  bool is_stdout;   /* under whatever name */
  bool waits;       /* a pipe or device: a write may take for ever */
  bool blocks;      /* and then a write of more than PIPE_BUF may block, though there is room for something */
  mm_rights rights; /* of the file that is replaced */
  int64_t written;
  mm_wait wait;
} mm_outfile;
int mm_outfile_open(mm_outfile *output, const char *path, const mm_output_options *options, mm_error *error);
int mm_outfile_write(mm_outfile *output, const uint8_t *bytes, int64_t size, mm_error *error);
int mm_outfile_commit(mm_outfile *output, mm_error *error); /* the file appears */
/* The file will not appear. From any thread and in a signal handler. */
void mm_outfile_abandon(mm_outfile *output);
void mm_outfile_free(mm_outfile *output); /* an uncommitted file disappears */
