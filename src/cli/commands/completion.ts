import { didYouMean } from '../../values/nearest.ts';
import { quote } from '../../values/quote.ts';
import type { Command } from '../command.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';
import { EXIT } from '../exit.ts';
import { readCall } from '../flags.ts';

const SCRIPTS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const HELP = `Print what makes a shell complete commands, flags and their values.

Usage: etcd-discovery completion bash|zsh|fish

  bash  source <(etcd-discovery completion bash)          in ~/.bashrc
  zsh   source <(etcd-discovery completion zsh)           in ~/.zshrc, after compinit
  fish  etcd-discovery completion fish | source           in ~/.config/fish/config.fish
`;

/** The row for completion, of the table that it is in. */
export const completion = (loadCommands: () => Promise<readonly Command[]>): Command => ({
  name: 'completion',
  group: 'Shell',
  summary: 'print what makes bash, zsh or fish complete these commands',
  flags: [],
  argument: Object.keys(SCRIPTS),
  async run(args, terminal) {
    const reading = readCall('completion', ['SHELL'], {}, args, terminal.env);
    if (reading.type === 'HELP') {
      terminal.out(HELP);
      return EXIT.DONE;
    }
    const shell = reading.type === 'CALL' ? (reading.words[0] ?? '') : '';
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (reading.type === 'WRONG' || script === undefined) {
      const problem =
        reading.type === 'WRONG'
          ? reading.problem
          : `${quote(shell)}: completion takes bash, zsh or fish${didYouMean(shell, Object.keys(SCRIPTS))}`;
      terminal.err(`etcd-discovery: ${problem}\n`);
      return EXIT.WRONG;
    }
    terminal.out(script(await loadCommands()));
    return EXIT.DONE;
  },
});
