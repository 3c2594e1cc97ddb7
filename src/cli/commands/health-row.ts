/** The row of `health` in the list of commands. */
export const HEALTH_ROW = {
  name: 'health',
  group: 'Service',
  summary: 'check whether the service can serve requests, for scripts and container health checks',
} as const;
