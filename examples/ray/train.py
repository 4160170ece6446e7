"""One Lockstep run over a Ray cluster: an actor for each node, `lockstep launch` in each.

    python examples/ray/train.py --nodes 3 --cpus 4 -- net19k --epochs 2 --checkpoint /shared/ckpt

What stands behind -- is what `lockstep launch` takes. Ray places the actors and starts those again that die; the secret
travels as a variable through Ray. The result has the bits of one process.
"""

import argparse
import os
import secrets
import shlex
import socket
import subprocess
import sys

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

# Ended by a signal: to be started again.
PREEMPTED = 75
MOST_STARTS = 10


@ray.remote
class Node:
    """A process of the run, on whatever machine Ray has put it."""

    def address(self) -> str:
        """Where the others reach this one, if it is rank 0: a port that is free now."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{probe.getsockname()[1]}"

    def run(self, command: list[str], variables: dict[str, str]) -> int:
        """Runs to the end; what it prints goes to the driver, as all that actors print."""
        for _ in range(MOST_STARTS):
            code = subprocess.run(command, env={**os.environ, **variables}, check=False).returncode
            if code != PREEMPTED:
                return code
        return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=2, help="actors, each a process of the run")
    parser.add_argument("--cpus", type=int, default=1, help="cores, and workers, of each")
    parser.add_argument("--lockstep", default="lockstep", help="the program, as words of a shell")
    parser.add_argument("--strategy", default="SPREAD", help="how Ray places them: SPREAD, STRICT_SPREAD, PACK")
    parser.add_argument("arguments", nargs="*", help="MODEL and flags of lockstep launch, behind --")
    asked = parser.parse_args()

    # on the cluster of RAY_ADDRESS, else on this machine alone
    ray.init()
    group = placement_group([{"CPU": asked.cpus}] * asked.nodes, strategy=asked.strategy)
    ray.get(group.ready())
    nodes = [
        Node.options(
            num_cpus=asked.cpus,
            # with a dead machine its actor goes to another one, and joins the run again
            max_restarts=MOST_STARTS,
            max_task_retries=MOST_STARTS,
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank),
        ).remote()
        for rank in range(asked.nodes)
    ]
    shared = {
        "LOCKSTEP_SIZE": str(asked.nodes),
        "LOCKSTEP_COORDINATOR": ray.get(nodes[0].address.remote()),
        "LOCKSTEP_TOKEN": secrets.token_hex(32),
        "LOCKSTEP_WORKERS": str(asked.cpus),
    }
    command = [*shlex.split(asked.lockstep), "launch", *asked.arguments]
    codes = ray.get([node.run.remote(command, {**shared, "LOCKSTEP_RANK": str(rank)}) for rank, node in enumerate(nodes)])
    ray.shutdown()
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
