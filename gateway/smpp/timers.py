"""How long a session waits for what. The clock itself comes from outside: `now` is seconds that only grow."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Seconds; None switches a timer off. SMPP 3.4 §7.2 names the first four."""

    #: From the connection to the bind (session_init_timer), and from the bind to its answer.
    bind_timeout: float | None = 10.0
    #: Silence of the peer after which it is asked whether it lives (enquire_link_timer).
    enquire_link: float | None = 30.0
    #: Nothing but enquire_link for so long: the session unbinds (inactivity_timer).
    inactivity: float | None = None
    #: A request without a response (response_timer).
    response_timeout: float = 30.0
    #: Requests waited for an answer and none was answered for so long: the link is dead, even if it
    #: answers enquire_link.
    answer_timeout: float | None = 90.0
    #: How long an unbind waits for what is in flight.
    drain_timeout: float = 30.0
