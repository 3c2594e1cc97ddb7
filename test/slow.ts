/** Whether this is a long run (`npm test -- --slow`): more histories, more kills, more sizes. */
export const slow: boolean = process.env['ETCD_DISCOVERY_TEST_SLOW'] === '1';
