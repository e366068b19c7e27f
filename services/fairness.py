"""Who is served next: the member with the fewest jobs at the provider, and among equals whoever waits longest."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heapreplace

from db.provider_jobs import Waiting


def serving_order(waiting: Sequence[Waiting], in_flight: Mapping[int, int]) -> list[Waiting]:
    """The waiting jobs (given oldest first) in the order in which they will be taken.

    It is what happens if slots come free one by one and nobody else comes; a member's own jobs stay in order.
    """
    queues: defaultdict[int, deque[tuple[int, Waiting]]] = defaultdict(deque)
    for age, job in enumerate(waiting):
        queues[job.member_id].append((age, job))
    turns = [(in_flight.get(member, 0), queue[0][0], member) for member, queue in queues.items()]
    heapify(turns)
    order: list[Waiting] = []
    while turns:
        jobs, _, member = turns[0]
        order.append(queues[member].popleft()[1])
        if queues[member]:
            heapreplace(turns, (jobs + 1, queues[member][0][0], member))
        else:
            heappop(turns)
    return order
