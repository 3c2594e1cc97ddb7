import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../etcd/harness/ports.ts';
import type { Scene } from '../etcd/harness/scene.ts';

/** A proxy in front of a service: for HTTP/1.1, and for gRPC over HTTP/2 in clear text. */
export interface ReverseProxy {
  readonly name: string;
  readonly http: string;
  readonly grpc: string;
}

/** Debian's packages of the commands. */
export const PACKAGES = { nginx: 'nginx', haproxy: 'haproxy', varnishd: 'varnish' } as const;
export const CADDY = { caddy: 'caddy' } as const;

/** Where a proxy listens, and the host and port of the service behind it. */
interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly target: string;
}

/** The configuration that docs/operating/proxies.md has for a proxy, with the ports of this machine. */
function documented(language: 'nginx' | 'haproxy' | 'caddyfile', { http, grpc, target }: Ports): string {
  const document = readFileSync('docs/operating/proxies.md', 'utf8');
  const [, sample] = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(document) ?? [];
  if (sample === undefined) throw new Error(`docs/operating/proxies.md has no sample for ${language}`);
  return sample
    .replaceAll('10.0.0.5:8087', target)
    .replace(
      /(listen |bind |:\/\/)?:?\b8080\b/g,
      (_, before: string | undefined = '') => `${before}${at(before, http)}`,
    )
    .replace(
      /(listen |bind ):?2379\b/g,
      (_, before: string | undefined = '') => `${before}${at(before, grpc)}`,
    );
}

/** Caddy's site is a URL, of any host; the others listen at an address. */
function at(before: string, port: number): string {
  return before === '://' ? `:${port}` : `127.0.0.1:${port}`;
}

/** nginx with its own time-outs: 60 s for whatever a proxied server, or a client, has not said. */
export function startNginx(scene: Scene, target: string): Promise<ReverseProxy> {
  return nginx(scene, target, () => '');
}

/** nginx that keeps what may be kept. */
export function startCachingNginx(scene: Scene, target: string): Promise<ReverseProxy> {
  const cache = (home: string): string =>
    `proxy_cache_path ${home}/cache keys_zone=all:1m; proxy_cache all; proxy_cache_valid any 1m;`;
  return nginx(scene, target, cache);
}

/** Varnish with its own rules: whatever does not say otherwise is kept for two minutes. */
export async function startVarnish(scene: Scene, target: string): Promise<ReverseProxy> {
  const [http = 0] = await freePorts(1);
  const home = join(scene.directory, 'varnish');
  const own = ['-a', `127.0.0.1:${http}`, '-n', home, '-s', 'malloc,8m', '-j', 'none'];
  scene.run('varnish', 'varnishd', ['-F', '-b', target, ...own]);
  return listening(scene, { name: 'varnish', http, grpc: http });
}

/** nginx that shows the service below `/disc/`, at one port without that path in what it asks for, at the other with it. */
export async function startNginxBelowPath(
  scene: Scene,
  target: string,
  { stripped, kept }: { readonly stripped: number; readonly kept: number },
): Promise<void> {
  const at = (port: number, url: string): string =>
    `server { listen 127.0.0.1:${port}; location /disc/ { proxy_pass ${url}; proxy_set_header Host $http_host; } }`;
  runNginx(scene, () => `${at(stripped, `http://${target}/`)}\n  ${at(kept, `http://${target}`)}`);
  for (const port of [stripped, kept]) {
    await listening(scene, { name: 'nginx below a path', http: port, grpc: port }, '/disc/health');
  }
}

async function nginx(
  scene: Scene,
  target: string,
  configure: (home: string) => string,
): Promise<ReverseProxy> {
  const [http = 0, grpc = 0] = await freePorts(2);
  runNginx(scene, (home) => `${configure(home)}\n${documented('nginx', { http, grpc, target })}`);
  return listening(scene, { name: 'nginx', http, grpc });
}

/** `configure`: what is special about its HTTP. */
function runNginx(scene: Scene, configure: (home: string) => string): void {
  const home = join(scene.directory, 'nginx');
  mkdirSync(home);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = paths.map((each) => `${each}_temp_path ${home}/${each};`).join(' ');
  // Without a master: a worker outlives one that is killed.
  const config = `daemon off; master_process off; pid ${home}/pid; error_log stderr info;
events {}
http {
  access_log off;
  ${temporary}
  ${configure(home)}
}
`;
  writeFileSync(join(home, 'nginx.conf'), config);
  scene.run('nginx', 'nginx', ['-p', home, '-e', 'stderr', '-c', join(home, 'nginx.conf')]);
}

/** HAProxy with the time-outs of Debian's configuration, and with what is added to them. */
export async function startHaproxy(
  scene: Scene,
  target: string,
  name = 'haproxy',
  added = '',
): Promise<ReverseProxy> {
  const [http = 0, grpc = 0] = await freePorts(2);
  const config = documented('haproxy', { http, grpc, target }).replace(
    /^( *)timeout server .*$/m,
    (line, indent: string) => `${line}\n${indent}${added}`,
  );
  const file = join(scene.directory, `${name.replaceAll(' ', '-')}.cfg`);
  writeFileSync(file, config);
  scene.run(name, 'haproxy', ['-f', file]);
  return listening(scene, { name, http, grpc });
}

/** Caddy, which has one port for both. */
export async function startCaddy(scene: Scene, target: string): Promise<ReverseProxy> {
  const [http = 0] = await freePorts(1);
  const home = join(scene.directory, 'caddy');
  mkdirSync(home);
  const file = join(home, 'Caddyfile');
  // Its port for administration would be the same for every Caddy of the machine.
  const config = documented('caddyfile', { http, grpc: http, target }).replace('{', '{\n  admin off');
  writeFileSync(file, config);
  scene.run('caddy', 'env', [`HOME=${home}`, 'caddy', 'run', '--adapter', 'caddyfile', '--config', file]);
  return listening(scene, { name: 'caddy', http, grpc: http });
}

async function listening(
  scene: Scene,
  { name, http, grpc }: { readonly name: string; readonly http: number; readonly grpc: number },
  health = '/health',
): Promise<ReverseProxy> {
  const proxy = { name, http: `http://127.0.0.1:${http}`, grpc: `http://127.0.0.1:${grpc}` };
  await scene.until(`${name} to serve`, async () => {
    const answer = await fetch(`${proxy.http}${health}`, { signal: AbortSignal.timeout(2000) });
    return answer.ok ? true : undefined;
  });
  return proxy;
}
