import {defineQuery, setCurrentDetails, setHandler} from '@temporalio/workflow';
import {progressQuery, type RefreshProgress} from './messages.ts';

const query = defineQuery<RefreshProgress>(progressQuery);

/** Says where the run is: to the Web UI as a list, and to whoever asks by the query. */
export type Show = (
  phase: RefreshProgress['phase'],
  details: readonly string[],
  apply?: RefreshProgress['apply'],
) => void;

export function startProgress(title: string): Show {
  let now: RefreshProgress = {phase: 'choose', details: [], apply: null};
  setHandler(query, () => now, {description: 'Where this refresh is now'});
  return (phase, details, apply = null) => {
    now = {phase, details, apply};
    setCurrentDetails([`**${title}** – ${phase}`, '', ...details.map((line) => `- ${line}`)].join('\n'));
  };
}
