import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ImageConfig } from './image.ts';

export interface Service {
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
}

export function composeServices(file: string): Readonly<Record<string, Service>> {
  return (parse(readFileSync(file, 'utf8')) as { services: Readonly<Record<string, Service>> }).services;
}

export interface Container {
  readonly name: string;
  readonly root: string;
  readonly config: ImageConfig;
  readonly service: Service;
}

/**
 * A shell script, for a network and a mount namespace of its own, that runs containers as the images and the compose
 * file say: as their user, on a root that is read-only where it is to be, with a volume at /data and the services'
 * names as hosts. `healthy NAME` waits for a container's own health check. Then come the steps.
 */
export function composeScript(containers: readonly Container[], steps: string): string {
  return `set -eu
ip link set lo up
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
${containers.map((each) => start(each, containers)).join('\n')}
healthy() {
  i=0
  until "check_$1" >/dev/null 2>&1; do
    i=$((i + 1)); [ $i -lt 100 ] || { echo "$1 never became healthy" >&2; "check_$1" >&2; exit 1; }
    sleep 0.3
  done
}
${steps}
`;
}

function start({ name, root, config, service }: Container, all: readonly Container[]): string {
  const env = [
    ...config.Env,
    ...Object.entries(service.environment ?? {}).map(([key, value]) => `${key}=${value}`),
  ];
  const inside = (command: readonly string[]): string =>
    `chroot --userspec=${config.User} ${root} env -i ${env.map(quote).join(' ')} ` +
    `sh -c ${quote(`cd ${config.WorkingDir || '/'} && exec ${command.map(quote).join(' ')}`)}`;
  const check = (service.healthcheck?.test ?? config.Healthcheck?.Test ?? []).slice(1);
  return `mount --bind ${root} ${root}
mount -t proc proc ${root}/proc
mount -t tmpfs -o mode=755 tmpfs ${root}/dev
for device in null zero random urandom; do touch ${root}/dev/$device; mount --bind /dev/$device ${root}/dev/$device; done
mount -t tmpfs -o uid=1000,gid=1000,mode=700 tmpfs ${root}/data
echo '127.0.0.1 localhost ${all.map((each) => each.name).join(' ')}' > ${root}/etc/hosts
${service.read_only === true ? `mount -o remount,ro,bind ${root}` : ''}
start_${name}() { ${inside([...config.Entrypoint, ...config.Cmd])}; }
check_${name}() { ${inside(check)}; }`;
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
