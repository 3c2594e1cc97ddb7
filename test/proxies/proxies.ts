import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../etcd/harness/ports.ts';
import type { Scene } from '../etcd/harness/scene.ts';

/** A proxy in front of a service, for HTTP/1.1 and for gRPC over plaintext HTTP/2. */
export interface ReverseProxy {
  readonly name: string;
  readonly http: string;
  readonly grpc: string;
}

/** Debian packages of the commands. */
export const PACKAGES = { nginx: 'nginx', haproxy: 'haproxy', varnishd: 'varnish' } as const;
export const CADDY = { caddy: 'caddy' } as const;

/** The ports of a proxy, and the host and port of the service behind it. */
interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly target: string;
}

/** Returns the configuration of a proxy from docs/operating/proxies.md, with the ports of this run. */
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

/** Caddy's site is a URL of any host; the others listen at an address. */
function at(before: string, port: number): string {
  return before === '://' ? `:${port}` : `127.0.0.1:${port}`;
}

/** Starts nginx with its default timeouts: 60 s of silence from the server or the client. */
export function startNginx(scene: Scene, target: string): Promise<ReverseProxy> {
  return nginx(scene, target, () => '');
}

/** Starts nginx that caches everything it may. */
export function startCachingNginx(scene: Scene, target: string): Promise<ReverseProxy> {
  const cache = (home: string): string =>
    `proxy_cache_path ${home}/cache keys_zone=all:1m; proxy_cache all; proxy_cache_valid any 1m;`;
  return nginx(scene, target, cache);
}

/** Starts Varnish with its default rules: it caches for two minutes unless a response forbids it. */
export async function startVarnish(scene: Scene, target: string): Promise<ReverseProxy> {
  const [http = 0] = await freePorts(1);
  const home = join(scene.directory, 'varnish');
  const own = ['-a', `127.0.0.1:${http}`, '-n', home, '-s', 'malloc,8m', '-j', 'none'];
  scene.run('varnish', 'varnishd', ['-F', '-b', target, ...own]);
  return listening(scene, { name: 'varnish', http, grpc: http });
}

/** Starts nginx that serves the service below `/disc/`: one port strips the path, the other keeps it. */
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

/** Runs nginx. `configure` returns the configuration inside its `http` block. */
function runNginx(scene: Scene, configure: (home: string) => string): void {
  const home = join(scene.directory, 'nginx');
  mkdirSync(home);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const temporary = paths.map((each) => `${each}_temp_path ${home}/${each};`).join(' ');
  // Without a master process, because a worker survives a killed master.
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

/** Starts HAProxy with the timeouts of Debian's configuration, followed by `more`. */
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

/** Starts Caddy, which serves both protocols on one port. */
export async function startCaddy(scene: Scene, target: string): Promise<ReverseProxy> {
  const [http = 0] = await freePorts(1);
  const home = join(scene.directory, 'caddy');
  mkdirSync(home);
  const file = join(home, 'Caddyfile');
  // Every Caddy on the machine would share the port of the admin API.
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
