/* delays.c - the mean delay of each carrier: delays FILE.csv
 * SPDX-License-Identifier: MIT */
#include <moonmill/stage.h>
#include <stdio.h>

/* A job that reads two columns of a file, groups by the first and averages the second; NULL on failure. */
static mm_job *make_job(const char *path, mm_error *error) {
  mm_type text = {.id = MM_UTF8}, number = {.id = MM_F64};
  mm_schema columns = {0}, result = {0};
  mm_schema_add(&columns, "carrier", text, true, error);
  mm_schema_add(&columns, "arr_delay", number, true, error);
  mm_schema_add(&result, "carrier", text, true, error);
  mm_schema_add(&result, "delay", number, true, error);

  mm_input *input = NULL;
  mm_source *source = mm_input_open(&path, 1, NULL, &input, error) < 0 ? NULL : mm_input_source(input, &columns, error);
  mm_job *job = source ? mm_job_new(source, NULL, error) : NULL; /* it owns the source, and stages that are added */
  mm_aggregate mean = {.op = MM_AGG_MEAN, .column = 1};
  mm_stage *group = job ? mm_stage_group(&(int32_t){0}, 1, &mean, 1, &result, error) : NULL;
  mm_stage *sink = group ? mm_sink_table(-1, error) : NULL; /* keeps all rows */
  if (!sink || mm_job_add(job, group, error) < 0 || mm_job_add(job, sink, error) < 0) {
    mm_job_free(job);
    job = NULL;
  }
  mm_schema_free(&columns);
  mm_schema_free(&result);
  return job;
}

int main(int argc, char **argv) {
  mm_error error = {0};
  mm_table table = {0};
  mm_job *job = make_job(argc > 1 ? argv[1] : "-", &error);
  int status = job ? mm_job_start(job, &error) : error.code;
  if (status == 0) status = mm_job_wait(job, -1, &error); /* on all processors */
  if (status == 0) status = mm_job_take_result(job, &table, NULL, &error);
  for (int64_t b = 0; b < table.count; b++)
    for (int64_t row = 0; row < table.batches[b].length; row++) {
      mm_buffer line = {0};
      for (int column = 0; column < 2 && status >= 0; column++) {
        status = mm_column_text(&table.batches[b].columns[column], row, &line, &error);
        if (status >= 0) status = mm_buffer_append(&line, column ? "\n" : " ", 1, &error);
      }
      fwrite(line.data, 1, (size_t)line.size, stdout);
      mm_buffer_free(&line);
    }
  if (status < 0) fprintf(stderr, "delays: %s %s\n", error.file, error.message);
  mm_table_free(&table);
  mm_job_free(job);
  return -status;
}
