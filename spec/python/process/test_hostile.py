"""Objects that raise, lie, change or come back while they are used: what they raise goes through, no leak."""

import array
import gc
import sys
import threading
from contextlib import suppress

import pytest

import moonmill as mm
from moonmill import _core

np = pytest.importorskip("numpy")

SAME = mm.pipeline("mm.pipeline {}")
DOUBLE = mm.pipeline(':derive "value = value * 2"')
pytestmark = pytest.mark.usefixtures("no_leaks")


@pytest.fixture(scope="module", autouse=True)
def functions():
    global LEN
    LEN = mm.module(
        'return mm.module { len = mm.fn("v: f64[], s: utf8 -> i64", function(v, s) return #v + #s end) }'
    )
    yield
    del LEN


class Boom(Exception):
    """What hostile objects raise."""


class Worse(BaseException):
    """What not even `except Exception` catches."""


def exported(data=range(5)):
    return SAME.run({"value": list(data)})


def use():
    """Come back into the extension, from wherever."""
    assert DOUBLE.run({"value": [1, 2]})["value"].to_pylist() == [2, 4]
    assert LEN.len(np.zeros(3), "ab") == 5
    mm.store["hostile"] = np.arange(3)
    del mm.store["hostile"]
    gc.collect()


def raising(error, *names):
    """An object whose methods of these names raise."""

    def fail(self, *arguments, **keywords):
        raise error("no")

    return type("Raising", (), dict.fromkeys(names, fail))()


def before(action, cls, name):
    """A subclass that acts before a method does its work."""

    def method(self, *arguments, **keywords):
        action()
        return getattr(cls, name)(self, *arguments, **keywords)

    return type(f"Acting{cls.__name__}", (cls,), {name: method})


class Stream:
    """Arrow's stream of a table, after something was done."""

    def __init__(self, action, table=None):
        self.action = action
        self.table = table or exported()

    def __arrow_c_stream__(self, requested_schema=None):
        self.action()
        return self.table.__arrow_c_stream__(requested_schema)


class Odd:
    """Raises what it was given when it is asked for anything that a value can be asked for."""

    def __init__(self, error):
        def fail(*arguments):
            raise error("no")

        self.fail = fail

    def __index__(self):
        return self.fail()

    __float__ = __str__ = __repr__ = __len__ = __iter__ = __bool__ = __index__

    def __eq__(self, other):
        return self.fail()

    __hash__ = None


@pytest.fixture(autouse=True, params=[None, 1], ids=["", "collecting all the time"])
def collector(request):
    """Every spec also with a collector that runs at every turn."""
    threshold = gc.get_threshold()
    if request.param:
        gc.freeze()  # what is there already costs no time
        gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


@pytest.mark.parametrize("error", [Boom, Worse, KeyboardInterrupt, MemoryError])
class TestWhatHooksRaise:
    def raises(self, error):
        return pytest.raises(error, match="no")

    @pytest.mark.parametrize("name", ["__arrow_c_stream__", "__arrow_c_array__", "__next__"])
    def test_goes_through_a_run(self, name, error):
        with self.raises(error):
            DOUBLE.run(raising(error, name, "__iter__"))
        with pytest.raises((error, mm.KindError)):  # an iterator is no column
            DOUBLE.run({"value": raising(error, name, "__iter__")})
        use()

    def test_goes_through_a_generator_of_pieces(self, error):
        def pieces():
            yield {"value": [1]}
            raise error("no")

        with self.raises(error):
            list(DOUBLE(pieces()))
        with self.raises(error):
            DOUBLE.run(pieces())
        with self.raises(error):
            list(DOUBLE.stream(pieces()))
        use()

    def test_goes_through_values_of_a_list(self, error):
        for value in (Odd(error), [Odd(error)], (Odd(error),)):
            with pytest.raises((error, mm.KindError, ValueError)):
                DOUBLE.run({"value": [1, value]})
        use()

    def test_goes_through_a_mask(self, error):
        with pytest.raises((error, TypeError, ValueError)):
            _core.Table.from_columns(["a"], [np.arange(3)], missing=[Odd(error)])
        use()

    def test_goes_through_dlpack_and_arrow_consumers(self, error):
        table = exported()
        for request in (Odd(error), object(), 7, b"x"):
            for call in (
                lambda request=request: table["value"].__dlpack__(max_version=request),
                lambda request=request: table["value"].__dlpack__(dl_device=(request, request)),
                lambda request=request: table["value"].__dlpack__(copy=request),
                lambda request=request: table.__arrow_c_stream__(request),
            ):
                with suppress(error, TypeError, ValueError, BufferError):
                    call()
        with pytest.raises((error, TypeError)):
            table["value"][Odd(error)]
        with pytest.raises((error, TypeError)):
            table.slice(Odd(error), 1)
        use()

    def test_goes_through_whoever_watches(self, error):
        def fail(*arguments):
            raise error("no")

        endless = mm.pipeline(":where(function(r) while true do end end)")
        with self.raises(error):
            endless.run({"a": [1]}, progress=fail)
        use()

    def test_goes_through_arguments_of_functions(self, error):
        with pytest.raises((error, TypeError)):
            LEN.len(Odd(error), "x")
        with pytest.raises((error, TypeError)):
            LEN.len(np.zeros(3), Odd(error))
        with pytest.raises((error, TypeError, mm.KindError)):
            LEN.len(raising(error, "__buffer__"), "x")
        use()

    def test_goes_through_names_options_and_parameters(self, error):
        odd = Odd(error)
        for options in (
            {"threads": odd},
            {"timeout": odd},
            {"out": odd},
            {"out": [odd]},
            {"p": odd},
            {"copy": odd},
        ):
            pipeline = mm.pipeline('mm.pipeline { params = { "p: i64 = 1" } } :derive "b = value + p.p"')
            with pytest.raises((error, TypeError, ValueError, mm.Error)):
                pipeline.run({"value": [1]}, **options)
        with pytest.raises((error, TypeError)):
            _core.Table.from_columns([odd], [[1]])
        with pytest.raises((error, TypeError, mm.Error)):
            mm.store[odd] = [1]
        use()


class TestHalfASurrogatePair:
    """Texts that Python holds and UTF-8 does not are refused wherever they come in."""

    @pytest.mark.parametrize(
        "use",
        [
            lambda: mm.pipeline("-- \ud800"),
            lambda: mm.pipeline(":limit(1)", name="\ud800"),
            lambda: mm.module("-- \ud800"),
            lambda: mm.load("/nowhere/\udcff.lua"),
            lambda: SAME.run({"\ud800": [1]}),
            lambda: SAME.run({"a": ["\ud800"]}),
            lambda: mm.pipeline('mm.pipeline { params = { "s: utf8 = x" } }').run({"a": [1]}, s="\ud800"),
            lambda: mm.store.put("\ud800", [1]),
            lambda: mm.module('return mm.module { f = mm.fn("s: utf8", function() end) }').f("\ud800"),
        ],
    )
    def test_is_refused(self, use):
        with pytest.raises(mm.Error, match="half a surrogate pair") as caught:
            use()
        assert caught.value.id == "bad-utf8"

    def test_names_nothing(self):
        for name in ("\ud800", "a\0b"):
            assert name not in mm.store
            with pytest.raises(KeyError):
                mm.store[name]
            with pytest.raises(KeyError):
                del mm.store[name]


class TestWhoComesBack:
    """Hooks that use the extension while it is using them."""

    def test_from_an_exporter(self):
        assert DOUBLE.run(Stream(use))["value"].to_pylist() == [0, 2, 4, 6, 8]
        assert DOUBLE.run({"value": Stream(use), "b": Stream(use)}).num_rows == 5

    def test_from_pieces(self):
        def pieces():
            for i in range(4):
                use()
                yield {"value": [i, *DOUBLE({"value": [i]})["value"]]}

        assert [piece["value"] for piece in DOUBLE(pieces())] == [[2 * i, 4 * i] for i in range(4)]
        assert DOUBLE.run(pieces()).num_rows == 8

    def test_from_progress_and_callbacks(self):
        slow = mm.pipeline(
            ":where(function(r) local n = 0 for i = 1, 3e6 do n = n + #tostring(i) end return n > 0 end)"
        )
        turns = []
        slow.run({"value": [1, 2]}, progress=lambda progress: (use(), turns.append(progress)))
        assert turns
        done = threading.Event()
        DOUBLE.submit({"value": [1]}).add_done_callback(lambda job: (use(), job.result(), done.set()))
        assert done.wait(20)

    def test_from_the_end_of_an_owner(self):
        ends = []

        class Last(bytearray):
            def __del__(self):
                use()
                ends.append(1)

        for _ in range(3):
            data = Last(b"abc")
            table = SAME.run(data)
            del data
            assert table["value"].to_pylist() == [97, 98, 99]
            del table
        use()
        assert len(ends) == 3

    def test_from_threads_all_at_once(self):
        failures = []

        def work():
            try:
                for _ in range(3):
                    assert DOUBLE.run(Stream(use))["value"].to_pylist() == [0, 2, 4, 6, 8]
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []


class TestWhatChanges:
    """Objects that change, or go, while they are read."""

    def test_a_list_that_its_own_values_clear(self):
        for change in (list.clear, lambda values: values.append(1), lambda values: values.__delitem__(0)):
            values = []

            class Clearing(float):
                def __float__(self):
                    change(values)  # noqa: B023
                    return 1.0

                __index__ = None

            values += [Clearing(1.0) for _ in range(100)]
            with suppress(RuntimeError, ValueError, mm.Error):
                DOUBLE.run({"value": values})

    def test_a_dict_that_its_columns_change(self):
        data = {}
        data["value"] = Stream(lambda: data.clear(), exported())
        data["other"] = [1, 2, 3, 4, 5]
        with suppress(RuntimeError, KeyError, ValueError, mm.Error):
            assert DOUBLE.run(data).num_rows == 5
        use()

    def test_memory_that_is_given_back_while_it_is_borrowed(self):
        data = bytearray(b"abcdef")
        view = memoryview(data)
        table = SAME.run(view)
        view.release()
        with pytest.raises(BufferError):
            data.clear()
        assert bytes(table["value"].data()) == b"abcdef"
        del table
        data.clear()
        with pytest.raises((ValueError, mm.Error)):
            SAME.run(view)

    def test_memory_of_a_job_stays_until_it_ends(self):
        endless = mm.pipeline(":where(function(r) while true do end end)")
        data = array.array("d", [1.0] * 10)
        job = endless.submit({"a": data})
        with pytest.raises(BufferError):
            data.append(1.0)
        job.cancel()
        job.wait(10)
        del job
        use()
        data.append(1.0)

    def test_lengths_that_are_lies(self):
        for length in (-1, 0, 1, 2, 10, sys.maxsize, 2.5, None, "3"):

            class Lying(list):
                def __len__(self):
                    return length  # noqa: B023

            values = Lying([1, 2, 3])
            try:
                table = DOUBLE.run({"value": values})
            except (TypeError, ValueError, OverflowError, MemoryError, mm.Error):
                continue
            assert table["value"].to_pylist() == [2, 4, 6][: table.num_rows]

    def test_arrays_that_lie_about_what_they_are(self):
        for lie in ("dtype", "shape", "mask", "ndim", "__array_interface__", "__class__"):
            for answer in (None, 7, "x", (1, 2), object()):
                cls = type("Lying", (np.ndarray,), {lie: property(lambda self, answer=answer: answer)})
                values = np.arange(4.0).view(cls)
                try:
                    table = DOUBLE.run({"value": values})
                except (TypeError, ValueError, AttributeError, mm.Error):
                    continue
                assert table["value"].to_pylist() == [0.0, 2.0, 4.0, 6.0]

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="classes of Python give buffers from 3.12 on")
    def test_buffers_of_classes_of_python(self):
        class Buffer:
            released = 0

            def __init__(self, give):
                self.give = give

            def __buffer__(self, flags):
                use()
                return memoryview(self.give(flags))

            def __release_buffer__(self, view):
                Buffer.released += 1
                use()
                view.release()

        def fail(flags):
            raise Boom("no")

        data = bytearray(b"abc")
        assert SAME.run(Buffer(lambda flags: data))["value"].to_pylist() == [97, 98, 99]
        use()
        data.append(1)  # nobody shows it any more
        assert Buffer.released >= 1
        with pytest.raises((Boom, TypeError, mm.Error)):
            SAME.run(Buffer(fail))
        with pytest.raises((TypeError, BufferError, mm.Error)):
            SAME.run(Buffer(lambda flags: 7))
        use()
