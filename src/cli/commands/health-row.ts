/** What the list of commands tells of `health`. */
export const HEALTH_ROW = {
  name: 'health',
  group: 'Service',
  summary: 'say whether the service can serve requests, for scripts and the checks of containers',
} as const;
