import type { Command } from './command.ts';
import { completion } from './commands/completion.ts';
import { CREDENTIAL } from './commands/credential.ts';
import { DELETE } from './commands/delete.ts';
import { DEREGISTER } from './commands/deregister.ts';
import { FLAGS } from './commands/flags.ts';
import { HEALTH } from './commands/health.ts';
import { JOIN_LATE } from './commands/join-late.ts';
import { LIST } from './commands/list.ts';
import { LIST_MEMBERS } from './commands/list-members.ts';
import { NEW } from './commands/new.ts';
import { REGISTER } from './commands/register.ts';
import { REOPEN } from './commands/reopen.ts';
import { SHOW } from './commands/show.ts';
import { VERSION } from './commands/version.ts';
import { WAIT } from './commands/wait.ts';
import { WATCH } from './commands/watch.ts';
import { BACKUP } from './data/backup.ts';
import { CHECK } from './data/check.ts';
import { EXPORT } from './data/export.ts';
import { IMPORT } from './data/import.ts';
import { RESTORE } from './data/restore.ts';
import { SERVE } from './serve.ts';

/** In the table that it is made from. */
export const COMPLETION: Command = completion(() => COMMANDS);

/** Every command. A new one is a file of its own, a row here, and one in catalog.ts. */
export const COMMANDS: readonly Command[] = [
  SERVE,
  HEALTH,
  CREDENTIAL,
  LIST,
  EXPORT,
  IMPORT,
  BACKUP,
  RESTORE,
  CHECK,
  NEW,
  SHOW,
  LIST_MEMBERS,
  WATCH,
  WAIT,
  REOPEN,
  DELETE,
  FLAGS,
  REGISTER,
  DEREGISTER,
  JOIN_LATE,
  COMPLETION,
  VERSION,
];
