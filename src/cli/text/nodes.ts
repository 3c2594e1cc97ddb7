/** A remark when the URL of the service means another machine on every machine. */
export function notForOthers(server: string): string | undefined {
  const { hostname } = new URL(server);
  if (!/^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname)) return undefined;
  return `note: ${server} is this machine only; for nodes elsewhere say --server URL as they reach the service`;
}
