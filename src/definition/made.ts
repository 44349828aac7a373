import {TokenReader} from './token-reader.ts';

/** The bare name of the table, view or schema that a statement of plain SQL creates, by its first words; null for any other. */
export function nameMade(text: string): string | null {
  const reader = new TokenReader(text);
  if (!reader.takeWords('CREATE')) return null;
  reader.takeWords('OR', 'REPLACE');
  if (!['TABLE', 'VIEW', 'SCHEMA'].some((word) => reader.takeWords(word))) return null;
  reader.takeWords('IF', 'NOT', 'EXISTS');
  let name = reader.expectName('a name');
  while (reader.takeSymbol('.')) name = reader.expectName('a name');
  return name;
}
