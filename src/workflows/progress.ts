import {defineQuery, setCurrentDetails, setHandler} from '@temporalio/workflow';
import {progressQuery, type RefreshProgress} from './messages.ts';

const query = defineQuery<RefreshProgress>(progressQuery);

/** Says where the run is: to the Web UI as a list, and to whoever asks by the query. */
export type Show = (
  phase: RefreshProgress['phase'],
  details: readonly string[],
  apply?: RefreshProgress['apply'],
) => void;

export function startProgress(table: string): Show {
  let now: RefreshProgress = {table, phase: 'choose', details: [], apply: null};
  setHandler(query, () => now, {description: 'Where this refresh is now'});
  return (phase, details, apply = null) => {
    now = {table, phase, details, apply};
    setCurrentDetails([`**${table}** – ${phase}`, '', ...details.map((line) => `- ${line}`)].join('\n'));
  };
}
