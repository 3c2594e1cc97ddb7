import { answerFor, isRefusal } from '../../etcd/start/answer.ts';
import { answerJson } from '../../etcd/start/answer-json.ts';
import { answerText } from '../../etcd/start/answer-text.ts';
import { contradictionIn } from '../../etcd/start/check.ts';
import { MIXED, PARAMETERS } from '../../etcd/start/parameters.ts';
import { START_FORMATS } from '../../etcd/start/text.ts';
import { oneOf } from '../../settings/tables/setting.ts';
import { clientCommand } from '../client-command.ts';
import { EXIT, Failure } from '../exit.ts';
import { ROWS } from '../rows.ts';
import { notForOthers } from '../text/nodes.ts';

export const FLAGS = clientCommand({
  ...ROWS.flags,
  details:
    'The output depends on the state of the cluster. For a complete cluster, it says how to start a member with its data, how to replace a member, or how to add a new node with etcdctl. The output contains the URL of the service (from --server, DISC_SERVER or the URL of the token). The node must be able to reach the service at that URL.',
  args: ['TOKEN'],
  flags: {
    ...PARAMETERS,
    etcd: { ...PARAMETERS.etcd, required: true },
    name: { ...PARAMETERS.name, required: true },
    format: {
      flag: 'format',
      short: 'f',
      value: 'FORMAT',
      ...oneOf(...START_FORMATS),
      default: 'flags',
      help: 'Output format: flags (a command line), env (an environment file), yaml (for --config-file), systemd (a unit), compose, or kubernetes (a static pod).',
    },
    mixed: MIXED,
  },
  examples: [
    'flags my-cluster --etcd 3.5 --name infra1 --ip 10.0.0.1',
    'flags my-cluster --etcd 3.7 --name infra1 --ip 10.0.0.1 --format systemd',
    'flags my-cluster --etcd 3.7 --name infra1 --host infra1.example.com --peer-cert-file /etc/etcd/peer.pem --peer-key-file /etc/etcd/peer.key --peer-trusted-ca-file /etc/etcd/ca.pem',
  ],
  async run({ flags, client, token, server, json, printJson, terminal, note }) {
    const { format, data, ...node } = flags;
    if (node.ip === undefined && node.host === undefined) {
      throw new Failure(
        EXIT.WRONG,
        'flags requires --ip ADDRESS or --host HOST; see etcd-discovery flags --help',
      );
    }
    const wrong = contradictionIn(node, format);
    if (wrong !== undefined) throw new Failure(EXIT.WRONG, wrong);
    // An unusable token is better reported here than in the log of a node.
    const { cluster, members } = await client.listMembers({ token, refuseExpired: true });
    const { size = 0, formed = false } = cluster ?? {};
    const known = { complete: formed, size, members };
    const answer = answerFor({ ...node, serviceUrl: server, token }, known, data);
    if (isRefusal(answer)) throw new Failure(EXIT.TAKEN, answer.message, answer.next);
    const text = answerText(answer, format);
    if (json) printJson({ ...answerJson(answer, known), format, text });
    else terminal.out(text);
    const remark = /^(127\.|::1$)/.test(node.ip ?? '') ? undefined : notForOthers(server);
    if (remark !== undefined) note(remark);
  },
});
