import {expect, test} from 'vitest';
import {openAlerts} from '../src/alerts.ts';
import {freePort} from '../src/dev/free-port.ts';
import type {Alert} from '../src/workflows/messages.ts';
import {anAlertReceiver} from './support/alert-receiver.ts';

const alert: Alert = {
  ...{kind: 'missed_lag', id: 'dynamic-table:main.totals/alert/missed-lag', table: 'main.totals'},
  ...{at: '2026-01-01T00:02:00.000Z', message: 'main.totals is late.'},
  ...{targetLagSeconds: 60, lagSeconds: 120, freshAt: '2026-01-01T00:00:00.000Z'},
};

function post(receiver: {url: string; secret: string | undefined} | undefined): Promise<void> {
  const temporal = () => {
    throw new Error('nobody needs Temporal to post');
  };
  return openAlerts(temporal, 'queue', receiver).post(alert);
}

test('an alert is posted as JSON, and signed when there is a secret', async () => {
  await using made = await anAlertReceiver();
  await post(made.receiver);
  await post({url: made.receiver.url, secret: undefined});
  expect(made.posts.map((each) => each.alert)).toEqual([alert, alert]);
  expect(made.posts[0]?.headers).toMatchObject({
    'content-type': 'application/json',
    // By another implementation.
    'x-freshet-signature': 'sha256=0f3e7a867aced36b16685787698a32dfe0f7d9e5ca4873ed319ba9170001e0a4',
  });
  expect(made.posts[1]?.headers).not.toHaveProperty('x-freshet-signature');
});

test('a receiver that is not there or refuses is a temporary error, told without its address', async () => {
  await using made = await anAlertReceiver({refusals: 1});
  await expect(post(made.receiver)).rejects.toMatchObject({
    ...{type: 'unavailable', nonRetryable: false, message: 'The receiver of alerts answered 500.'},
  });
  await expect(post({url: `http://127.0.0.1:${await freePort()}/t0ken`, secret: 's3cret'})).rejects.toMatchObject({
    ...{type: 'unavailable', nonRetryable: false, message: "The receiver of alerts can't be reached: ECONNREFUSED"},
  });
});

test('without a receiver nothing is posted, and no workflow is started', async () => {
  await post(undefined);
  const temporal = () => {
    throw new Error('nobody needs Temporal');
  };
  await openAlerts(temporal, 'queue', undefined).raise(alert);
});
