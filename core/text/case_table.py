"""Make case_table.h: the one-to-one case mappings of Unicode, as ranges. Usage: python3 case_table.py >
case_table.h

A mapping to several characters is left out, as Unicode's simple mappings do: their capital is the title form
where that is one character (U+1F80 and its like), U+0130 becomes a plain i, and all others (the sharp s) stay
as they are.
"""
import unicodedata


def lower(char):
    return "i" if char == "\u0130" else char.lower()


def upper(char):
    return char.upper() if len(char.upper()) == 1 else char.title()


def ranges(convert):
    """(first, last, step, delta): every step-th character from first to last moves by delta."""
    result = []
    for code in range(0x80, 0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        to = convert(chr(code))
        if len(to) != 1 or ord(to) == code:
            continue
        assert 2 * len(to.encode()) <= 3 * len(chr(code).encode()), "case.c makes room for half as many bytes more"
        delta = ord(to) - code
        if result:
            first, last, step, same = result[-1]
            gap = code - last
            if delta == same and gap <= 2 and (first == last or gap == step):
                result[-1] = (first, code, gap, delta)
                continue
        result.append((code, code, 1, delta))
    return result


print(f"""/* case_table.h - made by case_table.py: one-to-one case mappings beyond ASCII,
 * Unicode {unicodedata.unidata_version}.
 * SPDX-License-Identifier: MIT */
#pragma once
#include <stdint.h>

/* Every step-th character from first to last moves by delta. Ascending. */
typedef struct case_range {{ uint32_t first, last, step; int32_t delta; }} case_range;""")
for name, convert in (("lower", lower), ("upper", upper)):
    entries = [f"{{0x{first:x}, 0x{last:x}, {step}, {delta}}}" for first, last, step, delta in ranges(convert)]
    print(f"\nstatic const case_range {name}_ranges[{len(entries)}] = {{")
    for i in range(0, len(entries), 4):
        print("  " + ", ".join(entries[i:i + 4]) + ",")
    print("};")
