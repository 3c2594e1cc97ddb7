import type { Command } from './command.ts';
import { type CommandName, ROWS, type Row } from './rows.ts';

/** CatalogRow is a row of the list of commands. The rest is loaded only when the command runs. */
export interface CatalogRow extends Row {
  readonly load: () => Promise<Command>;
}

const LOADERS: Readonly<Record<CommandName, CatalogRow['load']>> = {
  serve: async () => (await import('./serve.ts')).SERVE,
  health: async () => (await import('./commands/health.ts')).HEALTH,
  credential: async () => (await import('./commands/credential.ts')).CREDENTIAL,
  list: async () => (await import('./commands/list.ts')).LIST,
  export: async () => (await import('./data/export.ts')).EXPORT,
  import: async () => (await import('./data/import.ts')).IMPORT,
  backup: async () => (await import('./data/backup.ts')).BACKUP,
  restore: async () => (await import('./data/restore.ts')).RESTORE,
  check: async () => (await import('./data/check.ts')).CHECK,
  new: async () => (await import('./commands/new.ts')).NEW,
  show: async () => (await import('./commands/show.ts')).SHOW,
  'list-members': async () => (await import('./commands/list-members.ts')).LIST_MEMBERS,
  watch: async () => (await import('./commands/watch.ts')).WATCH,
  wait: async () => (await import('./commands/wait.ts')).WAIT,
  reopen: async () => (await import('./commands/reopen.ts')).REOPEN,
  delete: async () => (await import('./commands/delete.ts')).DELETE,
  flags: async () => (await import('./commands/flags.ts')).FLAGS,
  register: async () => (await import('./commands/register.ts')).REGISTER,
  deregister: async () => (await import('./commands/deregister.ts')).DEREGISTER,
  'join-late': async () => (await import('./commands/join-late.ts')).JOIN_LATE,
  completion: async () => (await import('./commands/completion.ts')).completion(loadCommands),
  version: async () => (await import('./commands/version.ts')).VERSION,
};

/** CATALOG lists every command without loading it, so the program starts several times as fast. To add a command, add its file, a row and a loader. */
export const CATALOG: readonly CatalogRow[] = Object.values(ROWS).map((row) => ({
  ...row,
  load: LOADERS[row.name as CommandName],
}));

/** All of them, for what is made from the whole table. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(CATALOG.map(({ load }) => load()));
}
