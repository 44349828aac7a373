import {WorkflowNotFoundError, type Client} from '@temporalio/client';

/** The run id of an open workflow; null when none is open under that id. */
export async function runningRun(temporal: Client, workflowId: string): Promise<string | null> {
  try {
    const {status, runId} = await temporal.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' ? runId : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
