"""A stopwatch for another library's functions: it adds up the time spent in named functions of a module while that module runs."""
import contextlib
import time


def now():
    """Wall-clock and processor seconds. The second leaves out what other programs took."""
    return time.perf_counter(), time.process_time()


class Stopwatch:
    def __init__(self):
        self.seconds, self.cpu_seconds, self.calls = {}, {}, {}

    def add(self, name, start):
        end = now()
        self.seconds[name] = self.seconds.get(name, 0.0) + end[0] - start[0]
        self.cpu_seconds[name] = self.cpu_seconds.get(name, 0.0) + end[1] - start[1]
        self.calls[name] = self.calls.get(name, 0) + 1

    def wrap(self, name, function):
        def timed(*arguments, **options):
            start = now()
            try:
                return function(*arguments, **options)
            finally:
                self.add(name, start)

        return timed

    @contextlib.contextmanager
    def on(self, module, names):
        """Times every call that `module` makes to one of `names`, as it looks them up in its own namespace."""
        originals = {name: getattr(module, name) for name in names}
        for name, function in originals.items():
            setattr(module, name, self.wrap(name, function))
        try:
            yield
        finally:
            for name, function in originals.items():
                setattr(module, name, function)
