"""Who is served next: the member with the fewest jobs at the provider, and among equals whoever waits longest."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heapreplace

from db.generations import Waiting


def serving_order(waiting: Sequence[Waiting], in_flight: Mapping[int, int]) -> list[int]:
    """The ids of the waiting generations (given oldest first) in the order in which they will be taken.

    It is what happens if slots come free one by one and nobody else comes; a member's own requests stay in order.
    """
    queues: defaultdict[int, deque[int]] = defaultdict(deque)
    for generation in waiting:
        queues[generation.member_id].append(generation.id)
    turns = [(in_flight.get(member, 0), queue[0], member) for member, queue in queues.items()]
    heapify(turns)
    order: list[int] = []
    while turns:
        jobs, generation_id, member = turns[0]
        order.append(generation_id)
        queues[member].popleft()
        if queues[member]:
            heapreplace(turns, (jobs + 1, queues[member][0], member))
        else:
            heappop(turns)
    return order
