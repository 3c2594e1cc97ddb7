import { configFileText } from './config-file.ts';
import { composeText, kubernetesText } from './containers.ts';
import type { NodeStart } from './node.ts';
import { envText, flagsText } from './shell.ts';
import { systemdText } from './systemd.ts';

const RENDER = {
  flags: flagsText,
  env: envText,
  yaml: configFileText,
  systemd: systemdText,
  compose: composeText,
  kubernetes: kubernetesText,
} as const;

export type StartFormat = keyof typeof RENDER;

export const START_FORMATS = Object.keys(RENDER) as readonly StartFormat[];

/**
 * Returns how to start an etcd node so that it joins the cluster of a token: a text to paste, with a final
 * newline.
 */
export function startText(node: NodeStart, format: StartFormat): string {
  return RENDER[format](node);
}
