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

async function nginx(
  scene: Scene,
  target: string,
  configure: (home: string) => string,
): Promise<ReverseProxy> {
  const [http = 0, grpc = 0] = await freePorts(2);
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
  server { listen 127.0.0.1:${http}; location / { proxy_pass http://${target}; } }
  server { listen 127.0.0.1:${grpc} http2; location / { grpc_pass grpc://${target}; } }
}
`;
  writeFileSync(join(home, 'nginx.conf'), config);
  scene.run('nginx', 'nginx', ['-p', home, '-e', 'stderr', '-c', join(home, 'nginx.conf')]);
  return listening(scene, { name: 'nginx', http, grpc });
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
): Promise<ReverseProxy> {
  const proxy = { name, http: `http://127.0.0.1:${http}`, grpc: `http://127.0.0.1:${grpc}` };
  await scene.until(`${name} to serve`, async () => {
    const answer = await fetch(`${proxy.http}/health`, { signal: AbortSignal.timeout(2000) });
    return answer.ok ? true : undefined;
  });
  return proxy;
}
