"""Random documents under random rights: every one is answered or refused, never a fault, never another tenant's row."""

from __future__ import annotations

from random import Random

import pytest

from saas.access.table import DENIED, MASKED, AccessTable, FieldAccess, FieldRight
from saas.kernel import ErrorCode, FieldForbidden
from saas.reads.mapping import Column, Expression
from saas.reads.naming import order_values
from tests.reads.conftest import Toys
from tests.reads.toys import KEEPER, NOTE, SHOP, data_of, full_access, row_id

DOCUMENTS = 80
DEEPEST = 4
SHOP_FIELDS = [field.name for field in SHOP.fields if isinstance(field, Column | Expression)]
SHOP_FIELDS += ["id", "__typename", "phone { value masked }"]
CONDITIONS = [
    "rank: {gte: 3}",
    "status: {eq: OPEN}",
    "keeper: {isNull: false}",
    'name: {startsWith: "晨"}',
    'phone: {eq: "13800130004"}',
    'rent: {lt: "1005"}',
    "listed: {eq: false}",
]
GROUP_FIELDS = ["key", "count", "status", "level", "listed", "keeper { name }", "rent { sum }", "rank { sum avg min }"]
GROUP_ORDERS = ["COUNT_ASC", "KEY_ASC", "KEY_DESC", "RANK_SUM_DESC", "RENT_SUM_ASC"]


class Writer:
    """Writes documents over the toy types from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self._aliases = 0

    def document(self) -> str:
        roots = [self._root() for _ in range(self.random.randint(1, 3))]
        return "{ " + " ".join(f"{self._alias()}{root}" for root in roots) + " }"

    def access(self) -> AccessTable:
        """Full rights with holes: some fields denied, masked or by rows, some types narrowed."""
        fields = full_access().fields
        changed = {name: self._right(right) for name, right in fields.items()}
        scopes = {
            item.name: frozenset(self.random.choice([["all"], ["all"], ["self"], ["open", "self"], []]))
            for item in (SHOP, KEEPER, NOTE)
        }
        return full_access(fields=changed, scopes=scopes)

    def _right(self, right: FieldRight) -> FieldRight:
        rows = FieldRight(FieldAccess.ROWS, frozenset(self._some(["self", "open"], 2)))
        return self.random.choices([right, DENIED, rows, MASKED], weights=[14, 2, 3, 1])[0]

    def _alias(self) -> str:
        self._aliases += 1
        return f"x{self._aliases}: "

    def _some(self, items: list[str], most: int) -> list[str]:
        return self.random.sample(items, self.random.randint(1, min(most, len(items))))

    def _root(self) -> str:
        kind = self.random.choice(["shops", "keepers", "shopGroups"])
        if kind != "shopGroups":
            return kind + self._connection({"shops": "Shop", "keepers": "Keeper"}[kind], 0)
        by = self.random.choice(["STATUS", "LEVEL", "LISTED", "KEEPER", "RANK"])
        order = self.random.choice(["", f"orderBy: {self.random.choice(GROUP_ORDERS)}"])
        fields = " ".join(self._some(GROUP_FIELDS, 5))
        return f"{kind}(groupBy: {by}, first: 3, {order} {self._filter('Shop')}) {{ totalCount nodes {{ {fields} }} }}"

    def _filter(self, type_name: str) -> str:
        if type_name != "Shop" or self.random.random() < 0.6:
            return ""
        return f"filter: {{{self._condition(0)}}}"

    def _condition(self, depth: int) -> str:
        word = self.random.choice(["and", "or", "not", ""] if depth < 3 else [""])
        if word == "not":
            return f"not: {{{self._condition(depth + 1)}}}"
        if word:
            parts = [f"{{{self._condition(depth + 1)}}}" for _ in range(self.random.randint(0, 2))]
            return f"{word}: [{', '.join(parts)}]"
        return self.random.choice(CONDITIONS)

    def _connection(self, type_name: str, depth: int) -> str:
        orders = list(order_values({"Shop": SHOP, "Keeper": KEEPER, "Note": NOTE}[type_name]))
        order = self.random.choice(["", f"orderBy: [{', '.join(self._some(orders, 2))}]"])
        size = f"{self.random.choice(['first', 'last'])}: {self.random.randint(1, 5)}"
        summary = "summary { count rank { sum min } rent { sum max } }" if type_name == "Shop" else "summary { count }"
        info = " ".join(self._some(["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"], 4))
        members = [
            f"nodes {{ {self._object(type_name, depth + 1)} }}",
            f"edges {{ cursor node {{ {self._object(type_name, depth + 1)} }} }}",
            f"edges {{ node {{ {self._object(type_name, depth + 1)} }} }}",
            f"pageInfo {{ {info} }}",
            "totalCount",
            "__typename",
            summary,
        ]
        chosen = " ".join(self._alias() + member for member in self._some(members, 4))
        return f"({size} {order} {self._filter(type_name)}) {{ {chosen} }}"

    def _object(self, type_name: str, depth: int) -> str:
        fields = {"Shop": self._some(SHOP_FIELDS, 6), "Keeper": ["id", "name"], "Note": ["text", "writtenAt"]}[
            type_name
        ]
        for relation in {"Shop": ["keeper", "notes"], "Keeper": ["shops"], "Note": ["shop", "about"]}[type_name]:
            if depth < DEEPEST and self.random.random() < 0.4:
                fields = [*fields, self._alias() + self._relation(relation, depth + 1)]
        return " ".join(fields)

    def _relation(self, name: str, depth: int) -> str:
        if name == "about":
            shop, keeper = self._object("Shop", depth), self._object("Keeper", depth)
            return f"about {{ __typename ... on Shop {{ {shop} }} ... on Keeper {{ {keeper} }} }}"
        if name in ("notes", "shops"):
            return name + self._connection({"notes": "Note", "shops": "Shop"}[name], depth)
        return f"{name} {{ {self._object({'keeper': 'Keeper', 'shop': 'Shop'}[name], depth)} }}"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_documents_are_answered_or_refused(toys: Toys, seed: int) -> None:
    writer = Writer(seed)
    foreign = [row_id(kind, 100 + number).hex for kind in (1, 2, 3) for number in range(30)]
    answered = 0
    for _ in range(DOCUMENTS):
        text = writer.document()
        caller = toys.caller(writer.access(), employee_id=row_id(2, writer.random.randint(0, 1)))
        try:
            result = await toys.result(text, caller=caller)
        except FieldForbidden:
            continue
        answered += 1
        data_of(result)
        assert {error.code for error in result.errors} <= {ErrorCode.FIELD_FORBIDDEN}
        whole = b"".join(result.values.values()).decode()
        assert not any(row in whole for row in foreign)
        assert (await toys.result(text, caller=caller)).values == result.values
    assert answered > DOCUMENTS // 2
