import { didYouMean } from '../../values/nearest.ts';
import { quote } from '../../values/quote.ts';
import type { Command } from '../command.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';
import { EXIT } from '../exit.ts';
import { readCall } from '../flags.ts';
import { ROWS } from '../rows.ts';

const SCRIPTS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

const HELP = `Print a script with which a shell completes commands, flags and their values.

Usage: etcd-discovery completion bash|zsh|fish

To load the script, add this line to the startup file of your shell:

  bash  source <(etcd-discovery completion bash)          in ~/.bashrc
  zsh   source <(etcd-discovery completion zsh)           in ~/.zshrc, after compinit
  fish  etcd-discovery completion fish | source           in ~/.config/fish/config.fish
`;

/** Returns the row of `completion`, for the table that contains it. */
export const completion = (loadCommands: () => Promise<readonly Command[]>): Command => ({
  ...ROWS.completion,
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
          : `unknown shell ${quote(shell)}${didYouMean(shell, Object.keys(SCRIPTS)) || '; use bash, zsh or fish'}`;
      terminal.err(`etcd-discovery: ${problem}\n`);
      return EXIT.WRONG;
    }
    terminal.out(script(await loadCommands()));
    return EXIT.DONE;
  },
});
