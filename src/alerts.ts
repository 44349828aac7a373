import {createHmac} from 'node:crypto';
import {WorkflowExecutionAlreadyStartedError, type Client} from '@temporalio/client';
import {ApplicationFailure, WorkflowIdReusePolicy} from '@temporalio/common';
import type {Alerts} from './activities/deps.ts';
import type {AlertReceiver} from './config.ts';
import {workflowTypes, type Alert} from './workflows/messages.ts';

const answerSeconds = 10;

/**
 * Alerts as workflows: one for each id, which posts it until it is taken. Neither the receiver's address nor the secret ever
 * gets into them.
 */
export function openAlerts(temporal: () => Client, taskQueue: string, receiver: AlertReceiver | undefined): Alerts {
  if (receiver === undefined) return {raise: () => Promise.resolve(), post: () => Promise.resolve()};
  return {
    raise: async (alert) => {
      try {
        await temporal().workflow.start(workflowTypes.alert, {
          workflowId: alert.id,
          workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
          taskQueue,
          args: [alert],
          staticSummary: `${alert.kind}: ${alert.table}`.slice(0, 150),
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },
    post: (alert) => post(receiver, alert),
  };
}

async function post({url, secret}: AlertReceiver, alert: Alert): Promise<void> {
  const body = JSON.stringify(alert);
  const response = await fetch(url, {
    method: 'POST',
    headers: {'content-type': 'application/json', ...(secret === undefined ? {} : signature(secret, body))},
    body,
    // Followed, a POST would become a GET.
    redirect: 'manual',
    signal: AbortSignal.timeout(answerSeconds * 1000),
  }).catch((error: unknown) => {
    throw unavailable(`The receiver of alerts can't be reached: ${reason(error)}`);
  });
  await response.body?.cancel();
  if (!response.ok) throw unavailable(`The receiver of alerts answered ${response.status}.`);
}

function signature(secret: string, body: string): Record<string, string> {
  return {'x-freshet-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`};
}

/** What can be told without the address, which may hold a secret. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return `no answer within ${answerSeconds} seconds`;
  const {cause} = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
}

function unavailable(message: string): ApplicationFailure {
  return ApplicationFailure.retryable(message, 'unavailable');
}
