import { ClusterState } from '../../../gen/discovery/v1/cluster_pb.ts';
import {
  DEFAULT_CLIENT_PORT,
  DEFAULT_DATA_DIR,
  DEFAULT_PEER_PORT,
  ETCD_SERIES,
  parseNodeIp,
} from '../../etcd/start/node.ts';
import { shellWord } from '../../etcd/start/shell-word.ts';
import { START_FORMATS, startText } from '../../etcd/start/text.ts';
import { UNPRINTABLE } from '../../etcd/text.ts';
import { count, oneOf, parsePath } from '../../settings/tables/setting.ts';
import { clientCommand } from '../client-command.ts';
import { notForOthers } from '../text/nodes.ts';
import { NODE_NAME } from './register.ts';

export const FLAGS = clientCommand({
  name: 'flags',
  group: 'Nodes',
  summary: 'print how to start an etcd node with a token, to paste',
  details:
    'The URL of the service is printed as --server, DISC_SERVER or the URL of the token says it: it has to be the one by which the node reaches the service.',
  args: ['TOKEN'],
  flags: {
    etcd: {
      flag: 'etcd',
      value: ETCD_SERIES.join('|'),
      ...oneOf(...ETCD_SERIES),
      required: true,
      help: "The node's version of etcd.",
    },
    name: NODE_NAME,
    ip: {
      flag: 'ip',
      value: 'ADDRESS',
      takes: 'an IP address like 10.0.0.1 or fd00::1, and one that the other nodes can reach',
      parse: parseNodeIp,
      required: true,
      help: 'Where the other nodes reach it.',
    },
    format: {
      flag: 'format',
      short: 'f',
      value: 'FORMAT',
      ...oneOf(...START_FORMATS),
      default: 'flags',
      help: 'flags (a command), env (a file of variables), yaml (for --config-file), systemd (a unit), compose, or kubernetes (a static pod).',
    },
    mixed: {
      flag: 'mixed',
      help: 'The cluster has nodes of 3.4 or 3.5 beside nodes of 3.6 or 3.7: say it for all of them.',
    },
    dataDir: {
      flag: 'data-dir',
      value: 'DIR',
      takes: 'a directory',
      parse: parsePrintable,
      default: DEFAULT_DATA_DIR,
      help: 'Where it keeps its data.',
    },
    clientPort: port('client-port', DEFAULT_CLIENT_PORT, 'Where it serves its clients.'),
    peerPort: port('peer-port', DEFAULT_PEER_PORT, 'Where it serves the other nodes.'),
    caFile: {
      flag: 'node-cacert',
      value: 'FILE',
      takes: 'a file',
      parse: parsePrintable,
      help: "On the node: the CA of the service's certificate, when its machine does not know it.",
    },
  },
  examples: [
    'flags my-cluster --etcd 3.5 --name infra1 --ip 10.0.0.1',
    'flags my-cluster --etcd 3.7 --name infra1 --ip 10.0.0.1 --format systemd',
  ],
  async run({ flags, client, token, given, server, json, printJson, terminal, note }) {
    // A token that will not work is better told here than in the log of a node.
    const { cluster } = await client.listMembers({ token, refuseExpired: true });
    const { format, caFile, ...node } = flags;
    const service = { serviceUrl: server, token, ...(caFile !== undefined && { caFile }) };
    const text = startText({ ...node, ...service }, format);
    if (json) printJson({ format, text });
    else terminal.out(text);
    if (cluster?.state === ClusterState.COMPLETE) {
      note(
        `note: the cluster has all of its members; one more joins with: etcd-discovery join-late ${shellWord(given)}`,
      );
    }
    const remark = /^(127\.|::1$)/.test(node.ip) ? undefined : notForOthers(server);
    if (remark !== undefined) note(remark);
  },
});

/** A path that can stand in a line. */
function parsePrintable(text: string): string | undefined {
  return UNPRINTABLE.test(text) ? undefined : parsePath(text);
}

function port<const F extends string>(flag: F, preset: number, help: string) {
  return { flag, ...count(65_535), value: 'PORT', default: String(preset), help } as const;
}
