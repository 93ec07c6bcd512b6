"""Lists: pages of rows with their relations, in one statement each."""

from __future__ import annotations

from tests.reads.conftest import Toys
from tests.reads.toys import row_id


async def test_list_is_one_statement_of_finished_json(toys: Toys) -> None:
    result = await toys.result("{ shops(first: 2) { nodes { id name rank keeper { name } } } }")
    assert result.errors == []
    first, second = row_id(1, 5).hex, row_id(1, 6).hex
    expected = (
        f'{{"nodes":[{{"id":"sho_{first}","name":"Zeta","rank":5,"keeper":null}},'
        f'{{"id":"sho_{second}","name":"alpha","rank":6,"keeper":{{"name":"keeper 0"}}}}]}}'
    )
    assert result.values == {"shops": expected.encode()}
