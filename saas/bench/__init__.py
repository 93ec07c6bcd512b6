"""The benchmark that decides whether the product is as fast as it must be: against hand-written SQL and against the
ordinary way of writing such an API, on the same rows in the same run.

`saas.bench.running.bench_reads` runs it, `saas.bench.figures.as_markdown` prints it. Nothing is exported here: each
contender is a process that imports this package, and none may carry the weight of another.
"""

__all__: list[str] = []
