/* format_options.c - options of formats: texts checked against the table of a format, and turned into its struct. Here
 * alone is said what a value of each type looks like.
 * SPDX-License-Identifier: MIT */
#include "formats/format_options.h"
#include "base/alloc.h"
#include "base/error.h"
#include "text/integer.h"
#include <stdio.h>
#include <string.h>

/* An option being parsed. */
typedef struct parsing {
  const mm_option_info *info;
  const char *shown; /* its name in messages */
  const char *text;
  int64_t size;
  mm_error *error;
} parsing;

/* `takes` is a sentence without its subject, the name. */
static int refuse(const parsing *p, const char *takes) {
  const char *id = p->info->id ? p->info->id : "usage";
  return error_fail(p->error, MM_EUSAGE, id, "%s %s, got \"%.*s\"", p->shown, takes, (int)p->size, p->text);
}

static bool is_word(const parsing *p, const char *word, int64_t size) {
  return size == p->size && memcmp(word, p->text, (size_t)size) == 0;
}

static int parse_switch(const parsing *p, bool *to) {
  *to = is_word(p, "true", 4);
  return *to || is_word(p, "false", 5) ? 0 : refuse(p, "is true or false");
}

static int parse_character(const parsing *p, int32_t *to) {
  static const struct {
    const char *word;
    uint8_t byte;
  } words[] = {{"tab", '\t'}, {"\\t", '\t'}, {"comma", ','}, {"semicolon", ';'}, {"pipe", '|'}, {"space", ' '}};
  const char *none = p->info->choices;
  if (none && (p->size == 0 || is_word(p, none, (int64_t)strlen(none)))) {
    *to = -1;
    return 0;
  }
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (is_word(p, words[i].word, (int64_t)strlen(words[i].word))) {
      *to = words[i].byte;
      return 0;
    }
  uint8_t byte = p->size == 1 ? (uint8_t)p->text[0] : 0;
  if (byte && byte != '\r' && byte != '\n') {
    *to = byte;
    return 0;
  }
  int status = refuse(p, "takes one character");
  if (p->error) snprintf(p->error->hint, sizeof p->error->hint, "for example ; or |, or the word tab");
  return status;
}

static int parse_whole(const parsing *p, int64_t *to) {
  char takes[96];
  if (parse_i64(p->text, p->size, to) == 0 && *to >= p->info->least && *to <= p->info->most) return 0;
  snprintf(takes, sizeof takes, "takes a whole number from %lld to %lld", (long long)p->info->least,
           (long long)p->info->most);
  return refuse(p, takes);
}

static int parse_choice(const parsing *p, int32_t *to) {
  char takes[256];
  *to = 0;
  for (const char *at = p->info->choices; *at; *to += 1) {
    const char *end = strchrnul(at, ' ');
    if (is_word(p, at, end - at)) return 0;
    at = *end ? end + 1 : end;
  }
  snprintf(takes, sizeof takes, "is one of %s", p->info->choices);
  return refuse(p, takes);
}

/* The text, or another one behind those that are there. */
static int parse_text(const parsing *p, char **to) {
  if (memchr(p->text, '\0', (size_t)p->size) || memchr(p->text, '\n', (size_t)p->size))
    return error_fail(p->error, MM_EUSAGE, p->info->id ? p->info->id : "usage", "%s takes a text of one line",
                      p->shown);
  bool more = *to && p->info->type == MM_OPTION_TEXTS;
  int64_t old = *to ? (int64_t)strlen(*to) + 1 : 0, from = more ? old : 0, room = from + p->size + 1;
  char *text = memory_resize(*to, old, room);
  if (!text) return error_fail_memory(p->error, room);
  if (more) text[old - 1] = '\n';
  memcpy(text + from, p->text, (size_t)p->size);
  text[room - 1] = '\0';
  *to = text;
  return 0;
}

static int parse_value(const parsing *p, void *to) {
  switch (p->info->type) {
  case MM_OPTION_SWITCH: return parse_switch(p, to);
  case MM_OPTION_CHARACTER: return parse_character(p, to);
  case MM_OPTION_WHOLE: return parse_whole(p, to);
  case MM_OPTION_CHOICE: return parse_choice(p, to);
  default: return parse_text(p, to);
  }
}

static bool is_text(const mm_option_info *info) {
  return info->type == MM_OPTION_TEXT || info->type == MM_OPTION_TEXTS;
}

static void free_text(char *text) {
  if (text) memory_release(text, (int64_t)strlen(text) + 1);
}

int format_option_check(const mm_option_info *info, const char *shown, const mm_option *given, mm_error *error) {
  parsing p = {.info = info, .shown = shown, .text = given->value, .size = given->size, .error = error};
  union {
    bool on;
    int32_t number;
    int64_t whole;
    char *text;
  } value = {0};
  int status = parse_value(&p, &value);
  if (is_text(info)) free_text(value.text);
  return status;
}

static const mm_option_info *find_option(const mm_option_table *table, const char *key) {
  for (int32_t i = 0; i < table->count; i++)
    if (strcmp(table->list[i].key, key) == 0) return &table->list[i];
  return NULL;
}

static int fail_unknown(const char *format, const mm_option_table *table, const char *key, mm_error *error) {
  char id[sizeof error->id];
  snprintf(id, sizeof id, "%.10s-option", format);
  if (table->none) return error_fail(error, MM_EUSAGE, id, "%s", table->none);
  return error_fail(error, MM_EUSAGE, id, "the format %s has no option \"%s\"", format, key);
}

static int set_value(const char *format, const mm_option_table *table, const mm_option *given, char *values,
                     mm_error *error) {
  const mm_option_info *info = find_option(table, given->key);
  if (!info) return fail_unknown(format, table, given->key, error);
  parsing p = {.info = info, .shown = info->key, .text = given->value, .size = given->size, .error = error};
  return parse_value(&p, values + info->offset);
}

int mm_options_parse(const char *format, const mm_option_table *table, const mm_option *options, int32_t count,
                     void *values, mm_error *error) {
  int status = 0;
  if (table->size > 0) memset(values, 0, (size_t)table->size);
  for (int32_t i = 0; i < table->count && status >= 0; i++) {
    const char *fallback = table->list[i].fallback;
    mm_option given = {table->list[i].key, fallback, fallback ? (int64_t)strlen(fallback) : 0};
    if (fallback) status = set_value(format, table, &given, values, error);
  }
  for (int32_t i = 0; i < count && status >= 0; i++) status = set_value(format, table, &options[i], values, error);
  if (status < 0) mm_options_free(table, values);
  return status;
}

void mm_options_free(const mm_option_table *table, void *values) {
  for (int32_t i = 0; i < table->count; i++)
    if (is_text(&table->list[i])) free_text(*(char **)((char *)values + table->list[i].offset));
}
