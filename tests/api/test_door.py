"""The door end to end: compiled lists, ordinary fields, payloads, refusals, sessions that end."""

from __future__ import annotations

import asyncpg

from tests.api import toy
from tests.api.conftest import JSON, STRICT, Api


async def test_typename_needs_nobody(api: Api) -> None:
    response = await api.post("{__typename}", token=None)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{STRICT}; charset=utf-8"
    assert response.json()["data"] == {"__typename": "Query"}


async def test_compiled_list_is_spliced_in_the_documents_order(api: Api) -> None:
    data = await api.data("{kind: __typename harbours(first: 2) {nodes {name boats(first: 1) {nodes {name price}}}}}")
    assert list(data) == ["kind", "harbours"]
    assert data["harbours"]["nodes"] == [
        {"name": "Bremen", "boats": {"nodes": [{"name": "Bremen 0", "price": "100.50"}]}},
        {"name": "Cuxhaven", "boats": {"nodes": [{"name": "Cuxhaven 0", "price": "100.50"}]}},
    ]
