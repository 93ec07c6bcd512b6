"""A believable company, made from a seed: the same seed and day give the same people, customers and history.

Pure: no database, no clock. Names are put together from common surnames and characters; districts are real
administrative divisions (GB/T 2260 codes); phone numbers use prefixes with a middle part of zeros that no
operator has given out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from saas.kernel import uuid7_from

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文慧建国志玉婷宇晨浩然欣怡子轩梓涵思雨嘉诚"
DISTRICTS = (
    ("110105", "北京市朝阳区"),
    ("110108", "北京市海淀区"),
    ("310104", "上海市徐汇区"),
    ("310115", "上海市浦东新区"),
    ("440106", "广州市天河区"),
    ("440305", "深圳市南山区"),
    ("330106", "杭州市西湖区"),
    ("320106", "南京市鼓楼区"),
    ("510107", "成都市武侯区"),
    ("420106", "武汉市武昌区"),
    ("610113", "西安市雁塔区"),
    ("500112", "重庆市渝北区"),
)
FIRST = (
    "华",
    "中",
    "恒",
    "鑫",
    "瑞",
    "盛",
    "天",
    "金",
    "新",
    "嘉",
    "宏",
    "安",
    "德",
    "万",
    "东",
    "南",
    "海",
    "凯",
    "远",
    "博",
)
SECOND = (
    "信",
    "达",
    "通",
    "泰",
    "源",
    "丰",
    "阳",
    "科",
    "瑞",
    "宇",
    "诚",
    "光",
    "辰",
    "润",
    "禾",
    "联",
    "创",
    "和",
    "利",
    "凌",
)
TRADES = (
    ("建材", "建筑材料"),
    ("医疗器械", "医药健康"),
    ("食品", "食品饮料"),
    ("机电设备", "机械制造"),
    ("软件", "信息技术"),
    ("物流", "交通运输"),
    ("服饰", "纺织服装"),
    ("教育咨询", "教育培训"),
    ("环保科技", "环保能源"),
    ("餐饮管理", "餐饮住宿"),
)
LEVELS = ("A", "B", "B", "C", "C", "C", "D")
SOURCES = ("展会", "官网", "转介绍", "电话拓展", "广告")
DEPARTMENTS = (
    ("销售中心", None),
    ("华北大区", "销售中心"),
    ("华东大区", "销售中心"),
    ("华南大区", "销售中心"),
    ("华北一部", "华北大区"),
    ("华东一部", "华东大区"),
    ("华东二部", "华东大区"),
    ("华南一部", "华南大区"),
    ("人力资源部", None),
    ("财务部", None),
)
SALES_TEAMS = ("华北一部", "华东一部", "华东二部", "华南一部")
NOTES = {
    "call": (
        "电话确认需求，客户要求下周发报价",
        "回访使用情况，客户反馈良好",
        "电话约定下次拜访时间",
        "沟通付款计划，客户表示本月内安排",
    ),
    "visit": ("上门演示产品，采购负责人到场", "拜访总经理，确认年度框架意向", "现场勘察，收集安装条件"),
    "meeting": ("线上评审方案，客户提出三点修改", "商务谈判，就账期达成一致"),
    "message": ("微信发送案例资料，客户已读", "发送合同草稿，等待法务意见"),
    "note": ("客户预算下季度审批，保持联系即可", "竞争对手已报价，需要尽快跟上"),
}
KINDS = ("call", "call", "call", "visit", "meeting", "message", "message", "note")
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class DemoDepartment:
    """A department by name, below another by name or below the root."""

    id: UUID
    name: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class DemoEmployee:
    """A person; `role` is the access role that their invitation carries, empty for people who don't sign in."""

    id: UUID
    number: str
    name: str
    department: str
    position: str
    hired_on: date
    phone: str
    role: str


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer; `owner` is an index into the sales people, None in the pool."""

    id: UUID
    name: str
    short_name: str
    industry: str
    level: str
    source: str
    district_code: str
    district_name: str
    contact_name: str
    phone: str
    owner: int | None
    received_on: date | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DemoFollowUp:
    """A follow-up of a customer (by index) by a person (by index among the sales people)."""

    id: UUID
    customer: int
    author: int
    kind: str
    content: str
    occurred_at: datetime


class DemoCompany:
    """One company, made at once and always in the same order."""

    def __init__(self, *, today: date, seed: int = 20, people: int = 50, customers: int = 2000) -> None:
        self._random = random.Random(seed)  # noqa: S311 (a demonstration, not a draw)
        self.today = today
        self.departments = [DemoDepartment(self._id(today), *each) for each in DEPARTMENTS]
        self.employees = list(self._employees(people))
        self.sales = [person for person in self.employees if person.role in {"rep", "sales_manager"}]
        self.customers = list(self._customers(customers))
        self.follow_ups = list(self._history())

    def _id(self, on: date) -> UUID:
        instant = datetime.combine(on, time(9), UTC) + timedelta(milliseconds=self._random.randrange(1000))
        return uuid7_from(int(instant.timestamp() * 1000), self._random.getrandbits(74))

    def _name(self) -> str:
        given = self._random.sample(GIVEN, self._random.choice((1, 2, 2)))
        return self._random.choice(SURNAMES) + "".join(given)

    def _phone(self) -> str:
        return f"{self._random.choice(('138', '139', '150', '186', '188'))}0000{self._random.randrange(10_000):04d}"

    def _employees(self, people: int) -> Iterator[DemoEmployee]:
        for index in range(people):
            department, position, role = self._place(index, people)
            seniority = int(self._random.expovariate(1 / 700)) + 20
            yield DemoEmployee(
                id=self._id(self.today - timedelta(days=min(seniority, 3600))),
                number=f"{index + 2:04d}",
                name=self._name(),
                department=department,
                position=position,
                hired_on=self.today - timedelta(days=min(seniority, 3600)),
                phone=self._phone(),
                role=role,
            )

    def _place(self, index: int, people: int) -> tuple[str, str, str]:
        if index < len(SALES_TEAMS):
            return SALES_TEAMS[index], "销售经理", "sales_manager"
        if index >= people - 3:
            return "人力资源部", "人事专员", "hr_admin" if index == people - 1 else ""
        if index >= people - 6:
            return "财务部", "会计", ""
        return SALES_TEAMS[index % len(SALES_TEAMS)], "客户经理", "rep"

    def _customers(self, count: int) -> Iterator[DemoCustomer]:
        taken: set[str] = set()
        weights = [1 + 4 * math.exp(-n / 8) for n in range(len(self.sales))]
        for _ in range(count):
            trade, industry = self._random.choice(TRADES)
            code, district = self._random.choice(DISTRICTS)
            short = self._company_name(trade, district, taken)
            age = self._random.randrange(5, 1400)
            pooled = self._random.random() < 0.35
            owner = None if pooled else self._random.choices(range(len(self.sales)), weights)[0]
            held = min(age, int(self._random.expovariate(1 / 160)) + 1)
            created_on = self.today - timedelta(days=age)
            yield DemoCustomer(
                id=self._id(created_on),
                name=f"{district.removesuffix('区')[:2]}{short}{trade}有限公司",
                short_name=short,
                industry=industry,
                level=self._random.choice(LEVELS),
                source=self._random.choice(SOURCES),
                district_code=code,
                district_name=district,
                contact_name=self._name(),
                phone=self._phone(),
                owner=owner,
                received_on=None if pooled else self.today - timedelta(days=held),
                created_at=self._instant(created_on),
            )

    def _company_name(self, trade: str, district: str, taken: set[str]) -> str:
        while True:
            short = (
                self._random.choice(FIRST) + self._random.choice(SECOND) + self._random.choice(("", "", "世纪", "国际"))
            )
            if (key := f"{district[:2]}{short}{trade}") not in taken:
                taken.add(key)
                return short

    def _history(self) -> Iterator[DemoFollowUp]:
        """Twelve months of history ending today; diligence differs from person to person."""
        diligence = [0.4 + self._random.random() * 1.2 for _ in self.sales]
        for index, customer in enumerate(self.customers):
            if customer.owner is None or customer.received_on is None:
                continue
            first = max(customer.received_on, self.today - timedelta(days=365))
            on = first + timedelta(days=self._random.randrange(4))
            while on <= self.today:
                kind = self._random.choice(KINDS)
                at = self._instant(on)
                yield DemoFollowUp(self._id(on), index, customer.owner, kind, self._random.choice(NOTES[kind]), at)
                on += timedelta(days=1 + int(self._random.expovariate(diligence[customer.owner] / 14)))

    def _instant(self, on: date) -> datetime:
        if on == self.today:  # early enough that it has happened, whenever the demonstration runs
            return datetime.combine(on, time(0), ZONE)
        return datetime.combine(on, time(9 + self._random.randrange(9), self._random.randrange(60)), ZONE)
