import type { Command } from './command.ts';

/** The part of a command that help shows. */
export type Row = Pick<Command, 'name' | 'group' | 'summary'>;

/** ROWS lists every command by its name, in the order of help. They are loaded at every start, so there is no more in them. */
export const ROWS = named({
  serve: { group: 'Service', summary: 'run the discovery service' },
  health: {
    group: 'Service',
    summary: 'check whether the service can serve requests, for scripts and container health checks',
  },
  credential: { group: 'Service', summary: 'create a secret for a caller, and its line for --auth-file' },
  list: { group: 'Service', summary: 'list the clusters of the service, newest first (operators only)' },
  export: { group: 'Data', summary: 'write the live tokens of a store to a file' },
  import: {
    group: 'Data',
    summary: 'import the tokens of an export, or of a Go discovery service, into a store',
  },
  backup: { group: 'Data', summary: "copy the embedded store's data to a file while the service runs" },
  restore: { group: 'Data', summary: 'restore a backup into a data directory' },
  check: { group: 'Data', summary: "check the embedded store's data or a backup for damage" },
  new: { group: 'Tokens', summary: 'create a token for a new cluster' },
  show: { group: 'Tokens', summary: 'show a cluster, its progress and its members' },
  'list-members': { group: 'Tokens', summary: 'list the members of a cluster in order of rank' },
  watch: {
    group: 'Tokens',
    summary: 'watch a cluster assemble: which nodes registered, when, and how many are missing',
  },
  wait: { group: 'Tokens', summary: 'wait until a cluster is complete and print its initial cluster' },
  reopen: { group: 'Tokens', summary: 'give a token a new lifetime, even if it has expired' },
  delete: { group: 'Tokens', summary: 'delete a token permanently' },
  flags: { group: 'Nodes', summary: 'print the settings that start an etcd node with a token' },
  register: { group: 'Nodes', summary: 'register a node manually' },
  deregister: { group: 'Nodes', summary: 'remove a member from a cluster that is assembling' },
  'join-late': { group: 'Nodes', summary: 'print how to add a node to a complete cluster' },
  completion: { group: 'Shell', summary: 'print the completion script for bash, zsh or fish' },
  version: { group: 'Shell', summary: 'print the version of this program' },
});

export type CommandName = keyof typeof ROWS;

function named<Name extends string>(rows: Readonly<Record<Name, Omit<Row, 'name'>>>): Record<Name, Row> {
  const entries = Object.entries<Omit<Row, 'name'>>(rows);
  return Object.fromEntries(entries.map(([name, row]) => [name, { name, ...row }])) as Record<Name, Row>;
}
