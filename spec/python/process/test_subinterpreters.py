"""Subinterpreters: refused, in words that help, whatever they share, and the main interpreter works on."""

import sys
import textwrap

import programs
import pytest

REFUSAL = "moonmill works in the main interpreter alone, not in subinterpreters: use threads"

PROGRAM = """
import sys

try:
    import _interpreters
except ImportError:
    import _xxsubinterpreters as _interpreters

IMPORT = f"import sys; sys.path[:0] = {sys.path!r}\\nimport moonmill"

def run_in(number):
    "What came of importing, as text."
    try:
        run = _interpreters.exec if sys.version_info >= (3, 13) else _interpreters.run_string
        return str(run(number, IMPORT))
    except Exception as error:
        return str(error)

def create(alone):
    if sys.version_info >= (3, 13):
        return _interpreters.create("isolated" if alone else "legacy")
    return _interpreters.create(isolated=alone)

def works_here():
    import moonmill as mm
    return mm.pipeline(':derive "b = a + 1"')({"a": [1]}) == {"a": [1], "b": [2]}
"""


def run_python(program):
    """What a program behind PROGRAM printed, line by line."""
    return programs.output(PROGRAM + textwrap.dedent(program)).splitlines()


@pytest.mark.parametrize("alone", [True, False])
def test_importing_is_refused_again_and_again(alone):
    lines = run_python(
        f"""
        for _ in range(3):
            number = create({alone})
            print(run_in(number))
            print(run_in(number))
            _interpreters.destroy(number)
        """
    )
    assert len(lines) == 6
    assert all(REFUSAL in line and "ImportError" in line for line in lines)


@pytest.mark.parametrize("alone", [True, False])
def test_the_main_interpreter_works_before_and_after(alone):
    lines = run_python(
        f"""
        print(works_here())
        number = create({alone})
        print(run_in(number))
        _interpreters.destroy(number)
        print(works_here())
        """
    )
    assert (lines[0], lines[2]) == ("True", "True")
    assert REFUSAL in lines[1]


def test_the_main_interpreter_works_where_a_subinterpreter_tried_first():
    lines = run_python("print(run_in(create(True)))\nprint(works_here())")
    assert REFUSAL in lines[0] and lines[1] == "True"


def test_many_try_at_once_while_the_main_interpreter_works():
    lines = run_python(
        """
        import threading
        numbers = [create(True) for _ in range(4)]
        said = []
        crew = [threading.Thread(target=lambda n=n: said.append(run_in(n))) for n in numbers]
        for thread in crew: thread.start()
        print(all(works_here() for _ in range(50)))
        for thread in crew: thread.join()
        print(*said, sep="\\n")
        """
    )
    assert lines[0] == "True"
    assert len(lines) == 5 and all(REFUSAL in line for line in lines[1:])


@pytest.mark.skipif(sys.version_info < (3, 14), reason="there is no pool of interpreters before 3.14")
def test_a_pool_of_interpreters_hands_the_refusal_over():
    lines = run_python(
        """
        from concurrent.futures import InterpreterPoolExecutor
        with InterpreterPoolExecutor(2) as pool:
            for future in [pool.submit(exec, IMPORT) for _ in range(4)]:
                print(repr(future.exception()))
        print(works_here())
        """
    )
    assert lines[4] == "True"
    assert all(line.startswith("ImportError") and REFUSAL in line for line in lines[:4])
