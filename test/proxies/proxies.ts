import { mkdirSync, writeFileSync } from 'node:fs';
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
  runNginx(
    scene,
    (home) => `${configure(home)}
  server { listen 127.0.0.1:${http}; location / { proxy_pass http://${target}; } }
  server { listen 127.0.0.1:${grpc} http2; location / { grpc_pass grpc://${target}; } }`,
  );
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
  const config = `defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
  ${added}
frontend http
  bind 127.0.0.1:${http}
  default_backend http
backend http
  server service ${target}
frontend grpc
  bind 127.0.0.1:${grpc} proto h2
  default_backend grpc
backend grpc
  server service ${target} proto h2
`;
  const file = join(scene.directory, `${name.replaceAll(' ', '-')}.cfg`);
  writeFileSync(file, config);
  scene.run(name, 'haproxy', ['-f', file]);
  return listening(scene, { name, http, grpc });
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
