/** Whether this is a long run (`npm test -- --slow`): more histories, more kills, more sizes. */
export const slow: boolean = process.env['ETCD_DISCOVERY_TEST_SLOW'] === '1';

/** Why a test is skipped that only long runs include, if so. */
export const onlyInLongRuns: string | false = !slow && 'only in a long run: npm test -- --slow';
