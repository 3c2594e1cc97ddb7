import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandSections, serviceFlagsTable } from './commands.ts';
import { codesTable, nextStepsTable, reasonsTable } from './errors.ts';
import { exitCodesTable } from './exit-codes.ts';
import { limitsMarkdown } from './limits.ts';
import { settingsTable } from './settings.ts';
import { v2CodesTable } from './v2-codes.ts';

/** The generated parts of the reference, by the name of the page and of the part. */
const PARTS: Readonly<Record<string, Readonly<Record<string, () => string | Promise<string>>>>> = {
  'settings.md': { settings: settingsTable },
  'commands.md': {
    'exit-codes': exitCodesTable,
    'service-flags': serviceFlagsTable,
    commands: () => commandSections(['Service', 'Tokens', 'Shell']),
  },
  'node-commands.md': { 'node-commands': () => commandSections(['Nodes']) },
  'data-commands.md': { 'data-commands': () => commandSections(['Data']) },
  'http.md': { v2: v2CodesTable },
  'errors.md': { reasons: reasonsTable, codes: codesTable, 'next-steps': nextStepsTable },
  'limits.md': { limits: limitsMarkdown },
};

export interface Page {
  readonly path: string;
  /** The content of the file. */
  readonly found: string;
  /** The content that it should have. */
  readonly wanted: string;
}

/** Returns every reference page with generated parts. Reads them from the working directory, which is the clone. */
export async function referencePages(): Promise<Page[]> {
  return Promise.all(
    Object.entries(PARTS).map(async ([name, parts]) => {
      const path = join('docs', 'reference', name);
      const found = readFileSync(path, 'utf8');
      let wanted = found;
      for (const [part, make] of Object.entries(parts)) wanted = withPart(path, wanted, part, await make());
      return { path, found, wanted };
    }),
  );
}

/** Replaces the part between its marks. */
function withPart(path: string, text: string, part: string, made: string): string {
  const [begin, end] = [`<!-- begin ${part} -->\n`, `<!-- end ${part} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no marks for ${part}`);
  return `${text.slice(0, from)}${begin}\n${made}\n\n${text.slice(to)}`;
}
