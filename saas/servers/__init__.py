"""PostgreSQL and Valkey from the installed wheels, for machines on which nobody set up servers.

One instance lives in the data folder, is adopted by every `saas` process that needs it, and ends with the last one.
"""

from saas.servers.doctor import Finding, diagnose
from saas.servers.errors import ServerStartError
from saas.servers.folder import data_folder
from saas.servers.running import Servers, running_servers

__all__ = ["Finding", "ServerStartError", "Servers", "data_folder", "diagnose", "running_servers"]
