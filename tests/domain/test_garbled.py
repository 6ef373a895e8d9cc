import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.garbled import is_garbled

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=4)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("8\ufffd", id="replaced"),
        pytest.param("8\ue000", id="private use"),
        pytest.param("8\u0378", id="unassigned"),
        pytest.param("8\ud83d", id="half of a pair"),
        pytest.param("8\x88", id="a control of Latin-1"),
        pytest.param("8分，很好".encode("gbk").decode("latin-1"), id="GBK as Latin-1"),
        pytest.param("8分，很好".encode().decode("latin-1"), id="UTF-8 as Latin-1"),
        pytest.param("8分，谢谢".encode().decode("cp1252", "replace"), id="UTF-8 as Windows-1252"),
        pytest.param("8，好的".encode().decode("gbk", "ignore"), id="UTF-8 as GBK"),
        pytest.param("8分".encode().decode("latin-1"), id="one letter"),
        pytest.param("锟斤拷8", id="a replaced sign as GBK"),
    ],
)
def test_text_read_in_the_wrong_encoding_is_seen(text: str) -> None:
    assert is_garbled(text)


@pytest.mark.parametrize(
    "text",
    [
        "8分，很好！",
        "8 très bien",
        "Größe 8",
        "¿8? ¡Sí!",
        "atenção 8",
        "8👍🏻",
        "8\U0001fae8",
        "⑧",
        "8½",
        "8️⃣",
        "٨",
        "联通",
        "8 °C",
    ],
)
def test_what_people_write_is_not_garbled(text: str) -> None:
    assert not is_garbled(text)


@given(text=HAN)
def test_utf_8_read_as_gbk_is_seen(text: str) -> None:
    try:
        misread = text.encode().decode("gbk")
    except UnicodeDecodeError:
        return
    assert is_garbled(f"8{misread}")
