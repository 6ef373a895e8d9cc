"""The probe at an SMSC of another house, node-smpp's: it finds out what that script is known to do."""

from gateway.esme.probe import Bounds, Target, probe
from tests.interop.test_node_smpp import other_smsc

BOUNDS = Bounds(pace=0.005, answer=1.0, receipt=2.0, rate=40, spell=0.5, binds=3, whole=60.0)


async def test_the_probe_finds_out_what_node_smpp_does() -> None:
    async with other_smsc() as smsc:
        port = (await smsc.wait_for("listening"))[0]["port"]
        target = Target(
            host="127.0.0.1",
            port=port,
            system_id="huiyin",
            password="secret",
            to="8613905310001",
            sender="10086",
        )
        findings = await probe(target, BOUNDS)
        submitted = [event for event in smsc.events if event["event"] == "submit"]
    said = {line.question: line for line in findings.lines}
    assert said["bind_transceiver"].ours == "accepted, as node, no sc_interface_version"
    assert said["bind_transceiver"].stock == "accepted"
    assert said["bind_transmitter"].ours == "no answer, or the connection was closed"
    assert said["a plain message"].ours == "taken"
    assert str(said["a plain message"].stock).startswith("taken as ABC")
    assert said["ids in responses"].ours.endswith("hex, upper case, 6 signs")
    assert said["receipted_message_id and message_state"].ours == "no"
    assert said["parts of a long text"].ours == "reported: each"
    assert {habit.path for habit in findings.habits} <= {"zone"}
    assert {event["to"] for event in submitted} == {"8613905310001"}
    assert len(submitted) == findings.messages
