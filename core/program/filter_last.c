/* filter_last.c - a second order of a program's steps, for when most rows pass its filter.
 *
 * DESIGN. A filter comes as early as it can: where few rows pass, what follows is computed, and read, for these alone.
 * Where most pass, it only splits the reading: the columns of the condition first, the others after it, and memory
 * serves several columns side by side better than one after the other. So cheap arithmetic that cannot fail is then
 * done before the filter. Each order gives the selected rows the same values; the frame chooses by what passed the
 * filter in its last vector.
 *
 * SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/error.h"
#include "program/program.h"
#include "types/type.h"

/* Cheap enough to be done for rows that may not pass. */
static bool is_cheap(const mm_instr *instr) {
  return instr->op == OP_LOAD || (operation_has(instr->op, OPERATION_CHEAP) && type_is_float(instr->type));
}

/* The only filter, or -1. */
static int32_t only_filter(const mm_program *program) {
  int32_t at = -1;
  for (int32_t i = 0; i < program->step_count; i++) {
    if (program->steps[i].instr.op != OP_FILTER) continue;
    if (at >= 0) return -1;
    at = i;
  }
  return at;
}

/* The step that makes the condition, which nobody but the filter reads; or -1. */
static int32_t maker_of_condition(const mm_program *program, int32_t filter) {
  int32_t condition = program->steps[filter].instr.a, maker = -1;
  for (int32_t i = 0; i < program->step_count; i++) {
    const program_step *step = &program->steps[i];
    const int32_t registers[3] = {step->instr.a, step->instr.b, step->instr.c};
    for (int k = 0; k < 3; k++)
      if (step->reads[k] && registers[k] == condition && i != filter) return -1;
    if (step->instr.guard == condition) return -1;
    if (step->kernel && step->instr.dst == condition) maker = i;
  }
  for (int32_t i = 0; i < program->output_count; i++)
    if (program->outputs[i] == condition) return -1;
  return maker;
}

static bool pays(const mm_program *program, int32_t filter) {
  bool loads = false;
  for (int32_t i = filter + 1; i < program->step_count; i++) {
    if (!is_cheap(&program->steps[i].instr)) return false;
    loads |= program->steps[i].instr.op == OP_LOAD;
  }
  return loads;
}

/* What the last steps read must not be overwritten by those that now come before them. */
static void keep_operands(mm_program *program, const program_step *step) {
  const int32_t registers[3] = {step->instr.a, step->instr.b, step->instr.c};
  for (int k = 0; k < 3; k++)
    if (step->reads[k]) program->registers[registers[k]].last = program->step_count;
  if (step->instr.guard >= 0) program->registers[step->instr.guard].last = program->step_count;
}

int program_order_filter_last(mm_program *program, mm_error *error) {
  int32_t filter = only_filter(program), maker = filter < 0 ? -1 : maker_of_condition(program, filter), filled = 0;
  if (maker < 0 || !pays(program, filter)) return 0;
  program->filter_last = memory_allocate(program->step_count * (int64_t)sizeof *program->filter_last);
  if (!program->filter_last)
    return error_fail_memory(error, program->step_count * (int64_t)sizeof *program->filter_last);
  for (int32_t i = 0; i < program->step_count; i++)
    if (i != maker && i != filter) program->filter_last[filled++] = i;
  program->filter_last[filled++] = maker;
  program->filter_last[filled] = filter;
  keep_operands(program, &program->steps[maker]);
  keep_operands(program, &program->steps[filter]);
  program->condition = program->steps[filter].instr.a;
  return 0;
}
