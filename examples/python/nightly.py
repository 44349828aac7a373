"""A workflow in Python that refreshes a dynamic table as a step of its work: any worker with Freshet does it.

pip install temporalio; python nightly.py TASK_QUEUE TABLE
"""

import asyncio
import json
import sys

from temporalio import workflow
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker


@workflow.defn
class Nightly:
    @workflow.run
    async def run(self, task_queue: str, table: str) -> dict:
        # The task queue is the one that Freshet's worker serves: "freshet" where nobody has named another.
        return await workflow.execute_child_workflow(
            "refreshDynamicTable", {"table": table}, task_queue=task_queue
        )


async def main(task_queue: str, table: str) -> None:
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    async with Worker(client, task_queue="nightly", workflows=[Nightly]):
        refresh = await client.execute_workflow(
            Nightly.run, args=[task_queue, table], id=f"nightly/{table}", task_queue="nightly"
        )
    print(json.dumps(refresh))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
