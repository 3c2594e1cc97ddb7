import type { Command } from './command.ts';

/**
 * CatalogRow is what the list of commands shows of a command. The rest is loaded only when the command runs.
 */
export interface CatalogRow extends Pick<Command, 'name' | 'group' | 'summary'> {
  readonly load: () => Promise<Command>;
}

/** CATALOG lists every command without loading it, so the program starts several times as fast. To add a command, add its file and a row here. */
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
    summary: 'check whether the service can serve requests, for scripts and container health checks',
    load: async () => (await import('./commands/health.ts')).HEALTH,
  },
  {
    name: 'credential',
    group: 'Service',
    summary: 'create a secret for a caller, and its line for --auth-file',
    load: async () => (await import('./commands/credential.ts')).CREDENTIAL,
  },
  {
    name: 'list',
    group: 'Service',
    summary: 'list the clusters of the service, newest first (operators only)',
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
    summary: 'import the tokens of an export, or of a Go discovery service, into a store',
    load: async () => (await import('./data/import.ts')).IMPORT,
  },
  {
    name: 'backup',
    group: 'Data',
    summary: "copy the embedded store's data to a file while the service runs",
    load: async () => (await import('./data/backup.ts')).BACKUP,
  },
  {
    name: 'restore',
    group: 'Data',
    summary: 'restore a backup into a data directory',
    load: async () => (await import('./data/restore.ts')).RESTORE,
  },
  {
    name: 'check',
    group: 'Data',
    summary: "check the embedded store's data or a backup for damage",
    load: async () => (await import('./data/check.ts')).CHECK,
  },
  {
    name: 'new',
    group: 'Tokens',
    summary: 'create a token for a new cluster',
    load: async () => (await import('./commands/new.ts')).NEW,
  },
  {
    name: 'show',
    group: 'Tokens',
    summary: 'show a cluster, its progress and its members',
    load: async () => (await import('./commands/show.ts')).SHOW,
  },
  {
    name: 'list-members',
    group: 'Tokens',
    summary: 'list the members of a cluster in order of rank',
    load: async () => (await import('./commands/list-members.ts')).LIST_MEMBERS,
  },
  {
    name: 'watch',
    group: 'Tokens',
    summary: 'watch a cluster assemble: which nodes registered, when, and how many are missing',
    load: async () => (await import('./commands/watch.ts')).WATCH,
  },
  {
    name: 'wait',
    group: 'Tokens',
    summary: 'wait until a cluster is complete and print its initial cluster',
    load: async () => (await import('./commands/wait.ts')).WAIT,
  },
  {
    name: 'reopen',
    group: 'Tokens',
    summary: 'give a token a new lifetime, even if it has expired',
    load: async () => (await import('./commands/reopen.ts')).REOPEN,
  },
  {
    name: 'delete',
    group: 'Tokens',
    summary: 'delete a token permanently',
    load: async () => (await import('./commands/delete.ts')).DELETE,
  },
  {
    name: 'flags',
    group: 'Nodes',
    summary: 'print the settings that start an etcd node with a token',
    load: async () => (await import('./commands/flags.ts')).FLAGS,
  },
  {
    name: 'register',
    group: 'Nodes',
    summary: 'register a node manually',
    load: async () => (await import('./commands/register.ts')).REGISTER,
  },
  {
    name: 'deregister',
    group: 'Nodes',
    summary: 'remove a member from a cluster that is assembling',
    load: async () => (await import('./commands/deregister.ts')).DEREGISTER,
  },
  {
    name: 'join-late',
    group: 'Nodes',
    summary: 'print how to add a node to a complete cluster',
    load: async () => (await import('./commands/join-late.ts')).JOIN_LATE,
  },
  {
    name: 'completion',
    group: 'Shell',
    summary: 'print the completion script for bash, zsh or fish',
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
