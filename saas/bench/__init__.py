"""The benchmark that decides whether the product is as fast as it must be: against hand-written SQL, and against the
ordinary way of writing such an API, on the same rows in the same run."""

from saas.bench.errors import BenchError
from saas.bench.figures import Figures, as_markdown
from saas.bench.running import bench_reads

__all__ = ["BenchError", "Figures", "as_markdown", "bench_reads"]
