"""Numbers as people write them, held against Google's numbering plans."""

import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.msisdn import PLANS, bucket_of, mask, parse_msisdn


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("13905310001", id="plain"),
        pytest.param("+8613905310001", id="plus"),
        pytest.param("8613905310001", id="country code"),
        pytest.param("008613905310001", id="international prefix"),
        pytest.param("013905310001", id="trunk digit"),
        pytest.param("139 0531 0001", id="blanks"),
        pytest.param("+86-139-0531-0001", id="hyphens"),
        pytest.param("（８６）１３９０５３１０００１", id="full-width"),
        pytest.param("＋８６\u3000１３９０５３１０００１\n", id="full-width plus and blank"),
        pytest.param("\u202d13905310001\u202c", id="copied with direction marks"),
    ],
)
def test_all_ways_to_write_a_number_are_one_customer(raw: str) -> None:
    assert parse_msisdn(raw) == "8613905310001"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("", id="empty"),
        pytest.param("10086", id="short code"),
        pytest.param("053186666666", id="landline"),
        pytest.param("1390531000", id="a digit short"),
        pytest.param("139053100011", id="a digit long"),
        pytest.param("12905310001", id="no such prefix"),
        pytest.param("+13905310001", id="another country"),
        pytest.param("139O5310001", id="a letter"),
        pytest.param("13905310001,13905310002", id="two numbers"),
        pytest.param("١٣٩٠٥٣١٠٠٠١", id="digits of another script"),
        pytest.param("++8613905310001", id="two plus signs"),
    ],
)
def test_what_cannot_be_a_mobile_number_is_none(raw: str) -> None:
    assert parse_msisdn(raw) is None


@pytest.mark.parametrize(
    ("raw", "regions", "msisdn"),
    [
        pytest.param("0912 345 678", ("cn", "tw"), "886912345678", id="Taiwan at home"),
        pytest.param("+886912345678", ("cn", "tw"), "886912345678", id="Taiwan"),
        pytest.param("+852 9123 4567", ("cn", "hk"), "85291234567", id="Hong Kong"),
        pytest.param("07400 123456", ("gb",), "447400123456", id="Britain at home"),
        pytest.param("+1 (202) 555-0123", ("cn", "us"), "12025550123", id="America"),
        pytest.param("13905310001", ("cn", "us"), "8613905310001", id="the first region wins"),
        pytest.param("+85291234567", ("cn",), None, id="not configured"),
    ],
)
def test_regions_are_those_configured(raw: str, regions: tuple[str, ...], msisdn: str | None) -> None:
    assert parse_msisdn(raw, regions) == msisdn


def test_unknown_region_is_a_bug_and_says_so() -> None:
    with pytest.raises(KeyError, match="xx"):
        parse_msisdn("13905310001", ("xx",))


@pytest.mark.parametrize("region", PLANS)
def test_every_mobile_number_that_google_knows_is_read(region: str) -> None:
    chance = random.Random(region)
    mobile = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    example = phonenumbers.example_number_for_type(region.upper(), phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    found = 0
    for _ in range(1_500):
        digits = str(example.national_number)
        kept = chance.randrange(0, 4)
        digits = digits[:kept] + "".join(chance.choice("0123456789") for _ in digits[kept:])
        number = phonenumbers.PhoneNumber(country_code=example.country_code, national_number=int(digits))
        known = digits[0] != "0" and phonenumbers.number_type(number) in mobile
        if known and phonenumbers.region_code_for_number(number) == region.upper():
            found += 1
            raw = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if (region, digits[:1]) == ("tw", "4"):
                continue  # satellite numbers, which take no SMS
            assert parse_msisdn(raw, (region,)) == raw[1:], raw
    assert found > 50


@given(st.text())
def test_any_text_is_read_or_is_none(raw: str) -> None:
    msisdn = parse_msisdn(raw, tuple(PLANS))
    assert msisdn is None or (msisdn.isascii() and msisdn.isdigit() and len(msisdn) <= 15)


@given(st.from_regex(r"1[358][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86", "86", "0086"]))
def test_result_reads_as_itself(national: str, prefix: str) -> None:
    msisdn = parse_msisdn(prefix + national)
    if msisdn is not None:
        assert parse_msisdn(msisdn) == msisdn


@pytest.mark.parametrize(
    ("msisdn", "masked"),
    [
        pytest.param("8613905310001", "139****0001", id="home"),
        pytest.param("85291234567", "852****4567", id="abroad"),
        pytest.param("10086", "****86", id="too short to show"),
    ],
)
def test_mask_hides_the_middle(msisdn: str, masked: str) -> None:
    assert mask(msisdn) == masked


def test_bucket_is_the_same_for_ever() -> None:
    assert [bucket_of(f"861390531000{digit}") for digit in range(4)] == [153, 15, 181, 35]


@given(st.integers(10**10, 10**15))
def test_bucket_is_in_range(number: int) -> None:
    assert 0 <= bucket_of(str(number)) < 256
