"""Random tables in the dialect that Python's csv module and Moonmill share, and how Python reads and writes
them.

peer.py SEED COUNT FOLDER writes COUNT files case<N>.csv, and beside each the fields as Python reads them:
case<N>.txt, one field a line (backslash escapes), row by row. Lone carriage returns are left out: the two
differ in them.
"""

import csv
import io
import random
import sys

ALPHABET = ["a", "b", "1", "-", ",", '"', "\n", "\r\n", " ", "é", "日", "\t", "'", "", "xyz" * 9]


def table(rng):
    columns = rng.randint(1, 6)
    header = [f"c{i}" for i in range(columns)]
    rows = []
    for _ in range(rng.choice([0, 1, 2, 10, 100, 400])):
        fields = ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, 6))) for _ in range(columns)]
        rows.append(fields if columns > 1 or fields[0] else ["x"])
    return [header] + rows


def main(seed, count, folder):
    rng = random.Random(seed)
    for number in range(count):
        text = io.StringIO()
        end = rng.choice(["\n", "\r\n"])
        quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        csv.writer(text, lineterminator=end, quoting=quoting).writerows(table(rng))
        data = text.getvalue()
        if rng.random() < 0.3 and len(data) > 9:
            data = data[: -len(end)]
        with open(f"{folder}/case{number}.csv", "w", encoding="utf-8", newline="") as file:
            file.write(data)
        with open(f"{folder}/case{number}.txt", "w", encoding="utf-8", newline="") as file:
            for row in list(csv.reader(io.StringIO(data, newline="")))[1:]:
                for field in row:
                    file.write(field.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r") + "\n")


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
