"""Pure decisions of the identity room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.identity.errors import EmailMalformed, NameMalformed, PasswordTooWeak, RoleMalformed
from saas.identity.rules import (
    RefreshVerdict,
    Throttled,
    judge_refresh,
    lock_time,
    normal_email,
    normal_name,
    normal_roles,
    refuse_weak_password,
    ungrantable_roles,
)
from saas.identity.tokens import TokenKind, new_token, token_hash

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def test_delay_begins_at_the_fifth_failure_and_grows_to_a_quarter_of_an_hour() -> None:
    delays = [lock_time(Throttled.ACCOUNT_FROM_ADDRESS, failures) for failures in range(1, 13)]
    minutes = [None if delay is None else delay // timedelta(minutes=1) for delay in delays]
    assert minutes == [None, None, None, None, 1, 2, 4, 8, 15, 15, 15, 15]


def test_an_account_and_a_place_bear_more_failures_before_a_delay() -> None:
    assert lock_time(Throttled.ACCOUNT, 49) is None
    assert lock_time(Throttled.ACCOUNT, 50) == timedelta(minutes=1)
    assert lock_time(Throttled.ADDRESS, 99) is None
    assert lock_time(Throttled.ADDRESS, 100) == timedelta(minutes=1)


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("short", "identity.password_too_short"),
        ("elevenchars", "identity.password_too_short"),
        ("a" * 129, "identity.password_not_text"),
        ("correct horse\x00battery", "identity.password_not_text"),
        ("aaaabbbbaaaab", "identity.password_well_known"),
        ("PasswordPassword", "identity.password_well_known"),
        ("1qaz2wsx3edc", "identity.password_well_known"),
        ("li.ming@chenguang.cn!", "identity.password_holds_email"),
        ("my li.ming secret", "identity.password_holds_email"),
    ],
)
def test_weak_password_is_refused_with_its_reason(password: str, key: str) -> None:
    with pytest.raises(PasswordTooWeak) as refused:
        refuse_weak_password(password, email="li.ming@chenguang.cn")
    assert refused.value.key == key


@pytest.mark.parametrize("password", ["correct horse", "我们的客户都很喜欢春天", "li is fine here"])
def test_long_enough_sentence_is_a_password(password: str) -> None:
    if len(password) < 12:
        password += "和秋天"
    refuse_weak_password(password, email="li@chenguang.cn")


def test_refusal_of_a_short_password_tells_both_lengths() -> None:
    with pytest.raises(PasswordTooWeak) as refused:
        refuse_weak_password("nine char", email="li@chenguang.cn")
    assert refused.value.values == {"shortest": 12, "length": 9}


def test_email_is_trimmed_and_lower_case() -> None:
    assert normal_email("  Li.Ming@Chenguang.CN ") == "li.ming@chenguang.cn"


@pytest.mark.parametrize(
    "text",
    ["", "li", "li@", "@x.cn", "li@x", "li@@x.cn", "li ming@x.cn", "li@x.cn\x00", "a" * 65 + "@x.cn", "<li@x.cn>"],
)
def test_what_is_no_email_is_refused(text: str) -> None:
    with pytest.raises(EmailMalformed):
        normal_email(text)


@pytest.mark.parametrize("text", ["a@" + "a." * 120 + "<", "a." * 30 + "a@" + "a" * 60 + ".<", "a@" + "a" * 240])
def test_hostile_email_is_refused_without_delay(text: str) -> None:
    with pytest.raises(EmailMalformed):
        normal_email(text)


@given(st.text(max_size=300))
def test_email_of_any_text_is_normal_or_refused(text: str) -> None:
    try:
        email = normal_email(text)
    except EmailMalformed:
        return
    assert normal_email(email) == email
    assert email == email.lower()


def test_name_is_trimmed_and_bounded() -> None:
    assert normal_name(" 李明 ") == "李明"
    for text in ("", "  ", "a" * 101, "李\n明", "\ud800"):
        with pytest.raises(NameMalformed):
            normal_name(text)


def test_roles_are_sorted_once_and_checked() -> None:
    assert normal_roles(["rep", "hr_admin", "rep"]) == ("hr_admin", "rep")
    for roles in ([], ["Rep"], ["role:rep"], [""], ["a" * 41]):
        with pytest.raises(RoleMalformed):
            normal_roles(roles)


def test_only_an_owner_hands_out_administrative_roles() -> None:
    wanted = ["rep", "owner", "auditor", "consultant", "hr_admin", "sales_manager"]
    assert ungrantable_roles(["owner"], wanted) == ()
    assert ungrantable_roles(["hr_admin"], wanted) == ("auditor", "consultant", "hr_admin", "owner")
    assert ungrantable_roles(["hr_admin"], ["rep", "sales_manager"]) == ()


@pytest.mark.parametrize(
    ("used", "verdict"),
    [
        (None, RefreshVerdict.GOOD),
        (timedelta(0), RefreshVerdict.JUST_USED),
        (timedelta(seconds=10), RefreshVerdict.JUST_USED),
        (timedelta(seconds=10, microseconds=1), RefreshVerdict.REUSED),
    ],
)
def test_used_refresh_token_is_theft_after_ten_seconds(used: timedelta | None, verdict: RefreshVerdict) -> None:
    assert judge_refresh(None if used is None else NOW - used, now=NOW) is verdict


def test_token_is_hashed_only_as_the_kind_it_is() -> None:
    token = new_token(TokenKind.SESSION)
    assert token.startswith("fs_")
    assert len(token) == 25
    assert token_hash(token, TokenKind.SESSION) is not None
    assert token_hash(token, TokenKind.REFRESH) is None
    assert token_hash(token + "x", TokenKind.SESSION) is None
    assert token_hash("fs_" + "é" * 22, TokenKind.SESSION) is None
