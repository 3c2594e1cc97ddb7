import type { AnyFlag } from '../../settings/tables/flag.ts';
import type { Command } from '../command.ts';

/** Works both sourced after compinit and as a file in $fpath. */
export function zshScript(commands: readonly Command[]): string {
  const described = (each: readonly Command[]): string =>
    each.map(({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}\n`).join('');
  return `#compdef etcd-discovery
# etcd-discovery for zsh: source <(etcd-discovery completion zsh), after compinit
_etcd-discovery() {
  local -a commands=(
${described(commands)}  )
  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(argumentsOf).join('')}  esac
}
if [[ $funcstack[1] == _etcd-discovery ]]; then
  _etcd-discovery "$@"
else
  compdef _etcd-discovery etcd-discovery
fi
`;
}

function argumentsOf({ name, flags, argument }: Command): string {
  const specs = [...flags.map(specOf), `'(-h --help)'{-h,--help}'[show the help]'`];
  if (argument === 'FILE') specs.push(`'1:file:_files'`);
  // Flags after an undeclared argument are not completed.
  else specs.push(argument === undefined ? `'*:argument:()'` : quote(`1:${name}:(${argument.join(' ')})`));
  return `  ${name})\n    _arguments -s \\\n${specs.map((spec) => `      ${spec}`).join(' \\\n')} ;;\n`;
}

function specOf({ flag, short, value, words, help }: AnyFlag): string {
  const text = `[${help.replaceAll(/[[\]\\:]/g, '\\$&')}]${valueOf(value, words)}`;
  if (short === undefined) return quote(`*--${flag}${text}`);
  return `'(-${short} --${flag})'{-${short},--${flag}}${quote(text)}`;
}

function valueOf(value: string | undefined, words: readonly string[] | undefined): string {
  if (value === undefined) return '';
  if (words !== undefined) return `:${value}:(${words.join(' ')})`;
  const action = { FILE: '_files', DIR: '_files -/' }[value] ?? ' ';
  return `:${value.replaceAll(':', '\\:')}:${action}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
