import {expect, test} from 'vitest';
import {explanation} from '../../src/cli/commands/explain.ts';
import {StatementError} from '../../src/cli/statement-error.ts';
import {FreshetError} from '../../src/errors.ts';

const mistake = new FreshetError('unknown_column', 'Odd.', {position: {line: 1, column: 8}});
const client = {explain: () => Promise.reject(mistake)};

test('a mistake in a query that was typed points into it', async () => {
  const subject = 'select regoin from orders';
  await expect(explanation(client, subject)).rejects.toEqual(new StatementError(mistake, subject));
});

test("a mistake in a table's stored query does not point into the table's name", async () => {
  await expect(explanation(client, 'main.totals')).rejects.toBe(mistake);
});
