"""Names as they are kept, and the keys they sort by."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from saas.kernel import BadUserInput
from saas.people import clean_name, clean_optional, name_key, person_name_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("上海 ABC", "shang hai abc"),
        ("ＡＢＣ 贸易", "abc mao yi"),
        ("北京银行", "bei jing yin hang"),
        ("O'Neil & Söhne", "o'neil & söhne"),
        ("", ""),
    ],
)
def test_names_sort_by_pinyin(name: str, key: str) -> None:
    assert name_key(name) == key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("单伟", "shan wei"),
        ("曾国强", "zeng guo qiang"),
        ("尉迟恭", "yu chi gong"),
        ("单于", "chan yu"),
        ("王单", "wang dan"),
        ("区", "ou"),
        ("Ann Lee", "ann lee"),
    ],
)
def test_surnames_are_read_as_surnames(name: str, key: str) -> None:
    assert person_name_key(name) == key


@given(st.text(max_size=400))
def test_keys_are_bounded_lower_case_and_stable(name: str) -> None:
    for key in (name_key(name), person_name_key(name)):
        assert len(key) <= 300
        assert key == key.strip()
        assert "  " not in key
    assert name_key(name) == name_key(name)


def test_longest_name_still_has_a_key() -> None:
    assert name_key("庄" * 200) == ("zhuang " * 200)[:300]


@pytest.mark.parametrize(("text", "name"), [("  单   伟 ", "单 伟"), ("a\tb", "a b"), ("\u3000伟\u3000", "伟")])
def test_outer_and_doubled_spaces_go(text: str, name: str) -> None:
    assert clean_name(text, field="name") == name


def test_names_are_neither_empty_nor_too_long() -> None:
    with pytest.raises(BadUserInput) as refused:
        clean_name(" ", field="ownerName")
    assert (refused.value.key, refused.value.field) == ("people.name_empty", ("input", "ownerName"))
    with pytest.raises(BadUserInput) as refused:
        clean_name("x" * 101, field="name")
    assert refused.value.values == {"length": 101, "longest": 100}
    assert clean_name("x" * 100, field="name") == "x" * 100


@pytest.mark.parametrize("text", [None, "", " \n "])
def test_optional_text_may_be_left_out(text: str | None) -> None:
    assert clean_optional(text, field="position", longest=5) is None


@given(st.text(alphabet=st.sampled_from("重庆银行长乐单于女〇A1 　·\u200b"), max_size=30))
def test_words_are_read_as_in_the_whole_name(name: str) -> None:
    whole = " ".join(lazy_pinyin(unicodedata.normalize("NFKC", name)))
    assert name_key(name) == " ".join(whole.split()).lower()
