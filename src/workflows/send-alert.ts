import {failOnce} from './fail-once.ts';
import type {Alert} from './messages.ts';
import {postAlert} from './proxies.ts';

/** Tells the receiver of alerts, again and again until it has taken it: a refresh waits for nobody to listen. */
export async function sendAlert(alert: Alert): Promise<void> {
  return failOnce(() => postAlert.executeWithOptions({summary: `${alert.kind}: ${alert.table}`}, [alert]));
}
