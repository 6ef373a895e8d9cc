"""The load generator: what it writes and what it takes for an answer."""

import asyncio
import json
from typing import cast

import pytest

from bench.load import COUNT_MARK, MARK, Connection, Load, Recipe

ITEM = json.dumps({"to": MARK, "text": "回音"}, ensure_ascii=False)
HEAD = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nServer: huiyin\r\n\r\n"


@pytest.mark.parametrize("batch", [pytest.param(1, id="alone"), pytest.param(3, id="in an array")])
def test_a_request_is_as_long_as_it_says_and_each_customer_is_another(batch: int) -> None:
    recipe = Recipe("/v1/messages", "hk_1", ITEM, batch, 40)
    seen = []
    for _ in range(2):
        octets, first = recipe.request()
        head, _, body = octets.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        value = json.loads(body)
        items = value if isinstance(value, list) else [value]
        assert items[0]["to"] == first
        seen += [item["to"] for item in items]
    assert seen == [f"13905{n:06}" for n in range(40, 40 + 2 * batch)]


def test_items_are_counted_and_their_customers_come_again() -> None:
    item = json.dumps({"to": MARK, "text": COUNT_MARK})
    recipe = Recipe("/v1/messages/batch", "hk_1", item, 2, 4, numbers=3)
    bodies = [json.loads(recipe.request()[0].partition(b"\r\n\r\n")[2]) for _ in range(2)]
    assert [(each["to"], each["text"]) for body in bodies for each in body] == [
        ("13905000001", "00000004"),
        ("13905000002", "00000005"),
        ("13905000000", "00000006"),
        ("13905000001", "00000007"),
    ]


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([HEAD + b"{}"], id="whole"),
        pytest.param([HEAD, b"{}"], id="body apart"),
        pytest.param([bytes((octet,)) for octet in HEAD + b"{}"], id="octet by octet"),
    ],
)
async def test_an_answer_counts_once_it_is_whole(pieces: list[bytes]) -> None:
    load = Load(Recipe("/v1/messages", "hk_1", ITEM, 1, 0), 1, 0.0)
    connection = Connection()
    connection.load = load
    connection.connection_made(cast(asyncio.BaseTransport, _Wire()))
    load.next_on(connection)
    for piece in pieces[:-1]:
        connection.data_received(piece)
    assert not load.done.done()
    connection.data_received(pieces[-1])
    await load.done
    assert load.accepted == 1


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        pytest.param(b'HTTP/1.1 200 OK\r\n\r\n{"accepted":2,"rejected":0,"data":[]}', 2, id="all taken"),
        pytest.param(b'HTTP/1.1 200 OK\r\n\r\n{"accepted":1,"rejected":1,"data":[]}', 0, id="one refused"),
        pytest.param(b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}", 0, id="unavailable"),
    ],
)
async def test_what_was_not_accepted_is_told(answer: bytes, accepted: int) -> None:
    load = Load(Recipe("/v1/messages/batch", "hk_1", ITEM, 2, 0), 1, 0.0)
    head, _, body = answer.partition(b"\r\n\r\n")
    load.answered(Connection(), head, body, 0.0)
    assert load.accepted == accepted
    assert bool(load.refused) is (accepted == 0)


class _Wire:
    """A transport that takes all."""

    def write(self, octets: bytes) -> None:
        pass
