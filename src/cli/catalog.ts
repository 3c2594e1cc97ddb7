import type { Command } from './command.ts';

/** A command as far as the list of commands tells of it; the rest is loaded for whoever calls it. */
export interface CatalogRow extends Pick<Command, 'name' | 'group' | 'summary'> {
  readonly load: () => Promise<Command>;
}

/** Every command. With none of them loaded, the program starts several times as fast. A new one is a file and a row here. */
export const CATALOG: readonly CatalogRow[] = [
  {
    name: 'serve',
    group: 'Service',
    summary: 'run the discovery service',
    load: async () => (await import('./serve.ts')).SERVE,
  },
  {
    name: 'health',
    group: 'Service',
    summary: 'say whether the service can serve requests, for scripts and the checks of containers',
    load: async () => (await import('./commands/health.ts')).HEALTH,
  },
  {
    name: 'credential',
    group: 'Service',
    summary: 'make a secret for a caller, and the line by which the service knows it',
    load: async () => (await import('./commands/credential.ts')).CREDENTIAL,
  },
  {
    name: 'list',
    group: 'Service',
    summary: 'list the clusters of the service, newest first; for its operators',
    load: async () => (await import('./commands/list.ts')).LIST,
  },
  {
    name: 'export',
    group: 'Data',
    summary: 'write the live tokens of a store to a file',
    load: async () => (await import('./data/export.ts')).EXPORT,
  },
  {
    name: 'import',
    group: 'Data',
    summary: 'put the tokens of an export, or of a Go discovery service, into a store',
    load: async () => (await import('./data/import.ts')).IMPORT,
  },
  {
    name: 'backup',
    group: 'Data',
    summary: "copy the embedded store's data to a file, while the service runs",
    load: async () => (await import('./data/backup.ts')).BACKUP,
  },
  {
    name: 'restore',
    group: 'Data',
    summary: 'put a backup into a data directory',
    load: async () => (await import('./data/restore.ts')).RESTORE,
  },
  {
    name: 'check',
    group: 'Data',
    summary: "check the embedded store's data, or a backup",
    load: async () => (await import('./data/check.ts')).CHECK,
  },
  {
    name: 'new',
    group: 'Tokens',
    summary: 'make a token for a new cluster',
    load: async () => (await import('./commands/new.ts')).NEW,
  },
  {
    name: 'show',
    group: 'Tokens',
    summary: 'show what a cluster is, how far it has come, and who is in it',
    load: async () => (await import('./commands/show.ts')).SHOW,
  },
  {
    name: 'list-members',
    group: 'Tokens',
    summary: 'list the members of a cluster, in order of rank',
    load: async () => (await import('./commands/list-members.ts')).LIST_MEMBERS,
  },
  {
    name: 'watch',
    group: 'Tokens',
    summary: 'watch a cluster assemble: who has registered, when, and how many are missing',
    load: async () => (await import('./commands/watch.ts')).WATCH,
  },
  {
    name: 'wait',
    group: 'Tokens',
    summary: 'wait until a cluster is complete, and print its initial cluster',
    load: async () => (await import('./commands/wait.ts')).WAIT,
  },
  {
    name: 'reopen',
    group: 'Tokens',
    summary: 'give a token a new lifetime from now on, also when it has expired',
    load: async () => (await import('./commands/reopen.ts')).REOPEN,
  },
  {
    name: 'delete',
    group: 'Tokens',
    summary: 'end a token, at once and for good',
    load: async () => (await import('./commands/delete.ts')).DELETE,
  },
  {
    name: 'flags',
    group: 'Nodes',
    summary: 'print how to start an etcd node with a token, to paste',
    load: async () => (await import('./commands/flags.ts')).FLAGS,
  },
  {
    name: 'register',
    group: 'Nodes',
    summary: 'register a node that does not do it itself',
    load: async () => (await import('./commands/register.ts')).REGISTER,
  },
  {
    name: 'deregister',
    group: 'Nodes',
    summary: 'take a member out of a cluster that assembles',
    load: async () => (await import('./commands/deregister.ts')).DEREGISTER,
  },
  {
    name: 'join-late',
    group: 'Nodes',
    summary: 'print how a node joins a cluster that is complete',
    load: async () => (await import('./commands/join-late.ts')).JOIN_LATE,
  },
  {
    name: 'completion',
    group: 'Shell',
    summary: 'print what makes bash, zsh or fish complete these commands',
    load: async () => (await import('./commands/completion.ts')).completion(loadCommands),
  },
  {
    name: 'version',
    group: 'Shell',
    summary: 'print the version of this program',
    load: async () => (await import('./commands/version.ts')).VERSION,
  },
];

/** All of them, for what is made from the whole table. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(CATALOG.map(({ load }) => load()));
}
