"""What an SMSC does, found out by asking it: bounded questions, one number, and a profile of the answers."""

from gateway.esme.probe.findings import Findings
from gateway.esme.probe.run import messages_planned, probe
from gateway.esme.probe.target import Bounds, Target

__all__ = ["Bounds", "Findings", "Target", "messages_planned", "probe"]
