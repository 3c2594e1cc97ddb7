import type { AnyFlag } from '../../settings/tables/flag.ts';
import type { Command } from '../command.ts';

/** For bash 3.2 and later. */
export function bashScript(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# etcd-discovery for bash: source <(etcd-discovery completion bash)
_etcd_discovery() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  # --flag=value comes as three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  local words= files=
  if [[ $COMP_CWORD -eq 1 ]]; then
    words='${names} help --help --version'
  else
    case "$command $prev" in
${values(commands)}
    *)
      case $command in
      help) words='${names}' ;;
${commands.map(ownWords).join('\n')}
      esac ;;
    esac
  fi
  local IFS=$'\\n'
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen $files -- "$cur"))
  else
    COMPREPLY=($(IFS=' '; compgen -W "$words" -- "$cur"))
  fi
}
complete -F _etcd_discovery etcd-discovery
`;
}

/** Returns what follows a flag that takes a value. */
function values(commands: readonly Command[]): string {
  const lines = commands.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.value !== undefined)
      .map(
        (flag) =>
          `    ${spelt(flag)
            .map((each) => `"${name} ${each}"`)
            .join('|')}) ${valueOf(flag)} ;;`,
      ),
  );
  return lines.join('\n');
}

function valueOf({ value, words }: AnyFlag): string {
  if (words !== undefined) return `words='${words.join(' ')}'`;
  if (value === 'FILE') return 'files=-f';
  return value === 'DIR' ? 'files=-d' : ':';
}

function ownWords({ name, flags, argument }: Command): string {
  const all = [...flags.map(({ flag }) => `--${flag}`), '--help'].join(' ');
  const offered = `words='${all}'`;
  if (argument === undefined) return `      ${name}) ${offered} ;;`;
  const first = argument === 'FILE' ? 'files=-f' : `words='${argument.join(' ')}'`;
  return `      ${name}) if [[ $cur == -* ]]; then ${offered}; else ${first}; fi ;;`;
}

function spelt({ flag, short }: AnyFlag): string[] {
  return [`--${flag}`, ...(short === undefined ? [] : [`-${short}`])];
}
